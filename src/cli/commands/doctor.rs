//! `zdm doctor`: what people left behind, and the way out.

use std::process::ExitCode;

use crate::cli::args::{Apply, DoctorArgs};
use crate::cli::output::Stop;
use crate::cli::{Shell, exit, job, signals};
use crate::engine::commands::{self, Cure};
use crate::error::ErrorKind;
use crate::plan::health::finding::Kind;
use crate::report::{human, json};

/// Looks; with `--apply`, does something about it. Exits 7 when something is wrong.
pub(crate) fn run(args: &DoctorArgs, shell: &Shell<'_>) -> Result<ExitCode, Stop> {
    let settings = shell.settings()?;
    let project = settings.project()?;
    let mut job = job::job(shell, &settings, project)?;
    job.lock_wait = args.lock_wait;
    if args.privileges {
        let found = shell.block_on(commands::privileges(&job))??;
        shell.result(|| human::doctor::privileges(&found), || json::doctor::privileges(&found))?;
        return Ok(ExitCode::SUCCESS);
    }
    let cures: Vec<_> = args.apply.iter().map(|apply| cure(*apply)).collect();
    let diagnosis = shell.block_on(async {
        let _listening = signals::listen(&job.interrupt)?;
        commands::doctor(&job, &cures).await
    })??;
    shell.result(
        || human::doctor::diagnosis(&diagnosis, cures.len()),
        || json::doctor::diagnosis(&diagnosis),
    )?;
    // A run that died needs nothing but its command again.
    if diagnosis.findings.iter().all(|finding| finding.kind == Kind::Run) {
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::from(exit::code(ErrorKind::Drift)))
}

fn cure(apply: Apply) -> Cure {
    match apply {
        Apply::Adopt => Cure::Adopt,
        Apply::State => Cure::State,
        Apply::Triggers => Cure::Triggers,
        Apply::Indexes => Cure::Indexes,
    }
}
