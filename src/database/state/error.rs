//! Why the state cannot be used.

use crate::database::error::{DbError, DbErrorKind};
use crate::error::{Error, ErrorKind};

/// Why the state could not be read, made or trusted.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum StateError {
    /// The database said no.
    #[error("{0}")]
    Database(#[from] DbError),
    /// The role may not make the state.
    #[error("{0}")]
    NoRight(DbError),
    /// A newer zdm has made or upgraded it.
    #[error(
        "the state in this database was made by a newer zdm (its file {newest} is not known here)"
    )]
    Newer {
        /// The newest file that has been applied.
        newest: i64,
    },
    /// A file that was applied is not the one that this zdm has.
    #[error("the state in this database is not the one that this zdm makes: {0}")]
    Divergent(String),
    /// The database is not the one in which the state was made.
    #[error("this database is a copy: the state in it was made in another one")]
    Copy {
        /// What is different, one line each.
        differences: Vec<String>,
    },
}

impl From<StateError> for Error {
    fn from(error: StateError) -> Self {
        let message = error.to_string();
        match error {
            StateError::Database(source) => {
                let kind = match source.kind {
                    DbErrorKind::LockTimeout | DbErrorKind::Deadlock => ErrorKind::Busy,
                    _ => ErrorKind::Failed,
                };
                with_hint(Self::new(kind, message), source.hint.clone()).caused_by(source)
            }
            StateError::NoRight(source) => with_hint(
                Self::new(ErrorKind::Failed, "could not make the state of zdm in this database"),
                source.hint.clone(),
            )
            .caused_by(source),
            StateError::Newer { .. } => {
                Self::usage(message).hint("Use the newest zdm that has worked on this database.")
            }
            StateError::Divergent(_) => Self::new(ErrorKind::Drift, message)
                .hint("Use a released zdm; a released state file never changes."),
            StateError::Copy { differences } => {
                let error = Self::new(ErrorKind::Drift, message).hint(
                    "Check that the database URL is the one you meant. To let the copy live on as a database of its \
                     own: zdm doctor --apply adopt.",
                );
                differences.into_iter().fold(error, Error::detail)
            }
        }
    }
}

fn with_hint(error: Error, hint: Option<String>) -> Error {
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}
