//! What a database's "no" means for a run, in words.

use super::gate::Unconfirmed;
use crate::database::error::{DbError, DbErrorKind};
use crate::database::state::run_lock::LOST;
use crate::database::target::Target;
use crate::error::{Error, ErrorKind};

/// A connection that could not be made.
pub(crate) fn connecting(target: &Target, error: DbError) -> Error {
    if is_poolers(&error) {
        return pooled();
    }
    let url = &target.url;
    let (kind, message, hint) = match error.kind {
        DbErrorKind::Unreachable => (
            ErrorKind::Failed,
            format!("could not reach the database server at {url}"),
            "Check that the server runs, and that host and port are right.",
        ),
        DbErrorKind::InvalidUrl => (
            ErrorKind::Usage,
            format!("cannot use the database URL {url}"),
            "A URL looks like postgres://user:password@host:5432/database or mysql://user:password@host:3306/database.",
        ),
        DbErrorKind::Refused => (
            ErrorKind::Failed,
            format!("could not log in to {url}"),
            "Check the user, the password and the name of the database.",
        ),
        DbErrorKind::Permission => (
            ErrorKind::Failed,
            format!("could not set up the connection to {url}: a right is missing"),
            "Grant the right that the server names, or set [database] role to one that the user may take.",
        ),
        DbErrorKind::Unsupported => (
            ErrorKind::Usage,
            format!("cannot work with the server at {url}"),
            "PostgreSQL 13, MySQL 8.0 and MariaDB 10.6, and newer ones, are supported.",
        ),
        DbErrorKind::ReadOnly => return read_only(&url.to_string()).caused_by(error),
        DbErrorKind::Lost
        | DbErrorKind::LockTimeout
        | DbErrorKind::Deadlock
        | DbErrorKind::Serialization
        | DbErrorKind::Cancelled
        | DbErrorKind::Undefined
        | DbErrorKind::Duplicate
        | DbErrorKind::Data
        | DbErrorKind::Syntax
        | DbErrorKind::Other => (
            ErrorKind::Failed,
            format!("could not set up the connection to {url}"),
            "Look at the server's log for its reason.",
        ),
    };
    Error::new(kind, message).hint(hint).caused_by(error)
}

/// What a transaction pooler makes of prepared statements: they are another connection's by the next statement.
fn is_poolers(error: &DbError) -> bool {
    // invalid_sql_statement_name, duplicate_prepared_statement
    error.code.as_deref().is_some_and(|code| matches!(code, "26000" | "42P05"))
}

/// A transaction pooler: there the session's settings and locks are somebody else's by the next statement.
pub(crate) fn pooled() -> Error {
    Error::usage("cannot work through a transaction pooler")
        .detail("the address leads to other sessions of the server from one statement to the next")
        .hint("Give the address of the server itself: [database] direct_url, or --database-url. Nothing was changed.")
}

/// A server that takes no writes.
pub(crate) fn read_only(server: &str) -> Error {
    Error::new(ErrorKind::Failed, format!("the server at {server} is read-only"))
        .hint("It is a standby, or set to read only. Give the address of the primary. Nothing was changed.")
}

/// A "no" in the middle of work: `doing` completes "could not".
pub(crate) fn working(doing: &str, error: DbError) -> Error {
    if is_poolers(&error) {
        return pooled();
    }
    if error.code.as_deref() == Some(LOST) {
        return Error::new(ErrorKind::Busy, format!("could not {doing}: another run took over"))
            .hint("This one had stopped for too long, and wrote nothing after that. zdm status shows who is at work.");
    }
    let (kind, hint) = match error.kind {
        DbErrorKind::Unreachable | DbErrorKind::Lost => (
            ErrorKind::Failed,
            "What was done is recorded. Run the same command again when the server is back.",
        ),
        DbErrorKind::Permission => (
            ErrorKind::Failed,
            "Grant the right that the server names to the user of the database URL (or to [database] role), then run the same command again.",
        ),
        DbErrorKind::ReadOnly => (
            ErrorKind::Failed,
            "The server has become read-only: give the address of the primary, then run the same command again.",
        ),
        DbErrorKind::LockTimeout | DbErrorKind::Deadlock | DbErrorKind::Serialization => {
            (ErrorKind::Busy, "Others were in the way. Run the same command again.")
        }
        DbErrorKind::Syntax | DbErrorKind::Undefined | DbErrorKind::Duplicate => (
            ErrorKind::Failed,
            "Correct the migration's file (what has not run may be edited), then run the same command again.",
        ),
        DbErrorKind::Data => (
            ErrorKind::Failed,
            "Correct the rows, or the migration's file, then run the same command again.",
        ),
        DbErrorKind::Unsupported => (
            ErrorKind::Failed,
            "The server does not offer this without a copy of the table or a long lock. Choose another way for the change.",
        ),
        DbErrorKind::InvalidUrl
        | DbErrorKind::Refused
        | DbErrorKind::Cancelled
        | DbErrorKind::Other => (
            ErrorKind::Failed,
            "What was done is recorded. Run the same command again to go on from there.",
        ),
    };
    let hint = match &error.hint {
        Some(own) => format!("{}. {hint}", own.trim_end_matches('.')),
        None => hint.to_owned(),
    };
    Error::new(kind, format!("could not {doing}")).hint(hint).caused_by(error)
}

/// Why an attempt ended: what the database said, which another attempt may overcome, or an error for the user.
#[derive(Debug)]
pub(crate) enum Halt {
    /// The database said no.
    Database(DbError),
    /// There is nothing more to try.
    Final(Box<Error>),
}

impl From<DbError> for Halt {
    fn from(error: DbError) -> Self {
        Self::Database(error)
    }
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Final(Box::new(error))
    }
}

impl From<Unconfirmed> for Halt {
    fn from(unconfirmed: Unconfirmed) -> Self {
        match unconfirmed {
            Unconfirmed::Database(error) => Self::Database(error),
            Unconfirmed::Refused(error) => Self::Final(error),
        }
    }
}

impl Halt {
    /// The error for the user: `doing` completes "could not".
    pub(crate) fn into_error(self, doing: &str) -> Error {
        match self {
            Self::Database(error) => working(doing, error),
            Self::Final(error) => *error,
        }
    }
}

/// Whether the same attempt may succeed when others have got out of the way.
pub(crate) fn is_in_the_way(kind: DbErrorKind) -> bool {
    matches!(kind, DbErrorKind::LockTimeout | DbErrorKind::Deadlock | DbErrorKind::Serialization)
}

/// What kind of "no" of a database is behind an error.
pub(crate) fn kind_below(error: &Error) -> Option<DbErrorKind> {
    let source = error.source.as_ref().and_then(|source| source.downcast_ref::<DbError>());
    source.map(|source| source.kind)
}

/// Whether an error is that of a connection that has gone.
pub(crate) fn lost_connection(error: &Error) -> bool {
    kind_below(error).is_some_and(is_lost)
}

/// Whether the connection has gone.
pub(crate) fn is_lost(kind: DbErrorKind) -> bool {
    matches!(kind, DbErrorKind::Lost | DbErrorKind::Unreachable)
}
