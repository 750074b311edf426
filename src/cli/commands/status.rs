//! `zdm status`: where things stand; and accepting an edited step.

use std::process::ExitCode;

use crate::cli::args::StatusArgs;
use crate::cli::output::Stop;
use crate::cli::{Shell, job};
use crate::engine::commands;
use crate::error::{Error, ErrorKind};
use crate::report::{human, json};

/// Shows it; with `--accept`, records new seals first.
pub(crate) fn run(args: &StatusArgs, shell: &Shell<'_>) -> Result<ExitCode, Stop> {
    let settings = shell.settings()?;
    let project = settings.project()?;
    let job = job::job(shell, &settings, project)?;
    if args.accept.is_some() {
        return Err(Error::new(ErrorKind::Failed, "not available in this build").into());
    }
    let status = shell.block_on(commands::status(&job))??;
    shell.result(
        || human::status::status(&status, shell.output.width()),
        || json::status::status(&status),
    )?;
    shell.next(status.next.as_deref())?;
    Ok(ExitCode::SUCCESS)
}
