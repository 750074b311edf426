//! What backfills were asked to do, and the rows that they left out.

use std::fmt::Write;

use super::style::{Tone, paint};
use crate::database::state::parked::Parked;
use crate::engine::commands::Steered;

/// What holds from now on.
pub(crate) fn steered(steered: &Steered) -> String {
    let (id, steering) = (&steered.migration, &steered.steering);
    let word = match &steering.paused_by {
        Some(who) => paint(Tone::Warn, format!("paused by {who}")),
        None => paint(Tone::Good, "may run"),
    };
    format!("backfills of {id}: {word}; pace: {steering}\n")
}

/// The rows, one a line.
pub(crate) fn parked(rows: &[Parked]) -> String {
    if rows.is_empty() {
        return "no row was left out\n".to_owned();
    }
    let mut text = String::new();
    for row in rows {
        let key = row.key.join(", ");
        writeln!(text, "{} {} ({key}): {}", row.migration, row.step, row.error).unwrap_or_default();
    }
    text
}
