//! Acts on what stands beside tables, and on tables as a whole: views, triggers, sequences, partitions, upkeep.

use std::collections::BTreeSet;

use super::interface::{Interface, Output};
use crate::model::name::TableName;

/// One act of a statement.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Act {
    /// Its kind, as the rows of `lints/effects` call it: `create_view`, `refresh`, `attach_partition`.
    pub(crate) kind: &'static str,
    /// What the statement says of it, as facts of the rows: `concurrently`, `cascade`, `no-data`.
    pub(crate) marks: BTreeSet<&'static str>,
    /// What it is about, when that is no table: a view, an index, a sequence, a function, a schema.
    pub(crate) object: Option<TableName>,
    /// The tables that it names: of a trigger its own, of ATTACH PARTITION the partitioned one.
    pub(crate) tables: Vec<TableName>,
    /// Tables in a second role: the partition that is attached, the far end of a constraint trigger.
    pub(crate) others: Vec<TableName>,
    /// What its query, or the statement inside it, reads and locks.
    pub(crate) reads: Vec<Read>,
    /// Functions that it calls, without the server's own as far as those are known.
    pub(crate) calls: Vec<TableName>,
    /// What users of the view or routine that it makes rely on, when that can be told.
    pub(crate) interface: Option<Interface>,
    /// A text that matters: a partition's bound, a function's body.
    pub(crate) text: String,
    /// In the statement's words, for people: `CREATE TRIGGER audit`.
    pub(crate) what: String,
}

/// A table that a query reads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Read {
    /// The table or view.
    pub(crate) table: TableName,
    /// Whether its rows are locked: FOR UPDATE, FOR SHARE.
    pub(crate) for_update: bool,
    /// Columns that the query compares with values, so that an index on one of them saves reading the rest. Empty: all
    /// rows are read.
    pub(crate) by: Vec<String>,
    /// What it demands of columns, each of which must hold, as far as they are compared with plain values.
    pub(crate) limits: Vec<Limit>,
    /// It needs the first rows alone: LIMIT, EXISTS.
    pub(crate) first_rows: bool,
}

/// What a query demands of a column.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Limit {
    /// The column.
    pub(crate) column: String,
    /// How it is compared.
    pub(crate) comparison: Comparison,
    /// With what, without quotes: one value, but for [`Comparison::OneOf`].
    pub(crate) values: Vec<String>,
}

/// How a column is compared with a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Comparison {
    /// `=`, IN.
    OneOf,
    /// `>=`.
    From,
    /// `>`.
    Above,
    /// `<`.
    Below,
    /// `<=`.
    UpTo,
}

impl Read {
    /// One of all rows.
    pub(crate) fn whole(table: TableName) -> Self {
        Self { table, for_update: false, by: Vec::new(), limits: Vec::new(), first_rows: false }
    }
}

impl Act {
    /// An act of a kind, in the statement's words.
    pub(crate) fn new(kind: &'static str, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), ..Self::default() }
    }

    /// On these tables.
    pub(crate) fn on(self, tables: impl IntoIterator<Item = TableName>) -> Self {
        Self { tables: tables.into_iter().collect(), ..self }
    }

    /// About an object.
    pub(crate) fn about(self, object: TableName) -> Self {
        Self { object: Some(object), ..self }
    }

    /// With a mark, if it holds.
    pub(crate) fn mark(mut self, mark: &'static str, holds: bool) -> Self {
        if holds {
            self.marks.insert(mark);
        }
        self
    }

    /// Whether it has a mark.
    pub(crate) fn has(&self, mark: &str) -> bool {
        self.marks.contains(mark)
    }

    /// All names in it, to be resolved.
    pub(crate) fn names_mut(&mut self) -> impl Iterator<Item = &mut TableName> {
        let reads = self.reads.iter_mut().map(|read| &mut read.table);
        let outputs = match &mut self.interface {
            Some(Interface::View(outputs)) => outputs.as_mut_slice(),
            _ => &mut [],
        };
        let whole = outputs.iter_mut().filter_map(|output| match output {
            Output::All(table) => Some(table),
            Output::Column(_) => None,
        });
        self.tables.iter_mut().chain(&mut self.others).chain(reads).chain(whole)
    }

    /// The tables on which it needs more than readers and writers do.
    pub(crate) fn strongly(&self) -> Vec<&TableName> {
        let weak = self.has("concurrently") || matches!(self.kind, "read" | "vacuum" | "analyze");
        if weak { Vec::new() } else { self.tables.iter().chain(&self.others).collect() }
    }
}
