//! What a statement does to the schema, in a form that no parser owns.

use std::collections::BTreeSet;

use super::act::{Act, Read};
use super::catalog::Partition;
use super::span::Span;
use crate::model::name::TableName;

/// The mark of a change that stands in a block of PL/pgSQL: it may run or not, and only with the rest of the block.
pub(crate) const IN_BLOCK: &str = "in-block";

/// The mark of a clause that runs while `foreign_key_checks` is off (MySQL, MariaDB).
pub(crate) const KEYS_UNCHECKED: &str = "keys-unchecked";

/// The mark of a change of type that runs while the session's time zone is not UTC (PostgreSQL).
pub(crate) const OTHER_ZONE: &str = "other-time-zone";

/// One change and the clause that makes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Located {
    /// What it does.
    pub(crate) change: Change,
    /// The clause.
    pub(crate) span: Span,
    /// What the clause says besides, in the words of `lints/effects`: `only`, `cascade`, `not-enforced`.
    pub(crate) marks: BTreeSet<&'static str>,
}

impl Located {
    /// A change and its clause, which says nothing besides.
    pub(crate) fn new(change: Change, span: Span) -> Self {
        Self { change, span, marks: BTreeSet::new() }
    }

    /// Whether it stands in a block (DO, a function): it may run or not, and is no statement of its own.
    pub(crate) fn is_in_block(&self) -> bool {
        self.has(IN_BLOCK)
    }

    /// Whether the clause says that.
    pub(crate) fn has(&self, mark: &str) -> bool {
        self.marks.contains(mark)
    }
}

