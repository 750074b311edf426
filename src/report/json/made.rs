//! Files that were made, for programs.

use schemars::JsonSchema;
use serde::Serialize;

use super::FORMAT;

/// What `init` and `new` write with `--format json`.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Made {
    /// Always 1.
    format: u32,
    /// The command's name.
    command: String,
    /// The migration, when one was made.
    id: Option<String>,
    /// What was written.
    files: Vec<String>,
    /// The next command to type.
    next: String,
}

/// Files that were made.
pub(crate) fn made(command: &str, id: Option<&str>, files: Vec<String>, next: &str) -> Made {
    Made {
        format: FORMAT,
        command: command.to_owned(),
        id: id.map(str::to_owned),
        files,
        next: next.to_owned(),
    }
}
