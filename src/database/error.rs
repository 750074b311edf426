//! What a database said, in the words that both families share.

use std::fmt;

/// What kind of "no" a database gave: what the engine decides by. Codes stay in the adapters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum DbErrorKind {
    /// No server answered at the address, or it does not take connections.
    Unreachable,
    /// The URL is not one, or asks for what zdm cannot do.
    InvalidUrl,
    /// Wrong user or password, no such database, or no right to log in.
    Refused,
    /// The connection ended in the middle.
    Lost,
    /// The role lacks a right.
    Permission,
    /// The server is a standby, or set to read only.
    ReadOnly,
    /// A lock could not be had within the limit that zdm set.
    LockTimeout,
    /// The server chose this transaction to end a deadlock.
    Deadlock,
    /// The transaction could not be serialised with others.
    Serialization,
    /// The statement was cancelled, by zdm or a timeout.
    Cancelled,
    /// A table, column, function or index that is not there.
    Undefined,
    /// Something that is there already.
    Duplicate,
    /// A row breaks a constraint, or a value does not fit.
    Data,
    /// The server does not understand the statement.
    Syntax,
    /// The server refuses the asserted ALGORITHM or LOCK.
    Unsupported,
    /// Anything else.
    Other,
}

impl DbErrorKind {
    /// Whether it may go away by itself: a server that starts, a fail-over, a lock.
    pub(crate) fn may_pass(self) -> bool {
        !matches!(
            self,
            Self::InvalidUrl | Self::Refused | Self::Syntax | Self::Data | Self::Unsupported
        )
    }
}

/// What a database, or the way to it, said. Never holds a password.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct DbError {
    /// What kind of "no".
    pub(crate) kind: DbErrorKind,
    /// SQLSTATE (PostgreSQL) or the error number (MySQL, MariaDB), when the server gave one.
    pub(crate) code: Option<String>,
    /// The server's own message, or the driver's.
    pub(crate) message: String,
    /// The server's detail, when there is one.
    pub(crate) detail: Option<String>,
    /// The server's hint, when there is one.
    pub(crate) hint: Option<String>,
}

impl DbError {
    /// An error without a server's code.
    pub(crate) fn new(kind: DbErrorKind, message: impl Into<String>) -> Self {
        Self { kind, code: None, message: message.into(), detail: None, hint: None }
    }
}

impl fmt::Display for DbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(code) = &self.code {
            write!(f, " ({code})")?;
        }
        if let Some(detail) = &self.detail {
            write!(f, ": {detail}")?;
        }
        Ok(())
    }
}

impl std::error::Error for DbError {}
