//! What came out of a run, for people.

use std::fmt::Write;

use super::style::{Tone, paint};
use crate::engine::outcome::Outcome;

/// What was done, and where the migrations stand.
pub(crate) fn outcome(command: &str, outcome: &Outcome) -> String {
    let mut text = String::new();
    if outcome.done.is_empty() {
        writeln!(text, "nothing to {command}").unwrap_or_default();
    }
    for (migration, phase) in &outcome.done {
        let state = outcome.states.iter().find(|(id, _)| id == migration);
        let state = state.map(|(_, state)| format!(": {state}")).unwrap_or_default();
        let done = paint(Tone::Good, "done");
        writeln!(text, "{done} {phase} {migration}{state}").unwrap_or_default();
    }
    for note in &outcome.notes {
        writeln!(text, "{} {note}", paint(Tone::Warn, "note:")).unwrap_or_default();
    }
    text
}