/// What a statement, or one clause of it, does.
///
/// Tables are named as the statement names them; the simulated catalog resolves the schema.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::enum_variant_names, reason = "`ChangeType` is what people call it")]
pub(crate) enum Change {
    /// CREATE TABLE; `columns` in order, as far as they are understood; `options` is what follows them, as written.
    CreateTable {
        table: TableName,
        columns: Vec<ColumnDef>,
        key: Vec<String>,
        if_not_exists: bool,
        temporary: bool,
        options: String,
        origin: Box<Origin>,
    },
    /// DROP TABLE, one for each table.
    DropTable { table: TableName, if_exists: bool, cascade: bool },
    /// RENAME TABLE, ALTER TABLE ... RENAME TO.
    RenameTable { table: TableName, to: TableName },
    /// ADD COLUMN.
    AddColumn { table: TableName, column: ColumnDef, if_not_exists: bool },
    /// DROP COLUMN.
    DropColumn { table: TableName, column: String, if_exists: bool },
    /// RENAME COLUMN; CHANGE with another name.
    RenameColumn { table: TableName, column: String, to: String },
    /// ALTER COLUMN ... TYPE (which says nothing but the type, and how to get there); MODIFY, CHANGE (which say the
    /// whole column).
    ChangeType { table: TableName, column: String, to: ColumnDef, using: Option<String> },
    /// SET NOT NULL.
    SetNotNull { table: TableName, column: String },
    /// DROP NOT NULL.
    DropNotNull { table: TableName, column: String },
    /// SET DEFAULT, DROP DEFAULT (`None`).
    SetDefault { table: TableName, column: String, default: Option<String> },
    /// CREATE INDEX; ALTER TABLE ... ADD INDEX.
    CreateIndex {
        table: TableName,
        index: Option<String>,
        columns: Vec<String>,
        unique: bool,
        concurrently: bool,
        /// `FULLTEXT`, `SPATIAL`, or PostgreSQL's access method.
        kind: Option<String>,
        if_not_exists: bool,
        form: IndexForm,
    },
    /// DROP INDEX. PostgreSQL does not name the table.
    DropIndex { table: Option<TableName>, index: String, concurrently: bool, if_exists: bool },
    /// ADD CONSTRAINT (also PRIMARY KEY, UNIQUE), and constraints of an added column.
    AddConstraint { table: TableName, constraint: ConstraintDef },
    /// VALIDATE CONSTRAINT.
    ValidateConstraint { table: TableName, constraint: String },
    /// DROP CONSTRAINT, DROP FOREIGN KEY, DROP CHECK, DROP PRIMARY KEY (`PRIMARY`).
    DropConstraint { table: TableName, constraint: String },
    /// UPDATE of rows; `filtered` when it has a WHERE. `columns` are those that it sets.
    Update { table: TableName, filtered: bool, columns: Vec<String> },
    /// DELETE of rows.
    Delete { table: TableName, filtered: bool },
    /// INSERT (or COPY) of rows; `shape` tells what it relies on. Without `columns` into all (PostgreSQL). `rows` are
    /// their plain values, without quotes, when they are written out and few.
    Insert {
        table: TableName,
        shape: InsertShape,
        columns: Vec<String>,
        rows: Vec<Vec<Option<String>>>,
    },
    /// TRUNCATE, one for each table.
    Truncate { table: TableName, cascade: bool, only: bool },
    /// RENAME INDEX, ALTER INDEX ... RENAME TO. PostgreSQL does not name the table.
    RenameIndex { table: Option<TableName>, index: String, to: String },
    /// RENAME CONSTRAINT.
    RenameConstraint { table: TableName, constraint: String, to: String },
    /// It writes the whole table anew and changes no column: ENGINE=, CONVERT TO CHARACTER SET, VACUUM FULL, CLUSTER,
    /// SET TABLESPACE, SET LOGGED, OPTIMIZE TABLE, REFRESH MATERIALIZED VIEW; `what` in the statement's words.
    Rebuild { table: TableName, what: String },
    /// It changes what the catalog says of a table, under a short lock: OWNER TO, storage parameters, COMMENT=,
    /// ENABLE TRIGGER, CREATE TRIGGER; `what` in the statement's words.
    TableSetting { table: TableName, what: String },
    /// What stands beside tables, or acts on tables as a whole (PostgreSQL).
    Act(Box<Act>),
    /// MySQL, MariaDB: an option of the table as a whole, in ALTER TABLE or behind CREATE TABLE: `ENGINE`, `COMMENT`,
    /// `CONVERT` (to a character set), `FORCE`; in capitals, with its value as written.
    TableOption { table: TableName, name: String, value: Option<String> },
    /// MySQL, MariaDB: an operation on the table's partitions: `ADD PARTITION`, `PARTITION BY`, `REMOVE PARTITIONING`.
    Partitions {
        table: TableName,
        operation: String,
        method: Option<String>,
        columns: Vec<String>,
        to: Option<TableName>,
        /// The partitions that it names, and those that it makes.
        listed: Vec<String>,
        made: Vec<Partition>,
    },
    /// MySQL, MariaDB: `ALGORITHM=`, `LOCK=`, in capitals: what the statement asks of the server.
    Demand { table: TableName, algorithm: Option<String>, lock: Option<String> },
    /// MySQL, MariaDB: the statement takes no ALGORITHM and no LOCK, unlike ALTER TABLE, which does the same:
    /// RENAME TABLE, MariaDB's DROP INDEX.
    Clauseless { table: TableName },
    /// It changes nothing that matters: SELECT, SET, COMMENT, BEGIN, ...
    Harmless,
    /// It makes or replaces an object that stands beside tables: a view, function, type, sequence, schema, role, grant.
    Other { what: String },
    /// It is not understood: the worst must be assumed. Says why.
    Opaque { why: String },
}

/// What an INSERT relies on, and where its rows come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct InsertShape {
    /// It names no columns: it gives a value to each, in their order.
    pub(crate) unnamed: bool,
    /// Its rows come from a query.
    pub(crate) queried: bool,
}

/// What else CREATE INDEX says; but for `keys` on PostgreSQL alone.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "SQL's own marks, each there or not")]
pub(crate) struct IndexForm {
    /// ON ONLY: not on the partitions.
    pub(crate) only: bool,
    /// WHERE, as written.
    pub(crate) condition: Option<String>,
    /// It has no name: the server finds one that is free (MySQL, MariaDB).
    pub(crate) unnamed: bool,
    /// WHERE: not of all rows.
    pub(crate) partial: bool,
    /// INCLUDE: with columns that are no keys.
    pub(crate) include: bool,
    /// The keys as written, when one says more than its column: an order, an operator class, a length.
    pub(crate) keys: Option<String>,
}

