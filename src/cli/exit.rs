//! Exit codes: one kind of failure, one code.
#![warn(clippy::wildcard_enum_match_arm)]

use crate::error::ErrorKind;

/// The exit code of a kind of failure.
pub(crate) fn code(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::Failed => 1,
        ErrorKind::Usage => 2,
        ErrorKind::Findings => 3,
        ErrorKind::Blocked => 4,
        ErrorKind::Unknown => 5,
        ErrorKind::Busy => 6,
        ErrorKind::Drift => 7,
        ErrorKind::Interrupted => 130,
        ErrorKind::Terminated => 143,
    }
}
