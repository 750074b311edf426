//! What is said of a migration as a whole: its migration.toml, and which files it has.

use std::collections::BTreeMap;
use std::time::Duration;

use super::ask::{Check, Report};
use super::finding::{Finding, Severity};
use super::{LintedStatement, judge, rules};
use crate::model::phase::Phase;
use crate::model::server::Engine;
use crate::model::state::State;
use crate::sql::span::{Places, Span};
use crate::sql::split::Directive;

/// A migration as its folder has it.
#[derive(Debug)]
pub(crate) struct MigrationFacts<'a> {
    /// The folder's name.
    pub(crate) id: &'a str,
    /// The text of migration.toml; empty if there is none.
    pub(crate) declaration: &'a str,
    /// The phases that have a file of statements.
    pub(crate) files: &'a [Phase],
    /// The services that zdm.toml knows.
    pub(crate) services: &'a [&'a str],
    /// For which database.
    pub(crate) engine: Engine,
    /// `[lint.rules]`.
    pub(crate) rules: &'a BTreeMap<String, Option<Severity>>,
    /// Where it stands.
    pub(crate) state: State,
    /// For how long; none: nobody knows.
    pub(crate) open: Option<Duration>,
    /// For how long it may, when `[lint] open_for` says so.
    pub(crate) limit: Option<Duration>,
}

/// What a rule is asked about: a migration, its declaration read.
#[derive(Debug)]
pub(super) struct MigrationSubject<'a> {
    /// What was given.
    pub(super) facts: &'a MigrationFacts<'a>,
    /// What migration.toml says; empty if it cannot be read, which is somebody else's to say.
    pub(super) declared: toml::Table,
}

/// What a rule has to say of a part of migration.toml, given by the byte at which it begins.
pub(super) type Part = (usize, Report);

impl MigrationSubject<'_> {
    /// The tables of a list, `[[name]]`, with the bytes at which they begin.
    pub(super) fn list(&self, name: &str) -> Vec<(usize, &toml::Table)> {
        let items = self.declared.get(name).and_then(toml::Value::as_array);
        let tables = items.into_iter().flatten().filter_map(toml::Value::as_table);
        let head = format!("[[{name}]]");
        let places = self.facts.declaration.match_indices(&head).map(|(at, _)| at);
        places.chain(std::iter::repeat(0)).zip(tables).collect()
    }

    /// Whether a key of a table is there and not empty.
    pub(super) fn has(table: &toml::Table, key: &str) -> bool {
        match table.get(key) {
            Some(toml::Value::Array(items)) => !items.is_empty(),
            Some(toml::Value::String(text)) => !text.trim().is_empty(),
            Some(_) => true,
            None => false,
        }
    }

    /// Whether it has not come to its contract: what would make that safer can still be done.
    pub(super) fn can_be_mended(&self) -> bool {
        use State::{Expanded, Expanding, Migrated, Migrating, Pending};
        matches!(self.facts.state, Pending | Expanding | Expanded | Migrating | Migrated)
    }

    /// Whether contract takes something away.
    pub(super) fn contracts(&self) -> bool {
        self.facts.files.contains(&Phase::Contract) || !self.list("operation").is_empty()
    }
}

/// How long a migration may be open when zdm.toml says nothing.
const LIMIT: Duration = Duration::from_hours(30 * 24);

/// Whether a migration has been begun and not ended for longer than `limit`, or than 30 days.
pub(crate) fn is_left_open(state: State, open: Duration, limit: Option<Duration>) -> bool {
    !matches!(state, State::Pending | State::Purged) && open > limit.unwrap_or(LIMIT)
}

/// What the rules say of a migration as a whole: findings in its migration.toml, part by part.
pub(crate) fn lint_migration(facts: &MigrationFacts<'_>) -> Vec<LintedStatement> {
    let declared = facts.declaration.parse().unwrap_or_default();
    let subject = MigrationSubject { facts, declared };
    let mut found: BTreeMap<usize, Vec<Finding>> = BTreeMap::new();
    for rule in rules::ALL {
        let Check::Migration(check) = rule.check else { continue };
        let severity = rules::severity(rule, facts.rules);
        let Some(severity) = severity.filter(|_| rule.about().speaks(facts.engine, Phase::Expand))
        else {
            continue;
        };
        for (at, report) in check(&subject) {
            found.entry(at).or_default().push(Finding {
                rule: rule.id,
                severity: report.at_most.map_or(severity, |most| most.min(severity)),
                message: report.message,
                help: report.help,
                span: line(facts.declaration, at),
                fix: report.fix,
            });
        }
    }
    let statement = |(at, findings): (usize, Vec<Finding>)| {
        let span = line(facts.declaration, at);
        let part = Directive { span, text: String::new() };
        let nothing = judge::nothing(std::slice::from_ref(&part), findings)?;
        let sql = facts.declaration.get(span.start..span.end).unwrap_or_default().to_owned();
        let source =
            crate::sql::split::SourceStatement { sql, directives: Vec::new(), ..nothing.source };
        Some(LintedStatement { source, ..nothing })
    };
    found.into_iter().filter_map(statement).collect()
}

/// The line that begins at a byte.
fn line(text: &str, at: usize) -> Span {
    let rest = text.get(at..).unwrap_or_default();
    let length = rest.lines().next().unwrap_or_default().len();
    Places::of(text).span(at.min(text.len()), (at + length).min(text.len()))
}
