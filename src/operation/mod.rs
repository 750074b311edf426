//! Operations: declarative changes from which the steps of every phase are made, for each database.
//!
//! Invariant: an operation is pure. It reads a catalog, and returns steps as data, so that `plan` can print them.
//! One file an operation: what is made and what is removed is read side by side.

pub(crate) mod carry;
pub(crate) mod declare;
pub(crate) mod names;
pub(crate) mod registry;
mod rename_column;
pub(crate) mod sync;

use std::fmt::Debug;

use crate::model::name::{MigrationId, TableName};
use crate::model::phase::Phase;
use crate::model::server::{Engine, Server};
use crate::model::step::Step;
use crate::sql::catalog::{Catalog, Column, Table};
use crate::sql::quote::ident;
use crate::sql::rename::mentions;

pub(crate) use registry::parse;
pub(crate) use sync::Image;

/// What an operation is planned against.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    /// The server whose dialect is spoken.
    pub(crate) server: Server,
    /// The migration that holds the operation.
    pub(crate) migration: &'a MigrationId,
    /// Where tables without a schema live (PostgreSQL: the first of `schemas`); none on MySQL and MariaDB.
    pub(crate) schema: Option<&'a str>,
    /// Its place in the migration, from 1: part of the names of its steps.
    pub(crate) position: usize,
    /// The tables as they were before the migration's expand.
    pub(crate) base: &'a Catalog,
    /// The tables as they are now, when a database was asked.
    pub(crate) now: Option<&'a Catalog>,
    /// What the triggers of the operation's tables keep alike for other operations that are open.
    pub(crate) others: &'a [Sync],
}

impl Context<'_> {
    /// The table as the catalog names it.
    pub(crate) fn resolve(&self, table: &TableName) -> TableName {
        table.or_in(self.schema)
    }
}

/// Columns that would change by themselves are written back as they are: `, updated_at = updated_at`; but for those
/// that `set` names.
pub(crate) fn kept(engine: Engine, table: &Table, set: &str) -> String {
    let kept =
        |column: &&Column| column.on_update.is_some() && !mentions(engine, set, &column.name);
    let columns = table.columns.iter().filter(kept).map(|column| {
        let name = ident(engine, &column.name);
        format!(", {name} = {name}")
    });
    columns.collect()
}

/// Two columns of a table that triggers keep alike while old and new builds run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Sync {
    /// For which migration.
    pub(crate) migration: MigrationId,
    /// The table.
    pub(crate) table: TableName,
    /// The old column: under its own name while both live, under its hidden one after contract.
    pub(crate) old: String,
    /// The new column.
    pub(crate) new: String,
    /// In which direction.
    pub(crate) mode: SyncMode,
    /// How values are compared.
    pub(crate) image: Image,
    /// The default that the new column has while both live: such a value does not count as given.
    pub(crate) new_default: Option<String>,
}

/// Which way values go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SyncMode {
    /// Both ways: from expand to hide.
    Both,
    /// From the new column to the hidden one: from hide to purge, so that no write is lost to a rollback.
    Feed,
}

/// Why a change cannot be kept right: refused before anything is changed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Refusal {
    /// What is in the way, with the table by name.
    pub(crate) message: String,
    /// What to do instead.
    pub(crate) help: String,
}

/// What a statement of an old build meets after contract; the worst is the greatest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum LateStatement {
    /// Each old value means the same in the new structure.
    #[expect(dead_code, reason = "for operations that change a column in place")]
    Harmless,
    /// It fails loudly.
    Error,
    /// It does the wrong thing in silence: contract needs the hard fence.
    #[expect(dead_code, reason = "for operations that change a column in place")]
    Silent,
}

/// A column that an operation takes away or adds: no two open operations may claim the same.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Claim {
    /// The table.
    pub(crate) table: TableName,
    /// The column; none: the whole table.
    pub(crate) column: Option<String>,
}

/// A declarative change.
pub(crate) trait Operation: Debug + Send + std::marker::Sync {
    /// What it does, in a line: `rename column users.name to display_name`.
    fn title(&self) -> String;

    /// The declaration in a fixed form: what its steps are sealed by.
    fn declaration(&self) -> String;

    /// The tables that it changes.
    fn tables(&self) -> Vec<TableName>;

    /// What it takes away or adds.
    fn claims(&self) -> Vec<Claim>;

    /// What triggers must keep alike when the migration has come to the end of `phase` (nothing after purge).
    fn syncs(&self, cx: &Context<'_>, phase: Phase) -> Vec<Sync>;

    /// What a late statement of an old build meets.
    fn late_statement(&self) -> LateStatement;

    /// Everything that makes it impossible to keep right on this catalog: asked before expand.
    fn refusals(&self, cx: &Context<'_>) -> Vec<Refusal>;

    /// What must have been changed before contract, as the tables are now: views, functions that use what goes.
    fn contract_refusals(&self, cx: &Context<'_>) -> Vec<Refusal>;

    /// What people should know before expand.
    fn notes(&self, cx: &Context<'_>) -> Vec<String>;

    /// The steps of a phase, in order. Rolling back steps of a phase that has not run must be harmless.
    fn steps(&self, cx: &Context<'_>, phase: Phase) -> Result<Vec<Step>, Refusal>;

    /// The schema after `phase`, for the simulated catalog.
    fn apply(&self, catalog: &mut Catalog, cx: &Context<'_>, phase: Phase);
}