/// Where a new table's columns and rows come from, and what it belongs to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "SQL's own marks, each there or not")]
pub(crate) struct Origin {
    /// INHERITS, PARTITION OF.
    pub(crate) parents: Vec<TableName>,
    /// The text behind PARTITION OF parent: `FOR VALUES ...`, `DEFAULT`.
    pub(crate) bound: Option<String>,
    /// PARTITION BY: its columns and expressions.
    pub(crate) partitioned_by: Vec<String>,
    /// LIKE.
    pub(crate) like: Vec<TableName>,
    /// LIKE ... INCLUDING INDEXES, ALL: with keys and indexes.
    pub(crate) like_indexes: bool,
    /// LIKE ... INCLUDING CONSTRAINTS, ALL: with CHECKs.
    pub(crate) like_checks: bool,
    /// OF a composite type.
    pub(crate) of_type: Option<TableName>,
    /// The primary key's name, when given.
    pub(crate) key_name: Option<String>,
    /// UNLOGGED.
    pub(crate) unlogged: bool,
    /// CREATE FOREIGN TABLE.
    pub(crate) foreign: bool,
    /// AS SELECT: what it reads.
    pub(crate) reads: Vec<Read>,
    /// AS SELECT ... WITH NO DATA.
    pub(crate) no_data: bool,
}

/// A column as a statement writes it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "SQL's own marks, each there or not")]
pub(crate) struct ColumnDef {
    /// Its name.
    pub(crate) name: String,
    /// Its type, as written.
    pub(crate) data_type: String,
    /// COLLATE, as written.
    pub(crate) collation: Option<String>,
    /// NOT NULL.
    pub(crate) not_null: bool,
    /// DEFAULT, as written.
    pub(crate) default: Option<String>,
    /// `GENERATED ... AS (expr)`, as written.
    pub(crate) generated: Option<String>,
    /// IDENTITY, serial, `AUTO_INCREMENT`.
    pub(crate) counts: bool,
    /// PRIMARY KEY beside the column.
    pub(crate) primary_key: bool,
    /// UNIQUE beside the column.
    pub(crate) unique: bool,
    /// FIRST, AFTER (MySQL, MariaDB).
    pub(crate) position: Option<Position>,
}

/// Where a column comes to stand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Position {
    /// Before all others.
    First,
    /// Behind that one.
    After(String),
}

/// A constraint as a statement writes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ConstraintDef {
    /// Its name, when given.
    pub(crate) name: Option<String>,
    /// What it demands.
    pub(crate) kind: ConstraintDefKind,
    /// The columns that it names.
    pub(crate) columns: Vec<String>,
    /// NOT VALID; NOT ENFORCED.
    pub(crate) not_valid: bool,
    /// The columns at a foreign key's other end, when they are named.
    pub(crate) references: Vec<String>,
    /// What a foreign key does to its rows: `ON DELETE CASCADE ON UPDATE SET NULL`; none when it only refuses.
    pub(crate) actions: String,
    /// NO INHERIT (PostgreSQL).
    pub(crate) no_inherit: bool,
    /// Whether it stands beside a column (MySQL before 9.0 reads such a foreign key, and makes none).
    pub(crate) inline: bool,
}

impl ConstraintDef {
    /// A constraint of a table, with nothing beside.
    pub(crate) fn new(name: Option<String>, kind: ConstraintDefKind, columns: Vec<String>) -> Self {
        Self {
            name,
            kind,
            columns,
            not_valid: false,
            references: Vec::new(),
            actions: String::new(),
            no_inherit: false,
            inline: false,
        }
    }
}

/// What a written constraint demands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum ConstraintDefKind {
    /// PRIMARY KEY, by an index that is there already or not.
    PrimaryKey { using_index: bool },
    /// UNIQUE, by an index that is there already or not.
    Unique { using_index: bool },
    /// CHECK (expr), as written.
    Check { expression: String },
    /// FOREIGN KEY to a table.
    ForeignKey { to: TableName },
    /// EXCLUDE.
    Exclusion,
}
