//! What goes wrong, in the form that people and exit codes need.

use std::fmt;

/// What kind of failure it is: each kind has an exit code of its own (`zdm --help` lists them).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The database or the machine said no (exit code 1).
    Failed,
    /// Wrong usage, configuration or migration files; nothing was touched (2).
    Usage,
    /// Lint findings at or above the failing severity (3).
    Findings,
    /// A gate is blocked; nothing changed (4).
    Blocked,
    /// A gate could not see, so it refused (5).
    Unknown,
    /// Another run, or a lock that could not be had in time (6).
    Busy,
    /// A sealed step was edited, the schema is not what the journal says, or the database is a copy (7).
    Drift,
    /// SIGINT, after a clean checkpoint (130).
    Interrupted,
    /// SIGTERM, after a clean checkpoint (143).
    Terminated,
}

/// A failure: what happened, what was changed, what was not, and what to do next.
#[derive(Debug)]
pub struct Error {
    pub(crate) kind: ErrorKind,
    pub(crate) message: String,
    pub(crate) detail: Vec<String>,
    pub(crate) done: Vec<String>,
    pub(crate) not_done: Vec<String>,
    pub(crate) hint: Option<String>,
    pub(crate) retry_after: Option<std::time::Duration>,
    pub(crate) needs_a_person: bool,
    pub(crate) source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// A failure of a kind, in a short sentence without capital and full stop, tables by name.
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            detail: Vec::new(),
            done: Vec::new(),
            not_done: Vec::new(),
            hint: None,
            retry_after: None,
            needs_a_person: false,
            source: None,
        }
    }

    /// Wrong usage, configuration or files.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    /// What to do next, as a sentence.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A line of detail.
    #[must_use]
    pub(crate) fn detail(mut self, line: impl Into<String>) -> Self {
        self.detail.push(line.into());
        self
    }

    /// The failure below it.
    #[must_use]
    pub(crate) fn caused_by(
        mut self,
        source: impl std::error::Error + Send + Sync + 'static,
    ) -> Self {
        self.source = Some(Box::new(source));
        self
    }

    /// Waiting does not help: somebody must do what the hint says.
    #[must_use]
    pub(crate) fn until_somebody_acts(mut self) -> Self {
        self.needs_a_person = true;
        self
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What was done before it, one line each.
    pub fn done(&self) -> &[String] {
        &self.done
    }

    /// What was not done because of it, one line each.
    pub fn not_done(&self) -> &[String] {
        &self.not_done
    }

    /// Whether the same command may succeed later without anybody changing anything.
    pub fn is_retryable(&self) -> bool {
        match self.kind {
            ErrorKind::Blocked
            | ErrorKind::Busy
            | ErrorKind::Interrupted
            | ErrorKind::Terminated => !self.needs_a_person,
            ErrorKind::Failed
            | ErrorKind::Usage
            | ErrorKind::Findings
            | ErrorKind::Unknown
            | ErrorKind::Drift => false,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn std::error::Error + 'static))
    }
}
