//! JSON: one object with `"format": 1`, documented by docs/zdm.schema.json.

use std::io::{self, Write};

use serde::Serialize;

pub(crate) mod backfill;
pub(crate) mod baseline;
pub(crate) mod change;
pub(crate) mod doctor;
pub(crate) mod events;
pub(crate) mod failure;
pub(crate) mod gate;
pub(crate) mod health;
pub(crate) mod instances;
pub(crate) mod lint;
pub(crate) mod made;
pub(crate) mod manifest;
pub(crate) mod outcome;
pub(crate) mod plan;
pub(crate) mod rules;
#[cfg(test)]
mod schema;
pub(crate) mod statement;
pub(crate) mod status;
pub(crate) mod verified;
pub(crate) mod wait;

/// The number of the format: it changes when a reader of the old one would be misled.
pub(crate) const FORMAT: u32 = 1;

/// Writes an object, with a newline behind it.
pub(crate) fn write<T: Serialize>(value: &T, mut to: impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut to, value)?;
    to.write_all(b"\n")
}

/// An object as text, with a newline behind it.
pub(crate) fn render<T: Serialize>(value: &T) -> String {
    // Serialising plain structs of strings, numbers and lists cannot fail.
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}
