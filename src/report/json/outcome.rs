//! What came out of a run, for programs.

use schemars::JsonSchema;
use serde::Serialize;

use super::FORMAT;
use crate::engine::outcome;

/// What `expand`, `migrate`, `contract`, `purge` and `rollback` write when they end well.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Outcome {
    /// Always 1.
    format: u32,
    /// The command's name.
    command: String,
    /// How it ended.
    result: OutcomeResult,
    /// What was done, in order.
    done: Vec<Done>,
    /// Where the migrations stand that the command was about.
    states: Vec<Standing>,
    /// What people should know.
    notes: Vec<String>,
    /// Why it was blocked, one line each.
    reasons: Vec<String>,
    /// When a blocked gate is worth another try: seconds from now, when it is known.
    retry_after: Option<f64>,
    /// The next command to type.
    next: Option<String>,
}

/// How a run ended.
#[derive(Serialize, JsonSchema, Debug, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OutcomeResult {
    /// Something was done.
    Done,
    /// There was nothing to do.
    NothingToDo,
    /// A gate was blocked, and `--if-blocked skip` was given: nothing changed.
    Blocked,
}

/// A phase of a migration that was done.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Done {
    /// The migration.
    migration: String,
    /// The phase.
    phase: String,
}

/// Where a migration stands.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Standing {
    /// The migration.
    migration: String,
    /// Its state.
    state: String,
}

/// A run that ended well.
pub(crate) fn outcome(command: &str, outcome: &outcome::Outcome) -> Outcome {
    let done = outcome.done.iter().map(|(migration, phase)| Done {
        migration: migration.to_string(),
        phase: phase.to_string(),
    });
    let states = outcome.states.iter().map(|(migration, state)| Standing {
        migration: migration.to_string(),
        state: state.to_string(),
    });
    Outcome {
        format: FORMAT,
        command: command.to_owned(),
        result: if outcome.done.is_empty() {
            OutcomeResult::NothingToDo
        } else {
            OutcomeResult::Done
        },
        done: done.collect(),
        states: states.collect(),
        notes: outcome.notes.clone(),
        reasons: Vec::new(),
        retry_after: None,
        next: outcome.next.clone(),
    }
}

/// A blocked gate that was to be skipped.
pub(crate) fn blocked(command: &str, error: &crate::error::Error) -> Outcome {
    let mut reasons = vec![error.to_string()];
    reasons.extend(error.detail.iter().cloned());
    Outcome {
        format: FORMAT,
        command: command.to_owned(),
        result: OutcomeResult::Blocked,
        done: Vec::new(),
        states: Vec::new(),
        notes: Vec::new(),
        reasons,
        retry_after: error.retry_after.map(|wait| wait.as_secs_f64()),
        next: None,
    }
}
