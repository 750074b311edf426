//! `zdm verify`: the journal against catalog, rows, triggers and rights.

use std::process::ExitCode;

use crate::cli::args::VerifyArgs;
use crate::cli::output::Stop;
use crate::cli::{Shell, exit, job};
use crate::engine::commands;
use crate::error::ErrorKind;
use crate::report::{human, json};

/// Looks, and exits 7 when something is not as the journal says.
pub(crate) fn run(args: &VerifyArgs, shell: &Shell<'_>) -> Result<ExitCode, Stop> {
    let settings = shell.settings()?;
    let project = settings.project()?;
    let job = job::job(shell, &settings, project)?;
    let checkup = shell.block_on(commands::verify(&job, args.within))??;
    shell.result(|| human::health::checkup(&checkup), || json::health::checkup(&checkup))?;
    if checkup.findings.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::from(exit::code(ErrorKind::Drift)))
}
