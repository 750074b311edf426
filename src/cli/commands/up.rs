//! `zdm up`: all phases of all migrations at once, on a database on which nobody relies yet.

use std::process::ExitCode;

use crate::cli::args::UpArgs;
use crate::cli::output::Stop;
use crate::cli::{Shell, job, signals};
use crate::engine::commands::{self, Start};
use crate::report::{human, json};

/// Runs it.
pub(crate) fn run(args: &UpArgs, shell: &Shell<'_>) -> Result<ExitCode, Stop> {
    let settings = shell.settings()?;
    let project = settings.project()?;
    let mut job = job::job(shell, &settings, project)?;
    (job.lock_wait, job.run_wait) = (args.lock_wait, args.run_wait);
    // Nobody else is to be spared.
    job.full_speed = true;
    let start = if args.fresh { Start::Fresh } else { Start::AsItIs };
    let outcome = shell.block_on(async {
        let _listening = signals::listen(&job.interrupt)?;
        commands::up(&job, start).await
    })??;
    shell.result(
        || human::outcome::outcome("bring up", &outcome),
        || json::outcome::outcome("up", &outcome),
    )?;
    Ok(ExitCode::SUCCESS)
}
