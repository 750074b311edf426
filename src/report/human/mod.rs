//! Text for people. Comes with colours, which the output takes out where nobody wants them.

pub(crate) mod backfill;
pub(crate) mod baseline;
pub(crate) mod doctor;
pub(crate) mod effect;
pub(crate) mod events;
pub(crate) mod failure;
pub(crate) mod finding;
pub(crate) mod gate;
pub(crate) mod health;
pub(crate) mod instances;
pub(crate) mod lint;
pub(crate) mod outcome;
pub(crate) mod plan;
pub(crate) mod snapshot;
pub(crate) mod status;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod time;
pub(crate) mod verified;
pub(crate) mod wait;

use style::{Tone, paint};

/// The next command to type.
pub(crate) fn next(command: &str) -> String {
    format!("\n{} {}\n", paint(Tone::Faint, "next:"), paint(Tone::Code, command))
}

/// What people should know.
pub(crate) fn note(note: &str) -> String {
    format!("{} {note}\n", paint(Tone::Warn, "note:"))
}
