//! What a baseline recorded, for programs.

use schemars::JsonSchema;
use serde::Serialize;

use super::FORMAT;
use crate::engine::commands::{Baselined, Write};

/// What `baseline` writes.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Baseline {
    /// Always 1.
    format: u32,
    /// The command's name.
    command: String,
    /// What was done.
    result: BaselineResult,
    /// The last migration that the baseline holds.
    last: String,
    /// The migrations that are recorded as done now, or would be.
    recorded: Vec<String>,
    /// Those that had been done before.
    done_before: Vec<String>,
    /// The next command to type.
    next: Option<String>,
}

/// What a baseline did.
#[derive(Serialize, JsonSchema, Debug, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BaselineResult {
    /// It recorded something.
    Done,
    /// All had been done before.
    NothingToDo,
    /// It only looked.
    DryRun,
}

/// What came out of a baseline.
pub(crate) fn baseline(baselined: &Baselined) -> Baseline {
    let names =
        |ids: &[crate::model::name::MigrationId]| ids.iter().map(ToString::to_string).collect();
    Baseline {
        format: FORMAT,
        command: "baseline".to_owned(),
        result: match baselined.write {
            Write::DryRun => BaselineResult::DryRun,
            Write::Record if baselined.recorded.is_empty() => BaselineResult::NothingToDo,
            Write::Record => BaselineResult::Done,
        },
        last: baselined.last.to_string(),
        recorded: names(&baselined.recorded),
        done_before: names(&baselined.done_before),
        next: baselined.next.clone(),
    }
}
