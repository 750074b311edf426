//! `zdm plan`, and `--dry-run` of the phases.

use std::process::ExitCode;

use crate::cli::Shell;
use crate::cli::args::PlanArgs;
use crate::cli::output::Stop;
use crate::error::{Error, ErrorKind};
use crate::model::phase::Phase;

/// Shows the plan.
pub(crate) fn run(_args: &PlanArgs, shell: &Shell<'_>) -> Result<ExitCode, Stop> {
    let project = shell.settings()?.project()?;
    shell.output.note(&format!("{} migrations\n", project.migrations.len()))?;
    Err(Error::new(ErrorKind::Failed, "not available in this build").into())
}

/// Shows the plan of one phase.
pub(crate) fn dry_run(_phase: Phase, shell: &Shell<'_>) -> Result<ExitCode, Stop> {
    let project = shell.settings()?.project()?;
    shell.output.note(&format!("{} migrations\n", project.migrations.len()))?;
    Err(Error::new(ErrorKind::Failed, "not available in this build").into())
}
