//! What the rules say about files, for programs.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use super::FORMAT;
use super::statement::{Parts, Statement};
use crate::lint::finding::Severity;
use crate::report::linted::LintedFile;

/// What `lint --format json` writes.
// Its files and statements are made when they are written, so that thousands do not stand in memory at once.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lint<'a> {
    /// Always 1.
    format: u32,
    /// The command's name.
    command: String,
    /// Whether a finding is as bad as `--fail-on` says: then the exit code is 3; whether a file is no text: then it is 2.
    result: LintResult,
    /// In the order in which they were judged.
    #[serde(serialize_with = "one_by_one")]
    #[schemars(with = "Vec<File<'a>>")]
    files: &'a [LintedFile],
    /// Everything counted.
    summary: Summary,
}

/// What came of it.
#[derive(Serialize, JsonSchema, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LintResult {
    /// No finding is as bad as `--fail-on` says.
    Done,
    /// One is.
    Findings,
    /// A file is no text: the exit code is 2, whatever was found in the others.
    Unread,
}

/// A file.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct File<'a> {
    /// Its path.
    file: &'a str,
    /// Its statements.
    #[schemars(with = "Vec<Statement<'a>>")]
    statements: Statements<'a>,
}

/// A file's statements.
#[derive(Debug)]
struct Statements<'a>(&'a LintedFile);

/// Everything counted.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Summary {
    /// Files.
    files: usize,
    /// Statements.
    statements: usize,
    /// Findings that are errors.
    errors: usize,
    /// Findings that are warnings.
    warnings: usize,
    /// Findings that are remarks.
    infos: usize,
}

fn one_by_one<S: Serializer>(files: &&[LintedFile], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(
        files.iter().map(|file| File { file: &file.path, statements: Statements(file) }),
    )
}

impl Serialize for Statements<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let file = self.0;
        serializer.collect_seq(file.statements.iter().map(|statement| {
            Statement::from(Parts {
                place: Some((&file.path, statement.span)),
                phase: file.phase,
                sql: file.sql(statement),
                changes: Cow::Borrowed(&statement.changes),
                effect: &statement.effect,
                estimate: statement.estimate.as_deref().copied(),
                findings: &statement.findings,
            })
        }))
    }
}

/// Files that were judged.
pub(crate) fn lint(files: &[LintedFile], result: LintResult) -> Lint<'_> {
    let count = |severity: Severity| {
        let findings = files.iter().flat_map(LintedFile::findings);
        findings.filter(|finding| finding.severity == severity).count()
    };
    Lint {
        format: FORMAT,
        command: "lint".to_owned(),
        result,
        files,
        summary: Summary {
            files: files.len(),
            statements: files.iter().map(LintedFile::count).sum(),
            errors: count(Severity::Error),
            warnings: count(Severity::Warning),
            infos: count(Severity::Info),
        },
    }
}
