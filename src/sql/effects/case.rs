//! A change as the rows of `lints/effects` see it.

use std::collections::BTreeSet;

use crate::model::name::TableName;

/// The kind of a change, what is known of it, and the tables that play a part.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Case {
    kind: &'static str,
    facts: BTreeSet<&'static str>,
    tables: Vec<(&'static str, TableName)>,
    /// Tables without rows of their own: nothing of them is written anew, or read.
    hollow: BTreeSet<TableName>,
}

/// Whether somebody uses a table, and whether it has rows of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Use {
    Nobodys,
    Hollow,
    Filled,
}

impl Case {
    /// A change of a kind, with the table that it is about.
    pub(super) fn new(kind: &'static str, table: &TableName) -> Self {
        Self { kind, tables: vec![("table", table.clone())], ..Self::default() }
    }

    /// A change of a kind.
    pub(super) fn of(kind: &'static str) -> Self {
        Self { kind, ..Self::default() }
    }

    /// Gives it another kind.
    pub(super) fn rename(&mut self, kind: &'static str) {
        self.kind = kind;
    }

    /// Adds tables that play a part.
    pub(super) fn part(
        mut self,
        part: &'static str,
        tables: impl IntoIterator<Item = TableName>,
    ) -> Self {
        self.tables.extend(tables.into_iter().map(|table| (part, table)));
        self
    }

    /// Adds a fact if it holds.
    pub(super) fn fact(mut self, name: &'static str, holds: bool) -> Self {
        if holds {
            self.facts.insert(name);
        }
        self
    }

    /// Adds tables that play a part.
    pub(super) fn with(
        mut self,
        part: &'static str,
        tables: impl IntoIterator<Item = TableName>,
    ) -> Self {
        self.tables.extend(tables.into_iter().map(|table| (part, table)));
        self
    }

    /// Leaves out tables that nobody uses, and notes those without rows of their own.
    pub(super) fn among(mut self, uses: impl Fn(&TableName) -> Use) -> Self {
        let hollow = &mut self.hollow;
        self.tables.retain(|(_, table)| match uses(table) {
            Use::Nobodys => false,
            Use::Filled => true,
            Use::Hollow => {
                hollow.insert(table.clone());
                true
            }
        });
        self
    }

    /// Whether this is a fact of it.
    pub(super) fn is(&self, fact: &str) -> bool {
        self.facts.contains(fact)
    }

    /// The kind of change.
    pub(super) fn kind(&self) -> &'static str {
        self.kind
    }

    /// The tables that play a part.
    pub(super) fn tables(&self, part: &str) -> impl Iterator<Item = &TableName> {
        self.tables.iter().filter(move |(known, _)| *known == part).map(|(_, table)| table)
    }

    /// Those of them that have rows of their own.
    pub(super) fn filled(&self, part: &str) -> impl Iterator<Item = &TableName> {
        self.tables(part).filter(|table| !self.hollow.contains(table))
    }
}
