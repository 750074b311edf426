//! `zdm gate`: whether contract (or rollback) of a migration may act now; and the gate around another tool's contract.

use std::process::ExitCode;
use std::time::Instant;

use super::find;
use crate::cli::args::GateCommandArgs;
use crate::cli::output::Stop;
use crate::cli::reading::Reading;
use crate::cli::settings::Way;
use crate::cli::{Shell, exit, job, signals, start};
use crate::engine::commands;
use crate::engine::gate::{await_clear, look};
use crate::engine::job::Job;
use crate::error::{Error, ErrorKind};
use crate::plan::gate::{GateKind, GateReport};
use crate::plan::migration::Migration;
use crate::report::json::gate::VerdictWord;
use crate::report::{human, json};

/// Shows what every source says; the exit code is that of the command that the gate guards.
pub(crate) fn run(args: &GateCommandArgs, shell: &Shell<'_>) -> Result<ExitCode, Stop> {
    if let Some(path) = &args.start_with {
        return start::run(path, shell);
    }
    let called = args.id.as_deref().unwrap_or_default();
    let settings = shell.settings()?;
    let project = settings.project()?;
    let migration = find(&project, called)?;
    let (id, by_other) = (migration.id.clone(), migration.contract.by_other);
    let mut job = job::job(shell, &settings, project)?;
    job::apply_gate(&mut job, &args.gate);
    job.run_wait = args.run_wait;
    if !args.child.is_empty() {
        let ended = shell.block_on(async {
            let listening = signals::listen(&job.interrupt)?;
            let ended = commands::delegate(&job, called, &args.child).await;
            drop(listening);
            ended
        })??;
        return Ok(ExitCode::from(ended));
    }
    let target = settings.required_target(Way::Any)?;
    let kind = if args.rollback { GateKind::Rollback } else { GateKind::Contract };
    let report = shell.block_on(async {
        let _listening = signals::listen(&job.interrupt)?;
        let mut reading = Reading::open(&target, settings.config.environment.as_deref()).await?;
        if !reading.has_state {
            let message = "zdm has never run on this database, so nobody can have reported";
            return Err(Error::usage(message).hint("Run `zdm expand` first."));
        }
        let migration = find(&job.project, id.as_str())?;
        let report = patiently(&job, &mut reading, migration, kind).await;
        reading.conn.close().await;
        report
    })??;
    shell.result(|| human::gate::gate(&report), || json::gate::gate(&report))?;
    let code = match json::gate::worst(&report) {
        VerdictWord::Clear => 0,
        VerdictWord::Blocked => exit::code(ErrorKind::Blocked),
        VerdictWord::Unknown => exit::code(ErrorKind::Unknown),
    };
    if code == 0 {
        let command = match kind {
            GateKind::Contract if by_other => format!("zdm gate {id} -- COMMAND"),
            GateKind::Contract => format!("zdm contract --only {id}"),
            GateKind::Rollback => format!("zdm rollback {id}"),
        };
        shell.next(Some(&command))?;
    }
    Ok(ExitCode::from(code))
}

/// What every source says, once the gate is clear or `--wait` is over.
async fn patiently(
    job: &Job,
    reading: &mut Reading,
    migration: &Migration,
    kind: GateKind,
) -> Result<GateReport, Error> {
    if !job.gate_wait.is_zero() {
        let until = Instant::now() + job.gate_wait;
        match await_clear(job, &mut reading.conn, migration, kind, until).await {
            // The report says why.
            Err(error) if !matches!(error.kind, ErrorKind::Blocked | ErrorKind::Unknown) => {
                return Err(error);
            }
            _ => {}
        }
    }
    look(job, &mut reading.conn, migration, kind).await
}
