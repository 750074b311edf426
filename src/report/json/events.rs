//! What happened, for programs.

use schemars::JsonSchema;
use serde::Serialize;

use super::FORMAT;
use crate::database::state::events::StoredEvent;
use crate::report::human::time::instant;

/// What `events --format json` writes.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the keys of the format")]
pub(crate) struct Events {
    /// Always 1.
    format: u32,
    /// The command's name.
    command: String,
    /// The oldest first.
    events: Vec<Event>,
}

/// Something that happened.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Event {
    /// Its number: a later one has a higher one.
    id: i64,
    /// When, on the database's clock.
    at: String,
    /// Who.
    actor: String,
    /// From which host.
    host: String,
    /// With which zdm.
    version: String,
    /// About which migration.
    migration: Option<String>,
    /// What kind of event.
    kind: String,
    /// What happened.
    message: String,
    /// More about it.
    detail: Option<String>,
}

/// Events.
pub(crate) fn events(events: &[StoredEvent]) -> Events {
    let event = |event: &StoredEvent| Event {
        id: event.id,
        at: instant(event.at),
        actor: event.actor.clone(),
        host: event.host.clone(),
        version: event.version.clone(),
        migration: event.migration.clone(),
        kind: event.kind.clone(),
        message: event.message.clone(),
        detail: event.detail.clone(),
    };
    Events {
        format: FORMAT,
        command: "events".to_owned(),
        events: events.iter().map(event).collect(),
    }
}
