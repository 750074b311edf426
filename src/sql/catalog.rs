//! A schema as plain data: replayed from migrations, or read from a live database.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::interface::Interfaces;
use super::tables::Tables;
use crate::model::name::TableName;

/// The tables that are known.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Catalog {
    /// By name.
    pub(crate) tables: Tables,
    /// Whether this is all there is (read from a database, or replayed from an empty one), so that a table that is
    /// not here does not exist.
    pub(crate) complete: bool,
    /// What stands beside tables.
    pub(crate) beside: Shared<Beside>,
}

/// What copies of a catalog share until one of them changes it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Shared<T>(Arc<T>);

impl<T> From<T> for Shared<T> {
    fn from(value: T) -> Self {
        Self(Arc::new(value))
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Clone> DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut T {
        Arc::make_mut(&mut self.0)
    }
}

/// Objects beside tables, as far as they are known.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Beside {
    /// Functions and procedures, one for all that share a name.
    pub(crate) functions: BTreeMap<TableName, Function>,
    /// The tables that a publication names (PostgreSQL).
    pub(crate) publications: BTreeMap<String, Vec<TableName>>,
    /// Domains (PostgreSQL).
    pub(crate) domains: BTreeMap<TableName, Domain>,
    /// The table of an extended statistics object (PostgreSQL).
    pub(crate) statistics: BTreeMap<TableName, TableName>,
    /// What users of views and routines rely on.
    pub(crate) interfaces: Interfaces,
}

/// A type with conditions of its own (PostgreSQL).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Domain {
    /// The type under it, as written.
    pub(crate) base: String,
    /// Whether it refuses NULL.
    pub(crate) not_null: bool,
    /// The names of its CHECKs.
    pub(crate) checks: Vec<String>,
}

/// A function or procedure.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Function {
    /// `sql`, `plpgsql`, ..., in lower case.
    pub(crate) language: String,
    /// Its text.
    pub(crate) body: String,
    /// Whether it says the same twice.
    pub(crate) volatility: Volatility,
}

/// Whether a function gives the same result twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(crate) enum Volatility {
    /// Always.
    Immutable,
    /// Within a statement.
    Stable,
    /// Not even that, or it is not known.
    #[default]
    Volatile,
}

/// A table.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Table {
    /// In their order.
    pub(crate) columns: Vec<Column>,
    /// The columns of the primary key, or of a unique key without NULLs, over which batches can go. Empty: none.
    pub(crate) key: Vec<String>,
    /// Indexes, without those that serve the primary key.
    pub(crate) indexes: Vec<Index>,
    /// CHECK, FOREIGN KEY, UNIQUE and exclusion constraints, without NOT NULL.
    pub(crate) constraints: Vec<Constraint>,
    /// Names of the user's triggers, and what they fire on.
    pub(crate) triggers: Vec<Trigger>,
    /// Views, functions, policies and others that use a column.
    pub(crate) dependents: Vec<Dependent>,
    /// What else matters: why zdm cannot change it, in words (`is a partition`, `is inherited by t2`).
    pub(crate) peculiarities: Vec<Peculiarity>,
    /// How many rows, as far as the server's statistics know.
    pub(crate) estimated_rows: Option<u64>,
    /// How big and how busy it is: only a database, or a snapshot of one, knows.
    pub(crate) size: Size,
    /// How MySQL or MariaDB keeps it.
    pub(crate) storage: Storage,
    /// Whether it was made by a migration that has not run yet, so that nobody uses it.
    pub(crate) is_new: bool,
    /// What it is, and what it has to do with others.
    pub(crate) shape: Shape,
}

/// What a table is, and what it has to do with other tables.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Shape {
    /// Its kind.
    pub(crate) kind: TableKind,
    /// The tables that it inherits from, or is a partition of.
    pub(crate) parents: Vec<TableName>,
    /// The values that it is a partition for, as written behind FOR VALUES; `DEFAULT`.
    pub(crate) bound: Option<String>,
    /// The columns, or expressions, by which it is partitioned.
    pub(crate) partitioned_by: Vec<String>,
    /// The tables and views that a view's query names.
    pub(crate) reads: Vec<TableName>,
    /// A view's query; empty when it is not known.
    pub(crate) query: String,
    /// The name of the primary key's constraint, and so of its index; `None` when it is not known.
    pub(crate) key_name: Option<String>,
    /// UNLOGGED (PostgreSQL).
    pub(crate) unlogged: bool,
    /// The composite type that it is a table of (PostgreSQL).
    pub(crate) of_type: Option<TableName>,
}

/// What a name stands for where a table can stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum TableKind {
    /// A table with rows of its own.
    #[default]
    Ordinary,
    /// Its rows are those of its partitions.
    Partitioned,
    /// Its rows are elsewhere.
    Foreign,
    /// It has no rows.
    View,
    /// Its rows are those that a query had at the last refresh.
    MaterializedView,
}

/// How big and how busy a table is, as far as it is known.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Size {
    /// Bytes of its rows, long values that are kept elsewhere included, indexes not.
    pub(crate) bytes: Option<u64>,
    /// Bytes of all its indexes.
    pub(crate) index_bytes: Option<u64>,
    /// Bytes of single indexes, by name (PostgreSQL).
    pub(crate) indexes: BTreeMap<String, u64>,
    /// Rows that are inserted, updated and deleted in an hour.
    pub(crate) writes_per_hour: Option<u64>,
}

