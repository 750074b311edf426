//! `zdm gate`: whether contract (or rollback) of a migration may act now.

use std::process::ExitCode;

use super::find;
use crate::cli::args::GateCommandArgs;
use crate::cli::output::Stop;
use crate::cli::reading::Reading;
use crate::cli::settings::Way;
use crate::cli::{Shell, exit, job};
use crate::engine::gate::look;
use crate::error::{Error, ErrorKind};
use crate::plan::gate::GateKind;
use crate::report::json::gate::VerdictWord;
use crate::report::{human, json};

/// Shows what every source says; the exit code is that of the command that the gate guards.
pub(crate) fn run(args: &GateCommandArgs, shell: &Shell<'_>) -> Result<ExitCode, Stop> {
    let settings = shell.settings()?;
    let project = settings.project()?;
    let id = find(&project, &args.id)?.id.clone();
    let job = job::job(shell, &settings, project)?;
    let target = settings.required_target(Way::Any)?;
    let kind = if args.rollback { GateKind::Rollback } else { GateKind::Contract };
    let report = shell.block_on(async {
        let mut reading = Reading::open(&target, settings.config.environment.as_deref()).await?;
        if !reading.has_state {
            let message = "zdm has never run on this database, so nobody can have reported";
            return Err(Error::usage(message).hint("Run `zdm expand` first."));
        }
        let migration = find(&job.project, id.as_str())?;
        let report = look(&job, &mut reading.conn, migration, kind).await;
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
            GateKind::Contract => format!("zdm contract --only {id}"),
            GateKind::Rollback => format!("zdm rollback {id}"),
        };
        shell.next(Some(&command))?;
    }
    Ok(ExitCode::from(code))
}
