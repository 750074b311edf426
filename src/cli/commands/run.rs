//! `zdm expand`, `migrate`, `contract`, `purge` and `rollback`: the commands that change a database.

use std::process::ExitCode;

use super::plan;
use crate::cli::args::{
    BackTo, ContractArgs, ExpandArgs, IfBlocked, MigrateArgs, PurgeArgs, RollbackArgs, RunArgs,
};
use crate::cli::output::Stop;
use crate::cli::settings::engine_of;
use crate::cli::{Shell, job, signals};
use crate::engine::commands::{self, Goal};
use crate::engine::job::Job;
use crate::engine::outcome::Outcome;
use crate::error::{Error, ErrorKind};
use crate::model::phase::Phase;
use crate::report::{human, json};

/// `zdm expand`.
pub(crate) fn expand(args: &ExpandArgs, shell: &Shell<'_>) -> Result<ExitCode, Stop> {
    if args.run.dry_run {
        return plan::dry_run(Phase::Expand, shell);
    }
    let mut job = prepare(shell, &args.run)?;
    job.overrides = args.overridden.overrides();
    let ended = go(shell, &job, async { commands::expand(&job).await })?;
    finish(shell, "expand", &ended?)
}

/// `zdm migrate`.
pub(crate) fn migrate(args: &MigrateArgs, shell: &Shell<'_>) -> Result<ExitCode, Stop> {
    if args.run.dry_run {
        return plan::dry_run(Phase::Migrate, shell);
    }
    let mut job = prepare(shell, &args.run)?;
    job.full_speed = args.full_speed;
    job.overrides = args.overridden.overrides();
    require_replicas(&job)?;
    let ended = go(shell, &job, async { commands::migrate(&job).await })?;
    finish(shell, "migrate", &ended?)
}

/// `zdm contract`.
pub(crate) fn contract(args: &ContractArgs, shell: &Shell<'_>) -> Result<ExitCode, Stop> {
    if args.run.dry_run {
        return plan::dry_run(Phase::Contract, shell);
    }
    let mut job = prepare(shell, &args.run)?;
    job::apply_gate(&mut job, &args.gate);
    let ended = go(shell, &job, async { commands::contract(&job).await })?;
    match ended {
        Err(error) if error.kind == ErrorKind::Blocked && args.if_blocked == IfBlocked::Skip => {
            shell.result(
                || human::failure::skipped(&error),
                || json::outcome::blocked("contract", &error),
            )?;
            Ok(ExitCode::SUCCESS)
        }
        ended => finish(shell, "contract", &ended?),
    }
}

/// `zdm purge`.
pub(crate) fn purge(args: &PurgeArgs, shell: &Shell<'_>) -> Result<ExitCode, Stop> {
    if args.run.dry_run {
        return plan::dry_run(Phase::Purge, shell);
    }
    let mut job = prepare(shell, &args.run)?;
    job::apply_gate(&mut job, &args.gate);
    let ended = go(shell, &job, async { commands::purge(&job).await })?;
    finish(shell, "purge", &ended?)
}

/// `zdm rollback`.
pub(crate) fn rollback(args: &RollbackArgs, shell: &Shell<'_>) -> Result<ExitCode, Stop> {
    let settings = shell.settings()?;
    let project = settings.project()?;
    let mut job = job::job(shell, &settings, project)?;
    (job.lock_wait, job.run_wait) = (args.lock_wait, args.run_wait);
    job::apply_gate(&mut job, &args.gate);
    let goal = match args.to {
        None => Goal::Next,
        Some(BackTo::Migrated) => Goal::Migrated,
        Some(BackTo::Pending) => Goal::Pending,
    };
    let ended = go(shell, &job, async { commands::rollback(&job, &args.id, goal).await })?;
    finish(shell, "rollback", &ended?)
}

/// Where backfills ask the replicas themselves, every address must be known.
fn require_replicas(job: &Job) -> Result<(), Error> {
    if !engine_of(&job.target.url)?.is_mysql_family() {
        return Ok(());
    }
    let unknown = job.elsewhere.replicas.iter().find_map(|replica| replica.target().err());
    unknown.map_or(Ok(()), |why| Err(Error::usage(why)))
}

fn prepare(shell: &Shell<'_>, args: &RunArgs) -> Result<Job, Error> {
    let settings = shell.settings()?;
    let project = settings.project()?;
    let mut job = job::job(shell, &settings, project)?;
    job::apply_run(&mut job, args);
    Ok(job)
}

/// Runs to the end, or to the point at which a signal lets it stop.
fn go(
    shell: &Shell<'_>,
    job: &Job,
    run: impl Future<Output = Result<Outcome, Error>>,
) -> Result<Result<Outcome, Error>, Error> {
    shell.block_on(async {
        let _listening = signals::listen(&job.interrupt)?;
        Ok(run.await)
    })?
}

fn finish(shell: &Shell<'_>, command: &str, outcome: &Outcome) -> Result<ExitCode, Stop> {
    shell.result(
        || human::outcome::outcome(command, outcome),
        || json::outcome::outcome(command, outcome),
    )?;
    shell.next(outcome.next.as_deref())?;
    Ok(ExitCode::SUCCESS)
}
