//! The rules: one file each.

mod drop_outside_contract;
mod index_not_concurrent;
mod not_null_without_default;
mod not_understood;
mod rename_column;
mod rename_table;
mod unbatched_dml;
pub(super) mod unused_allow;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::about::About;
use super::finding::{Fix, Severity};
use crate::model::name::TableName;
use crate::model::phase::Phase;
use crate::model::server::Server;
use crate::sql::catalog::{Catalog, Table};
use crate::sql::change::{Change, Located};
use crate::sql::effect::Effect;
use crate::sql::estimate::Estimate;
use crate::sql::replay::Names;
use crate::sql::split::SourceStatement;

/// Every rule, in alphabetical order.
pub(crate) const ALL: &[Rule] = &[
    drop_outside_contract::RULE,
    index_not_concurrent::RULE,
    not_null_without_default::RULE,
    not_understood::RULE,
    rename_column::RULE,
    rename_table::RULE,
    unbatched_dml::RULE,
    unused_allow::RULE,
];

/// A rule.
#[derive(Debug)]
pub(crate) struct Rule {
    /// As people write it: `rename-column`.
    pub(crate) id: &'static str,
    /// `lints/ID.toml`.
    data: &'static str,
    /// Whether it also judges statements that zdm writes.
    pub(super) judges_generated: bool,
    /// Asked about each change of a statement.
    pub(super) check: fn(&Subject<'_>) -> Vec<Report>,
}

/// What a rule is asked about: one change of a statement.
#[derive(Debug)]
pub(super) struct Subject<'a> {
    /// The change, and its clause.
    pub(super) located: &'a Located,
    /// What the change costs alone.
    pub(super) effect: &'a Effect,
    /// How long that takes, when the size of the table is known: prints itself as `about 40 s on 12 GB`.
    pub(super) estimate: Option<Estimate>,
    /// What the statement costs.
    pub(super) whole: &'a Effect,
    /// All changes of the statement.
    pub(super) changes: &'a [Located],
    /// The statement.
    pub(super) source: &'a SourceStatement,
    /// The phase in which it runs.
    pub(super) phase: Phase,
    /// For which server.
    pub(super) server: Server,
    /// How tables are called.
    pub(super) names: &'a Names,
    /// The schema before the statement.
    pub(super) catalog: &'a Catalog,
    /// Tables for which the migration declares a backfill.
    pub(super) backfilled: &'a [TableName],
}

/// What a rule has to say.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// What is wrong.
    pub(super) message: String,
    /// What to do: one imperative sentence.
    pub(super) help: String,
    /// A text that makes it go away.
    pub(super) fix: Option<Fix>,
    /// A finding that is never worse than this.
    pub(super) at_most: Option<Severity>,
}

impl Rule {
    /// What its data file says; empty if that cannot be read, which a test excludes.
    pub(crate) fn about(&self) -> &'static About {
        static ABOUT: LazyLock<BTreeMap<&str, About>> = LazyLock::new(|| {
            ALL.iter()
                .map(|rule| (rule.id, toml::from_str(rule.data).unwrap_or_default()))
                .collect()
        });
        static NONE: LazyLock<About> = LazyLock::new(About::default);
        ABOUT.get(self.id).unwrap_or(&NONE)
    }
}

/// The rule of that id.
pub(crate) fn find(id: &str) -> Option<&'static Rule> {
    ALL.iter().find(|rule| rule.id == id)
}

/// How bad a rule's findings are, `[lint.rules]` applied; `None` when it is switched off.
pub(super) fn severity(
    rule: &Rule,
    severities: &BTreeMap<String, Option<Severity>>,
) -> Option<Severity> {
    severities.get(rule.id).copied().unwrap_or_else(|| Some(rule.about().severity()))
}

/// In words, that there is no such rule, and which comes nearest.
pub(crate) fn unknown(id: &str) -> String {
    let near = ALL.iter().map(|rule| (strsim::osa_distance(id, rule.id), rule.id)).min();
    match near {
        Some((distance, near)) if distance <= 3 => {
            format!("there is no rule \"{id}\" (\"{near}\"?)")
        }
        _ => format!("there is no rule \"{id}\""),
    }
}

impl Subject<'_> {
    /// The table as people know it.
    fn show(&self, table: &TableName) -> String {
        self.names.show(table)
    }

    /// What is known of a table.
    fn known(&self, table: &TableName) -> Option<&Table> {
        self.catalog.tables.get(table)
    }

    /// How long it takes on the table at hand, to be put behind a sentence: `, about 40 s on 12 GB`. Empty when its size
    /// is not known.
    fn takes(&self) -> String {
        self.estimate.map(|estimate| format!(", {estimate}")).unwrap_or_default()
    }

    /// Whether nobody uses a table yet: it was made in the same release (or by this very statement), or is temporary.
    fn is_new(&self, table: &TableName) -> bool {
        let makes = |located: &Located| matches!(&located.change, Change::CreateTable { table: made, .. } if made == table);
        self.known(table).is_some_and(|known| known.is_new) || self.changes.iter().any(makes)
    }
}

impl Report {
    fn new(message: String, help: impl Into<String>) -> Self {
        Self { message, help: help.into(), ..Self::default() }
    }

    fn with_fix(self, fix: Option<Fix>) -> Self {
        Self { fix, ..self }
    }

    fn at_most(self, severity: Severity) -> Self {
        Self { at_most: Some(severity), ..self }
    }
}

#[cfg(test)]
mod tests;
