//! `zdm baseline`: an existing schema becomes the start.

use std::process::ExitCode;

use crate::cli::args::BaselineArgs;
use crate::cli::output::Stop;
use crate::cli::{Shell, job};
use crate::engine::commands::{self, BaselineWish, Write};
use crate::report::{human, json};

/// Records the migrations up to one as done.
pub(crate) fn run(args: &BaselineArgs, shell: &Shell<'_>) -> Result<ExitCode, Stop> {
    let settings = shell.settings()?;
    let project = settings.project()?;
    let mut job = job::job(shell, &settings, project)?;
    job.run_wait = args.run_wait;
    job.overrides = args.overrides.iter().map(|name| (name.clone(), args.reason.clone())).collect();
    let write = if args.dry_run { Write::DryRun } else { Write::Record };
    let wish = BaselineWish { last: &args.id, reason: &args.reason, write };
    let baselined = shell.block_on(commands::baseline(&job, &wish))??;
    shell.result(
        || human::baseline::baseline(&baselined),
        || json::baseline::baseline(&baselined),
    )?;
    shell.next(baselined.next.as_deref())?;
    Ok(ExitCode::SUCCESS)
}
