//! `zdm backfill`: steers a backfill from another terminal.

use std::process::ExitCode;

use crate::cli::args::{BackfillArgs, BackfillWish};
use crate::cli::output::Stop;
use crate::cli::{Shell, job};
use crate::engine::commands::{self, Steer};
use crate::report::{human, json};

/// Writes a wish, or lists the rows that were left out.
pub(crate) fn run(args: &BackfillArgs, shell: &Shell<'_>) -> Result<ExitCode, Stop> {
    let settings = shell.settings()?;
    let project = settings.project()?;
    let job = job::job(shell, &settings, project)?;
    let (id, steer) = match &args.wish {
        BackfillWish::Pause(args) => (&args.id, Steer::Pause),
        BackfillWish::Resume(args) => (&args.id, Steer::Resume),
        BackfillWish::Set(args) => {
            let set = Steer::Set {
                share: args.share,
                max_rows: args.max_rows,
                batch_time: args.batch_time,
                reset: args.reset,
            };
            (&args.id, set)
        }
        BackfillWish::Parked(args) => {
            let parked = shell.block_on(commands::parked_rows(&job, args.id.as_deref()))??;
            shell
                .result(|| human::backfill::parked(&parked), || json::backfill::parked(&parked))?;
            return Ok(ExitCode::SUCCESS);
        }
    };
    let steered = shell.block_on(commands::steer(&job, id, steer))??;
    shell.result(|| human::backfill::steered(&steered), || json::backfill::steered(&steered))?;
    Ok(ExitCode::SUCCESS)
}
