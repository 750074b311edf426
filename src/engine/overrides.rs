//! Refusals that a person overrides by name, one at a time, with a reason.

use super::job::Job;
use crate::database::state::events::{Actor, NewEvent, append_event};
use crate::error::Error;
use crate::model::name::MigrationId;
use crate::plan::gate::source_names;

/// Lets a statement of unknown fate run (again).
pub(crate) const REPEAT: &str = "repeat";

/// Lets purge drop what has not been kept for long enough.
pub(crate) const KEEP_FOR: &str = "keep_for";

/// Whether a refusal is overridden.
pub(crate) fn has(job: &Job, name: &str) -> bool {
    job.overrides.iter().any(|(found, _)| found == name)
}

/// Refuses names that are none.
pub(crate) fn check(job: &Job) -> Result<(), Error> {
    let known: Vec<_> = source_names().into_iter().chain([KEEP_FOR, REPEAT]).collect();
    match job.overrides.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some((name, _)) => Err(Error::usage(format!("cannot override \"{name}\""))
            .hint(format!("What can be overridden: {}. Nothing was changed.", known.join(", ")))),
    }
}

/// The job as the gate wants it: with the overrides of its own sources alone.
pub(crate) fn for_gate(job: &Job) -> Job {
    let mut job = job.clone();
    job.overrides.retain(|(name, _)| source_names().contains(&name.as_str()));
    job
}

/// Records the use of an override.
pub(crate) async fn record(
    conn: &mut crate::database::connection::Connection,
    job: &Job,
    name: &str,
    migration: &MigrationId,
) -> Result<(), Error> {
    for (_, reason) in job.overrides.iter().filter(|(found, _)| found == name) {
        let message = format!("{name} was overridden: {reason}");
        let (migration, kind) = (Some(migration), "overridden");
        let event = NewEvent { migration, kind, message: &message, detail: None };
        let written = append_event(conn, &Actor::here(), &event).await;
        written.map_err(|error| super::failure::working("record the override", error))?;
    }
    Ok(())
}
