//! PostgreSQL's "no", by SQLSTATE.

use std::error::Error as _;

use tokio_postgres::Error;

use crate::database::error::{DbError, DbErrorKind};

const VALUE: &str = "22";
const CONSTRAINT: &str = "23";
const WITH_CHECK_OPTION: &str = "44000";
const RAISED_BY_A_FUNCTION: &str = "P0001";
const CONNECTION: &str = "08";
const LOGIN: &str = "28";
const NO_SUCH_DATABASE: &str = "3D000";
const NO_RIGHT: &str = "42501";
const READ_ONLY: &str = "25006";
const LOCK_NOT_AVAILABLE: &str = "55P03";
const DEADLOCK: &str = "40P01";
const SERIALIZATION: &str = "40001";
const CANCELLED: &str = "57014";
const SHUT_DOWN: [&str; 3] = ["57P01", "57P02", "57P05"];
const IDLE_IN_TRANSACTION: [&str; 2] = ["25P03", "25P04"];
const CANNOT_CONNECT_NOW: &str = "57P03";
const TOO_MANY_CONNECTIONS: &str = "53300";
const UNDEFINED: [&str; 7] = ["42P01", "42703", "42883", "42704", "3F000", "42P02", "3D000"];
const DUPLICATE: [&str; 6] = ["42P07", "42701", "42710", "42P06", "42723", "42P04"];
const SYNTAX: &str = "42601";

/// When an error came.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// While the connection was made.
    Opening,
    /// After.
    Using,
}

/// What the driver says, in the words that both families share.
pub(super) fn translate(error: &Error, when: When) -> DbError {
    let Some(server) = error.as_db_error() else {
        return DbError::new(without_code(error, when), chain(error));
    };
    let code = server.code().code();
    DbError {
        kind: kind(code, when),
        code: Some(code.to_owned()),
        message: server.message().to_owned(),
        detail: server.detail().map(str::to_owned),
        hint: server.hint().map(str::to_owned),
    }
}

fn kind(code: &str, when: When) -> DbErrorKind {
    let opening = when == When::Opening;
    match code {
        CANNOT_CONNECT_NOW | TOO_MANY_CONNECTIONS => DbErrorKind::Unreachable,
        NO_SUCH_DATABASE | NO_RIGHT if opening => DbErrorKind::Refused,
        NO_RIGHT => DbErrorKind::Permission,
        READ_ONLY => DbErrorKind::ReadOnly,
        LOCK_NOT_AVAILABLE => DbErrorKind::LockTimeout,
        DEADLOCK => DbErrorKind::Deadlock,
        SERIALIZATION => DbErrorKind::Serialization,
        CANCELLED => DbErrorKind::Cancelled,
        SYNTAX => DbErrorKind::Syntax,
        WITH_CHECK_OPTION | RAISED_BY_A_FUNCTION => DbErrorKind::Data,
        code if SHUT_DOWN.contains(&code) || IDLE_IN_TRANSACTION.contains(&code) => {
            DbErrorKind::Lost
        }
        code if UNDEFINED.contains(&code) => DbErrorKind::Undefined,
        code if DUPLICATE.contains(&code) => DbErrorKind::Duplicate,
        code if code.starts_with(LOGIN) => DbErrorKind::Refused,
        code if code.starts_with(CONNECTION) && opening => DbErrorKind::Unreachable,
        code if code.starts_with(CONNECTION) => DbErrorKind::Lost,
        // What `set_config` says of a role that is not there, among others.
        code if code.starts_with(VALUE) && opening => DbErrorKind::Refused,
        code if code.starts_with(VALUE) || code.starts_with(CONSTRAINT) => DbErrorKind::Data,
        _ => DbErrorKind::Other,
    }
}

/// The driver keeps its kinds to itself; what it says without a server's code is about the way to it, or about values.
fn without_code(error: &Error, when: When) -> DbErrorKind {
    let io = error.source().is_some_and(<dyn std::error::Error>::is::<std::io::Error>);
    match when {
        When::Opening if error.to_string().contains("configuration") => DbErrorKind::InvalidUrl,
        When::Opening if error.to_string().contains("authentication") => DbErrorKind::Refused,
        When::Opening => DbErrorKind::Unreachable,
        When::Using if error.is_closed() || io => DbErrorKind::Lost,
        When::Using => DbErrorKind::Other,
    }
}

/// The driver's `Display` leaves out the cause.
fn chain(error: &Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let text = next.to_string();
        if !message.contains(&text) {
            message.push_str(": ");
            message.push_str(&text);
        }
        cause = next.source();
    }
    message
}
