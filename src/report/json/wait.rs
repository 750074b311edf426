//! What was waited for, for programs.

use schemars::JsonSchema;
use serde::Serialize;

use super::FORMAT;
use super::instances::{Need, need};
use crate::model::lease;

/// What `wait --format json` writes.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Waited {
    /// Always 1.
    format: u32,
    /// The command's name.
    command: String,
    /// How far the migrations are, at least.
    reached: Vec<Need>,
}

/// Everything is as far as it is needed.
pub(crate) fn reached(needs: &[lease::Need]) -> Waited {
    Waited { format: FORMAT, command: "wait".to_owned(), reached: needs.iter().map(need).collect() }
}
