//! A failure, for programs.

use schemars::JsonSchema;
use serde::Serialize;

use super::FORMAT;
use crate::error::{Error, ErrorKind};
use crate::report::human::failure::causes;

/// What any command writes when it does not succeed.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Failure {
    /// Always 1.
    format: u32,
    /// The command's name.
    command: String,
    /// What kind of failure.
    result: FailureResult,
    /// The exit code.
    code: u8,
    /// Whether the same command may succeed later without anybody changing anything.
    retryable: bool,
    /// When that is worth a try: seconds from now, when it is known.
    retry_after: Option<f64>,
    /// What happened.
    message: String,
    /// More about it, one line each.
    detail: Vec<String>,
    /// What was done before it, one line each.
    done: Vec<String>,
    /// What was not done because of it, one line each.
    not_done: Vec<String>,
    /// The failures below it, the nearest first.
    causes: Vec<String>,
    /// What to do.
    hint: Option<String>,
}

/// What kind of failure.
#[derive(Serialize, JsonSchema, Debug, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FailureResult {
    /// Exit code 1.
    Failed,
    /// Exit code 2.
    Usage,
    /// Exit code 3.
    Findings,
    /// Exit code 4.
    Blocked,
    /// Exit code 5.
    Unknown,
    /// Exit code 6.
    Busy,
    /// Exit code 7.
    Drift,
    /// Exit code 130.
    Interrupted,
    /// Exit code 143.
    Terminated,
}

impl From<ErrorKind> for FailureResult {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Failed => Self::Failed,
            ErrorKind::Usage => Self::Usage,
            ErrorKind::Findings => Self::Findings,
            ErrorKind::Blocked => Self::Blocked,
            ErrorKind::Unknown => Self::Unknown,
            ErrorKind::Busy => Self::Busy,
            ErrorKind::Drift => Self::Drift,
            ErrorKind::Interrupted => Self::Interrupted,
            ErrorKind::Terminated => Self::Terminated,
        }
    }
}

/// A failure of a command that ends with `code`.
pub(crate) fn failure(command: &str, error: &Error, code: u8) -> Failure {
    Failure {
        format: FORMAT,
        command: command.to_owned(),
        result: error.kind.into(),
        code,
        retryable: error.is_retryable(),
        retry_after: error.retry_after.map(|wait| wait.as_secs_f64()),
        message: error.to_string(),
        detail: error.detail.clone(),
        done: error.done.clone(),
        not_done: error.not_done.clone(),
        causes: causes(error),
        hint: error.hint.clone(),
    }
}
