//! A statement, what it does, what it costs, and what the rules say.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Serialize;

use super::change::Change;
use crate::lint::finding;
use crate::model::phase::Phase;
use crate::sql::effect::{self, Blocks};
use crate::sql::estimate;
use crate::sql::span::Span;

/// A statement.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Statement<'a> {
    /// The file that it stands in; null: zdm wrote it.
    file: Option<&'a str>,
    /// 1-based line of its beginning.
    line: Option<usize>,
    /// 1-based column of its beginning, in characters.
    column: Option<usize>,
    /// The phase in which it runs.
    phase: &'static str,
    /// Its text.
    sql: &'a str,
    /// What it does.
    changes: Cow<'a, [Change]>,
    /// What it costs.
    effect: Effect,
    /// How long it is likely to take; null: not known, or an instant whatever the size of its tables.
    estimate: Option<Estimate>,
    /// What the rules say.
    findings: Vec<Finding<'a>>,
}

/// How long a statement is likely to take: an order of magnitude, from the sizes of its tables and measured rates.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Estimate {
    /// At the rates that were measured (docs/estimates.md).
    seconds: f64,
    /// On a faster machine, with everything in memory.
    seconds_low: f64,
    /// On a slower disk, or beside much other work.
    seconds_high: f64,
    /// Bytes that it reads or writes.
    bytes: u64,
    /// Rows of its tables, as far as the server's statistics know.
    rows: Option<u64>,
}

/// What a statement costs.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Effect {
    /// Whether it is understood; if not, the rest is the worst case.
    known: bool,
    /// Each existing table once, with the strongest lock.
    locks: Vec<Lock>,
    /// What other clients cannot do meanwhile.
    blocks: BlocksWord,
    /// Tables that are written anew.
    rewrites: Vec<String>,
    /// Tables that are read from end to end.
    scans: Vec<String>,
    /// The best algorithm that the server grants (MySQL, MariaDB): INSTANT, NOCOPY, INPLACE, COPY or FAILS.
    algorithm: Option<String>,
}

/// A lock on a table.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lock {
    /// The table.
    table: String,
    /// As `pg_locks` writes it; NONE, SHARED or EXCLUSIVE on MySQL and MariaDB.
    mode: String,
}

/// What other clients cannot do meanwhile.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BlocksWord {
    /// Nothing.
    Nothing,
    /// Other schema changes.
    Ddl,
    /// Writes.
    Writes,
    /// Reads and writes.
    ReadsAndWrites,
}

/// What a rule says.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Finding<'a> {
    /// The rule's id.
    rule: &'static str,
    /// How bad it is.
    severity: SeverityWord,
    /// What is wrong.
    message: &'a str,
    /// What to do instead.
    help: &'a str,
    /// 1-based line of the clause.
    line: usize,
    /// 1-based column of the clause, in characters.
    column: usize,
    /// 1-based line of its end.
    end_line: usize,
    /// 1-based column behind its end.
    end_column: usize,
    /// A change that makes it go away.
    fix: Option<Fix<'a>>,
}

/// How bad a finding is.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SeverityWord {
    /// Worth knowing.
    Info,
    /// Worth changing.
    Warning,
    /// In the way.
    Error,
}

/// A change to the file.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Fix<'a> {
    /// Put a text in the place of another.
    Edit {
        /// First byte of the old text.
        start: usize,
        /// Byte behind its last.
        end: usize,
        /// The new text.
        text: &'a str,
    },
    /// Delete the statement and declare this in migration.toml.
    Operation {
        /// The declaration.
        toml: &'a str,
    },
}

/// A statement's parts, as every layer below has them.
#[derive(Debug)]
pub(crate) struct Parts<'a> {
    /// File and span; none: zdm wrote it.
    pub(crate) place: Option<(&'a str, Span)>,
    /// The phase in which it runs.
    pub(crate) phase: Phase,
    /// Its text.
    pub(crate) sql: &'a str,
    /// What it does.
    pub(crate) changes: Cow<'a, [Change]>,
    /// What it costs.
    pub(crate) effect: &'a effect::Effect,
    /// How long that takes.
    pub(crate) estimate: Option<estimate::Estimate>,
    /// What the rules say.
    pub(crate) findings: &'a [finding::Finding],
}

impl<'a> From<Parts<'a>> for Statement<'a> {
    fn from(parts: Parts<'a>) -> Self {
        Self {
            file: parts.place.map(|(path, _)| path),
            line: parts.place.map(|(_, span)| span.line),
            column: parts.place.map(|(_, span)| span.column),
            phase: parts.phase.as_str(),
            sql: parts.sql,
            changes: parts.changes,
            effect: parts.effect.into(),
            estimate: parts.estimate.map(Estimate::from),
            findings: parts.findings.iter().map(Finding::from).collect(),
        }
    }
}

impl From<estimate::Estimate> for Estimate {
    fn from(estimate: estimate::Estimate) -> Self {
        let estimate::Estimate { typical, shortest, longest, bytes, rows } = estimate;
        Self {
            seconds: typical.as_secs_f64(),
            seconds_low: shortest.as_secs_f64(),
            seconds_high: longest.as_secs_f64(),
            bytes,
            rows,
        }
    }
}

impl Lock {
    /// A lock on a table.
    pub(super) fn new(table: String, mode: &str) -> Self {
        Self { table, mode: mode.to_owned() }
    }
}

impl From<&effect::Effect> for Effect {
    fn from(effect: &effect::Effect) -> Self {
        let names = |tables: &[crate::model::name::TableName]| {
            tables.iter().map(ToString::to_string).collect()
        };
        let lock =
            |lock: &effect::Lock| Lock { table: lock.table.to_string(), mode: lock.mode.clone() };
        Self {
            known: effect.known,
            locks: effect.locks.iter().map(lock).collect(),
            blocks: match effect.blocks {
                Blocks::Nothing => BlocksWord::Nothing,
                Blocks::Ddl => BlocksWord::Ddl,
                Blocks::Writes => BlocksWord::Writes,
                Blocks::ReadsAndWrites => BlocksWord::ReadsAndWrites,
            },
            rewrites: names(&effect.rewrites),
            scans: names(&effect.scans),
            algorithm: effect.algorithm.map(|algorithm| algorithm.as_str().to_owned()),
        }
    }
}

impl From<finding::Severity> for SeverityWord {
    fn from(severity: finding::Severity) -> Self {
        match severity {
            finding::Severity::Info => Self::Info,
            finding::Severity::Warning => Self::Warning,
            finding::Severity::Error => Self::Error,
        }
    }
}

impl<'a> From<&'a finding::Finding> for Finding<'a> {
    fn from(finding: &'a finding::Finding) -> Self {
        Self {
            rule: finding.rule,
            severity: finding.severity.into(),
            message: &finding.message,
            help: &finding.help,
            line: finding.span.line,
            column: finding.span.column,
            end_line: finding.span.end_line,
            end_column: finding.span.end_column,
            fix: finding.fix.as_ref().map(|fix| match fix {
                finding::Fix::Edit { span, text } => {
                    Fix::Edit { start: span.start, end: span.end, text }
                }
                finding::Fix::Operation { toml } => Fix::Operation { toml },
            }),
        }
    }
}
