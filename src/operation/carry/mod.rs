//! Carrying over: what the old column is bound by, the new one gets, too, without long locks.
//!
//! Until purge it stands beside the original under a name of zdm's; then it takes the original's name.

pub(super) mod mysql;
pub(super) mod postgres;

use super::names;
use crate::model::name::{MigrationId, TableName};
use crate::model::server::Server;
use crate::model::step::{Action, Group, Probe, Statement};
use crate::sql::catalog::{Column, Constraint, ConstraintKind, Index, Table};
use crate::sql::rename::renamed;

/// A step before it has its place: the end of its name, what it does, whether it needs a strong lock, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Part {
    /// `index-users_name_key`: the step's name behind the operation's position.
    pub(crate) slug: String,
    /// What it does, for people.
    pub(crate) title: String,
    /// The tables on which it needs a strong lock.
    pub(crate) locks: Vec<TableName>,
    /// How.
    pub(crate) action: Action,
}

/// A column and its successor.
#[derive(Debug)]
pub(crate) struct Carry<'a> {
    /// For which server.
    pub(crate) server: Server,
    /// For which migration.
    pub(crate) migration: &'a MigrationId,
    /// Where.
    pub(crate) table: &'a TableName,
    /// The table as it was before expand.
    pub(crate) base: &'a Table,
    /// The old column as it was before expand.
    pub(crate) column: &'a Column,
    /// The new column.
    pub(crate) to: &'a str,
}

impl Carry<'_> {
    /// Under which name something is carried over until purge.
    pub(crate) fn name(&self, original: &str) -> String {
        names::carried(self.server.engine, self.migration, original)
    }

    /// The indexes that name the column, without those of an exclusion constraint.
    pub(crate) fn indexes(&self) -> impl Iterator<Item = &Index> {
        self.base.indexes.iter().filter(|index| index.columns.contains(&self.column.name))
    }

    /// The constraints of a kind that name the column.
    pub(crate) fn constraints(&self, kind: ConstraintKind) -> impl Iterator<Item = &Constraint> {
        self.base
            .constraints
            .iter()
            .filter(move |found| found.kind == kind && found.columns.contains(&self.column.name))
    }

    /// An expression of the old column's for the new one.
    pub(crate) fn moved(&self, expression: &str) -> String {
        renamed(self.server.engine, expression, &self.column.name, self.to)
    }

    /// A foreign key's definition for the new column: what stands behind REFERENCES names another table's columns.
    pub(crate) fn moved_foreign_key(&self, definition: &str) -> String {
        match crate::sql::rename::split_at_word(self.server.engine, definition, "REFERENCES") {
            Some((here, there)) => format!("{}{there}", self.moved(here)),
            None => self.moved(definition),
        }
    }

    /// Every name that zdm will give on the way.
    pub(crate) fn names(&self) -> Vec<String> {
        let constraints =
            [ConstraintKind::Check, ConstraintKind::ForeignKey, ConstraintKind::Unique]
                .into_iter()
                .flat_map(|kind| {
                    self.constraints(kind).map(|constraint| self.name(&constraint.name))
                });
        let indexes = self
            .indexes()
            .filter(|index| index.constraint.is_none())
            .map(|index| self.name(&index.name));
        indexes.chain(constraints).collect()
    }

    fn part(&self, slug: String, title: String, statements: Vec<Statement>) -> Part {
        Part { slug, title, locks: vec![self.table.clone()], action: group(statements) }
    }
}

/// Statements that hide nothing and need no LOCK TABLES.
pub(crate) fn group(statements: Vec<Statement>) -> Action {
    Action::Statements(Group { statements, lock_tables: Vec::new(), hides: false })
}

/// A statement and how to tell that it took effect.
pub(crate) fn statement(sql: String, done: Probe) -> Statement {
    Statement { sql, done }
}
