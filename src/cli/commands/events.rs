//! `zdm events`: what happened.

use std::process::ExitCode;

use crate::cli::Shell;
use crate::cli::args::EventsArgs;
use crate::cli::output::Stop;
use crate::cli::reading::Reading;
use crate::cli::settings::Way;
use crate::database::state::events::{EventFilter, events};
use crate::engine::failure;
use crate::error::Error;
use crate::report::{human, json};

/// Shows the newest, the oldest of them first.
pub(crate) fn run(args: &EventsArgs, shell: &Shell<'_>) -> Result<ExitCode, Stop> {
    let settings = shell.settings()?;
    let target = settings.required_target(Way::Any)?;
    let all = EventFilter { limit: u32::MAX, ..EventFilter::default() };
    let mut found = shell.block_on(async {
        let mut reading = Reading::open(&target, settings.config.environment.as_deref()).await?;
        if !reading.has_state {
            return Ok::<_, Error>(Vec::new());
        }
        let read = events(&mut reading.conn, &all).await;
        reading.conn.close().await;
        read.map_err(|error| failure::working("read the events", error))
    })??;
    if let Some(wanted) = &args.migration {
        found.retain(|event| is_of(event.migration.as_deref(), wanted));
    }
    let surplus = found.len().saturating_sub(usize::try_from(args.last).unwrap_or(usize::MAX));
    found.drain(..surplus);
    shell.result(
        || human::events::events(&found, shell.output.width()),
        || json::events::events(&found),
    )?;
    Ok(ExitCode::SUCCESS)
}

fn is_of(migration: Option<&str>, wanted: &str) -> bool {
    let id = migration.and_then(|name| crate::model::name::MigrationId::parse(name).ok());
    id.is_some_and(|id| id.is_called(wanted))
}