/// How MySQL or MariaDB keeps a table; what is not known is `None`, and counts as the server's default.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Storage {
    /// `InnoDB`.
    pub(crate) engine: Option<String>,
    /// `COMPRESSED`, in capitals.
    pub(crate) row_format: Option<String>,
    /// The page size of compressed rows in KiB, when one was given.
    pub(crate) key_block_size: Option<u64>,
    /// The default character set of its columns.
    pub(crate) charset: Option<String>,
    /// The default collation of its columns.
    pub(crate) collation: Option<String>,
    /// How it is partitioned: `RANGE`, `LIST COLUMNS`, `HASH`, in capitals.
    pub(crate) partitioned: Option<String>,
    /// The columns that its partitions go by.
    pub(crate) partition_columns: Vec<String>,
    /// Its partitions in their order; empty when they are not known.
    pub(crate) partitions: Vec<Partition>,
    /// WITH SYSTEM VERSIONING.
    pub(crate) versioned: bool,
    /// The generated columns that are stored, where their expressions do not say so by ` STORED` at their end.
    pub(crate) stored: Vec<String>,
}

/// A partition of MySQL or MariaDB.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Partition {
    /// Its name.
    pub(crate) name: String,
    /// What it is for, as written behind VALUES LESS THAN or VALUES IN; empty: nothing is said.
    pub(crate) values: Vec<String>,
}

/// A column.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Column {
    /// Its name.
    pub(crate) name: String,
    /// Its type as the server writes it, `character varying(50)`, with CHARACTER SET and COLLATE on MySQL and MariaDB.
    pub(crate) data_type: String,
    /// A collation that is not the type's own (PostgreSQL), quoted as SQL needs it.
    pub(crate) collation: Option<String>,
    /// Whether it refuses NULL.
    pub(crate) not_null: bool,
    /// The default's expression.
    pub(crate) default: Option<String>,
    /// The expression, when it is generated.
    pub(crate) generated: Option<String>,
    /// Whether it counts by itself: IDENTITY, serial's sequence, `AUTO_INCREMENT`.
    pub(crate) counts: bool,
    /// What ON UPDATE sets (MySQL, MariaDB).
    pub(crate) on_update: Option<String>,
    /// Its comment.
    pub(crate) comment: Option<String>,
    /// Rights granted on the column itself, as statements with `{column}` in the column's place (PostgreSQL).
    pub(crate) grants: Vec<String>,
    /// Whether it was added by a migration that has not run yet, so that no old build knows it.
    pub(crate) is_new: bool,
}

/// An index.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Index {
    /// Its name.
    pub(crate) name: String,
    /// The columns that it names, expressions and predicates included.
    pub(crate) columns: Vec<String>,
    /// Whether it refuses duplicates.
    pub(crate) unique: bool,
    /// PostgreSQL: `pg_get_indexdef`. MySQL, MariaDB: what follows the name in ADD INDEX, `(a, b(10) DESC)`, with the
    /// kind (`UNIQUE`, `FULLTEXT`) left out.
    pub(crate) definition: String,
    /// `FULLTEXT` or `SPATIAL` (MySQL, MariaDB).
    pub(crate) kind: Option<String>,
    /// The constraint that it serves, when it does (PostgreSQL: UNIQUE and exclusion constraints).
    pub(crate) constraint: Option<String>,
}

/// A constraint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Constraint {
    /// Its name.
    pub(crate) name: String,
    /// Its kind.
    pub(crate) kind: ConstraintKind,
    /// The columns that it names.
    pub(crate) columns: Vec<String>,
    /// As the server writes it behind ADD CONSTRAINT name: `CHECK (...)`, `FOREIGN KEY (...) REFERENCES ...`.
    pub(crate) definition: String,
    /// Whether existing rows are known to meet it.
    pub(crate) valid: bool,
    /// A foreign key: the table that it points at. [`ConstraintKind::ReferencedBy`]: the one that points here.
    pub(crate) other: Option<TableName>,
}

/// What a constraint demands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ConstraintKind {
    /// A condition.
    Check,
    /// A row elsewhere.
    ForeignKey,
    /// A foreign key of another table that points at this one.
    ReferencedBy,
    /// No duplicates.
    Unique,
    /// EXCLUDE.
    Exclusion,
}

/// A trigger of the user's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Trigger {
    /// Its name.
    pub(crate) name: String,
    /// `BEFORE UPDATE`, ...
    pub(crate) fires: String,
    /// What it calls (PostgreSQL).
    pub(crate) function: Option<TableName>,
}

/// Something that uses a column.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Dependent {
    /// What it is, with its kind: `view "active_users"`.
    pub(crate) title: String,
    /// The columns that it uses; empty when it uses the table in a way that cannot be seen.
    pub(crate) columns: Vec<String>,
}

/// Why a table, or some of its columns, cannot be changed in the ordinary way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Peculiarity {
    /// In words that complete `table "users" ...`: `is a partition of "all_users"`.
    pub(crate) words: String,
    /// The columns that it concerns; empty: all.
    pub(crate) columns: Vec<String>,
}

impl Table {
    /// The column of that name.
    pub(crate) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Whether new rows cannot have NULL in a column: it is NOT NULL, or a CHECK says the same, be it valid or not.
    pub(crate) fn refuses_null(&self, column: &str) -> bool {
        let says_so = |definition: &str| {
            let end = |character: char| !character.is_alphanumeric() && character != '_';
            let words = definition.split(end).filter(|word| !word.is_empty());
            let [check, name, is, not, null] = words.collect::<Vec<_>>()[..] else { return false };
            check.eq_ignore_ascii_case("CHECK")
                && name == column
                && [is, not, null].join(" ").eq_ignore_ascii_case("IS NOT NULL")
        };
        self.column(column).is_some_and(|known| known.not_null)
            || self
                .constraints
                .iter()
                .any(|known| known.kind == ConstraintKind::Check && says_so(&known.definition))
    }
}
