//! `zdm status`: where things stand; and accepting an edited step.

use std::process::ExitCode;

use crate::cli::args::StatusArgs;
use crate::cli::output::Stop;
use crate::cli::{Shell, job};
use crate::engine::commands;
use crate::report::{human, json};

/// Shows it; with `--accept`, records new seals first.
pub(crate) fn run(args: &StatusArgs, shell: &Shell<'_>) -> Result<ExitCode, Stop> {
    let settings = shell.settings()?;
    let project = settings.project()?;
    let job = job::job(shell, &settings, project)?;
    if let Some(id) = &args.accept {
        let reason = args.reason.as_deref().unwrap_or_default();
        let accepted = shell.block_on(commands::accept(&job, id, reason))??;
        for step in accepted {
            shell.output.note(&format!("accepted {step}\n"))?;
        }
    }
    let status =
        shell.block_on(commands::status(&job, chrono::Utc::now().timestamp_millis()))??;
    shell.result(
        || human::status::status(&status, shell.output.width()),
        || json::status::status(&status),
    )?;
    shell.next(status.next.as_deref())?;
    Ok(ExitCode::SUCCESS)
}
