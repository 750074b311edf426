//! What backfills were asked to do, and the rows that they left out, for programs.

use schemars::JsonSchema;
use serde::Serialize;

use super::FORMAT;
use crate::engine::commands;

/// What `backfill pause`, `resume` and `set` write with `--format json`.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Steered {
    /// Always 1.
    format: u32,
    /// The command's name.
    command: String,
    /// The migration.
    migration: String,
    /// Who has paused it, if somebody has.
    paused_by: Option<String>,
    /// The share of the time in which batches run, in percent; null: as configured.
    share: Option<u8>,
    /// The largest batch; null: as configured.
    max_rows: Option<u32>,
    /// How long a batch should take, in milliseconds; null: as configured.
    batch_time_ms: Option<u64>,
}

/// What `backfill parked` writes with `--format json`.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct ParkedRows {
    /// Always 1.
    format: u32,
    /// The command's name.
    command: String,
    /// The rows.
    parked: Vec<ParkedRow>,
}

/// A row that a backfill left out.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct ParkedRow {
    /// The migration.
    migration: String,
    /// The step.
    step: String,
    /// The values of the row's key.
    key: Vec<String>,
    /// What the database said.
    error: String,
}

/// What holds from now on.
pub(crate) fn steered(steered: &commands::Steered) -> Steered {
    let steering = &steered.steering;
    let millis = |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    Steered {
        format: FORMAT,
        command: "backfill".to_owned(),
        migration: steered.migration.to_string(),
        paused_by: steering.paused_by.clone(),
        share: steering.share,
        max_rows: steering.max_rows,
        batch_time_ms: steering.batch_time.map(millis),
    }
}

/// The rows.
pub(crate) fn parked(rows: &[crate::database::state::parked::Parked]) -> ParkedRows {
    let row = |row: &crate::database::state::parked::Parked| ParkedRow {
        migration: row.migration.clone(),
        step: row.step.clone(),
        key: row.key.clone(),
        error: row.error.clone(),
    };
    let parked = rows.iter().map(row).collect();
    ParkedRows { format: FORMAT, command: "backfill".to_owned(), parked }
}
