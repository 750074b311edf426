//! `zdm wait`: until migrations are as far as an application needs them.

use std::process::ExitCode;

use super::find;
use crate::cli::args::WaitArgs;
use crate::cli::output::Stop;
use crate::cli::settings::{Settings, Way};
use crate::cli::{Shell, signals};
use crate::engine::commands;
use crate::engine::interrupt::Interrupt;
use crate::error::Error;
use crate::model::lease::Reached;
use crate::model::name::MigrationId;
use crate::report::{human, json};

/// Waits for them.
pub(crate) fn run(args: &WaitArgs, shell: &Shell<'_>) -> Result<ExitCode, Stop> {
    let settings = shell.settings()?;
    let target = settings.required_target(Way::Any)?;
    let mut needs = Vec::new();
    for (called, reached) in
        [(&args.expanded, Reached::Expanded), (&args.migrated, Reached::Migrated)]
    {
        for called in called {
            needs.push((migration(&settings, called)?, reached));
        }
    }
    let interrupt = Interrupt::default();
    let tell = |why: &str| {
        // It waits on, whoever reads.
        if shell.output.note(&format!("waits: {why}\n")).is_err() {
            tracing::trace!("nobody reads why it waits");
        }
    };
    shell.block_on(async {
        let _listening = signals::listen(&interrupt)?;
        commands::wait(target, &needs, args.timeout, &interrupt, tell).await
    })??;
    shell.result(|| human::wait::reached(&needs), || json::wait::reached(&needs))?;
    Ok(ExitCode::SUCCESS)
}

/// A full name needs no folder: an image may hold none.
fn migration(settings: &Settings, called: &str) -> Result<MigrationId, Error> {
    if let Ok(id) = MigrationId::parse(called) {
        return Ok(id);
    }
    let project = settings.project()?;
    find(&project, called).map(|migration| migration.id.clone())
}
