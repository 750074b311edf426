//! What a rule reports.

use crate::sql::span::Span;

/// How bad a finding is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Severity {
    /// Worth knowing.
    Info,
    /// Worth changing.
    Warning,
    /// It breaks a running build, or blocks other clients for as long as a table is long: `expand` refuses it.
    Error,
}

/// What a rule reports about a clause.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Finding {
    /// The rule's id: `index-not-concurrent`.
    pub(crate) rule: &'static str,
    /// How bad it is, after `[lint.rules]`.
    pub(crate) severity: Severity,
    /// What is wrong, with the table by name, and what a lock means in plain words.
    pub(crate) message: String,
    /// What to do instead: one imperative sentence.
    pub(crate) help: String,
    /// The clause in the file.
    pub(crate) span: Span,
    /// A text that can stand in its place.
    pub(crate) fix: Option<Fix>,
}

/// A change to the file that makes the finding go away.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Fix {
    /// Put `text` in the place of `span`.
    Edit { span: Span, text: String },
    /// Delete the statement and declare this in migration.toml.
    Operation { toml: String },
}
