//! Steps: what a phase does, as data that `plan` prints and the engine runs.

use super::name::TableName;

/// The text by which a step that ran is recognised: a hash over its statements without comments and white space
/// (files), or over the operation's declaration (generated steps).
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Seal(pub(crate) String);

/// One tracked unit of a phase.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Step {
    /// Unique within its migration and phase, the same at every run: `1-add-column`, `expand.sql-3`.
    pub(crate) name: String,
    /// What it does, for people: `add column display_name to users`.
    pub(crate) title: String,
    /// The tables on which it needs a strong lock: looked at before it is tried.
    pub(crate) tables: Vec<TableName>,
    /// By what it is recognised after it ran.
    pub(crate) seal: Seal,
    /// What to do.
    pub(crate) action: Action,
    /// Where it was written; none for a generated step.
    pub(crate) origin: Option<Origin>,
}

/// A place in a migration's file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Origin {
    /// The path as the user would type it.
    pub(crate) file: String,
    /// 1-based line of the first statement.
    pub(crate) line: usize,
}

/// What a step does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Action {
    /// Statements that belong together: one transaction with the journal row on PostgreSQL; on MySQL and MariaDB an
    /// intent row, the statements one by one, and on resume each one's probe.
    Statements(Group),
    /// One statement that no transaction may hold: `CREATE INDEX CONCURRENTLY`, `VACUUM`.
    Alone(Statement),
    /// Fill rows in batches.
    Backfill(Backfill),
    /// Count rows that are wrong, in batches; one is too many.
    Verify(Verify),
}

/// Statements that are run as one step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Group {
    /// In order.
    pub(crate) statements: Vec<Statement>,
    /// MySQL and MariaDB: hold `LOCK TABLES ... WRITE` on these from the first to the last statement, so that no
    /// other session sees the middle. Empty: do not.
    pub(crate) lock_tables: Vec<TableName>,
    /// Whether this is the step by which contract takes the old structure away: the engine checks epoch and fence in
    /// it, and makes the fence final.
    pub(crate) hides: bool,
}

/// One statement, as it is sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Statement {
    /// Exactly one statement, without a closing semicolon.
    pub(crate) sql: String,
    /// How to tell, after a crash, whether it took effect.
    pub(crate) done: Probe,
}

/// How the catalog tells whether a statement took effect, where a transaction cannot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Probe {
    /// Running it again changes nothing.
    Repeatable,
    /// It took effect if the table is there (or not).
    Table { table: TableName, present: bool },
    /// It took effect if the column is there (or not).
    Column { table: TableName, column: String, present: bool },
    /// It took effect if the index is there and valid (or not there).
    Index { table: TableName, index: String, present: bool },
    /// It took effect if the constraint is there (or not).
    Constraint { table: TableName, constraint: String, present: bool },
    /// It took effect if the column refuses NULL (or not).
    NotNull { table: TableName, column: String, present: bool },
    /// Nothing in the catalog tells: after a crash in it a person must look.
    Undecidable,
}

/// Rows to fill, in batches over a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Backfill {
    /// The table.
    pub(crate) table: TableName,
    /// What stands behind SET.
    pub(crate) set: String,
    /// Which rows still need it; every row when absent.
    pub(crate) pending: Option<String>,
}

/// Rows that must not exist.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Verify {
    /// The table.
    pub(crate) table: TableName,
    /// A condition that no row may meet.
    pub(crate) wrong: String,
}
