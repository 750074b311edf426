//! A rename on one table as it was: what the steps of every phase are made from.

use super::RenameColumn;
use crate::model::name::TableName;
use crate::model::phase::Phase;
use crate::model::step::{Action, Backfill, Probe, Seal, Statement, Step, Verify};
use crate::operation::carry::mysql::live_default;
use crate::operation::carry::{Carry, Part};
use crate::operation::sync::{Image, differs, triggers};
use crate::operation::{Context, Operation, Sync, SyncMode, kept, names};
use crate::sql::catalog::{Column, Table};
use crate::sql::quote::{ident, table as quoted};

/// A rename on one table.
#[derive(Debug)]
pub(super) struct Renaming<'a> {
    pub(super) operation: &'a RenameColumn,
    pub(super) cx: &'a Context<'a>,
    /// The table as the catalog names it.
    pub(super) table: TableName,
    /// The table as people call it.
    pub(super) shown: String,
    /// The table before expand; a table without anything when it is not known.
    pub(super) base: Table,
    /// Whether it is known.
    pub(super) is_known: bool,
    /// The old column before expand; one of an unknown type when it is not known.
    pub(super) column: Column,
    /// Under which name contract hides the old column.
    pub(super) hidden: String,
}

impl<'a> Renaming<'a> {
    pub(super) fn new(operation: &'a RenameColumn, cx: &'a Context<'a>) -> Self {
        let table = cx.resolve(&operation.table);
        let known = cx.base.tables.get(&table);
        let column = known.and_then(|known| known.column(&operation.from)).cloned();
        Self {
            is_known: column.is_some(),
            column: column.unwrap_or_else(|| unknown_column(operation)),
            base: known.cloned().unwrap_or_default(),
            hidden: names::hidden(cx.server.engine, cx.migration, &operation.from),
            shown: table.shown(cx.schema),
            table,
            operation,
            cx,
        }
    }

    pub(super) fn from(&self) -> &str {
        &self.operation.from
    }

    pub(super) fn to(&self) -> &str {
        &self.operation.to
    }

    /// A name, quoted.
    pub(super) fn quote(&self, name: &str) -> String {
        ident(self.cx.server.engine, name)
    }

    /// The table, quoted.
    pub(super) fn quoted_table(&self) -> String {
        quoted(self.cx.server.engine, &self.table)
    }

    pub(super) fn carry(&self) -> Carry<'_> {
        Carry {
            server: self.cx.server,
            migration: self.cx.migration,
            table: &self.table,
            base: &self.base,
            column: &self.column,
            to: self.to(),
        }
    }

    /// The default of the new column while both live (MySQL, MariaDB).
    pub(super) fn live_default(&self) -> Option<String> {
        if self.cx.server.engine.is_mysql_family() { live_default(&self.carry()) } else { None }
    }

    /// What this operation's triggers keep alike when `phase` is done.
    pub(super) fn own_sync(&self, phase: Phase) -> Option<Sync> {
        let (old, mode) = match phase {
            Phase::Expand | Phase::Migrate | Phase::Reveal => (self.from(), SyncMode::Both),
            Phase::Contract => (self.hidden.as_str(), SyncMode::Feed),
            Phase::Purge | Phase::Rollback => return None,
        };
        Some(Sync {
            migration: self.cx.migration.clone(),
            table: self.table.clone(),
            old: old.to_owned(),
            new: self.to().to_owned(),
            mode,
            image: self.image(),
            new_default: self.live_default(),
        })
    }

    /// The table's triggers after `phase`, with those of all open migrations.
    pub(super) fn triggers(&self, phase: Phase) -> Vec<Statement> {
        let mut syncs = self.cx.others.to_vec();
        syncs.extend(self.own_sync(phase));
        triggers(self.cx.server, &self.table, &syncs)
    }

    pub(super) fn backfill(&self) -> Part {
        let (from, to) = (self.quote(self.from()), self.quote(self.to()));
        Part {
            slug: "backfill".to_owned(),
            title: format!("fill {}.{} from {}", self.shown, self.to(), self.from()),
            locks: Vec::new(),
            action: Action::Backfill(Backfill {
                table: self.table.clone(),
                set: format!("{to} = {from}{}", kept(self.cx.server.engine, &self.base, "")),
                pending: Some(self.differ()),
            }),
        }
    }

    pub(super) fn verify(&self) -> Part {
        Part {
            slug: "verify".to_owned(),
            title: format!("verify that {}.{} equals {}", self.shown, self.to(), self.from()),
            locks: Vec::new(),
            action: Action::Verify(Verify { table: self.table.clone(), wrong: self.differ() }),
        }
    }

    /// A part that needs a strong lock on the table.
    pub(super) fn part(&self, slug: &str, title: String, action: Action) -> Part {
        Part { slug: slug.to_owned(), title, locks: vec![self.table.clone()], action }
    }

    /// Whether a column is there.
    pub(super) fn column_probe(&self, column: &str, present: bool) -> Probe {
        Probe::Column { table: self.table.clone(), column: column.to_owned(), present }
    }

    /// Names that belong to something else by now, so that purge cannot give them back.
    pub(super) fn taken_names(&self) -> Vec<String> {
        let Some(now) = self.cx.now.and_then(|now| now.tables.get(&self.table)) else {
            return Vec::new();
        };
        let foreign = |columns: &[String]| !columns.contains(&self.hidden);
        let indexes = now.indexes.iter().filter(|index| foreign(&index.columns));
        let constraints = now.constraints.iter().filter(|found| foreign(&found.columns));
        indexes
            .map(|index| &index.name)
            .chain(constraints.map(|found| &found.name))
            .cloned()
            .collect()
    }

    /// A part at its place.
    pub(super) fn step(&self, phase: Phase, part: Part) -> Step {
        let name = format!("{}-{}", self.cx.position, part.slug);
        let sealed = format!("{phase} {name} {}", self.operation.declaration());
        Step {
            name,
            title: part.title,
            tables: part.locks,
            seal: Seal(names::digest(&sealed)),
            action: part.action,
            origin: None,
        }
    }

    fn differ(&self) -> String {
        let (from, to) = (self.quote(self.from()), self.quote(self.to()));
        differs(self.cx.server.engine, self.image(), &from, &to)
    }

    /// How values are compared; those of a type that is not known by their bytes.
    fn image(&self) -> Image {
        let lower = self.column.data_type.to_ascii_lowercase();
        let word = lower.split(|next: char| next != ' ' && !next.is_ascii_alphanumeric()).next();
        let word = word.unwrap_or_default().trim();
        let is_exact = if self.cx.server.engine.is_mysql_family() {
            !is_loose_in_mysql(word)
        } else {
            is_exact_in_postgres(word) && self.column.collation.is_none()
        };
        if is_exact { Image::Value } else { Image::Bytes }
    }
}

/// Texts have collations that call different texts equal.
fn is_loose_in_mysql(word: &str) -> bool {
    let loose =
        ["char", "varchar", "text", "tinytext", "mediumtext", "longtext", "enum", "set", ""];
    loose.contains(&word.split(' ').next().unwrap_or_default())
}

/// Types of which no two different values are equal: not float (-0), numeric (scale), interval, json. A text is one as long
/// as its collation is its type's: only a collation of its own can call different texts equal (a database's cannot).
fn is_exact_in_postgres(word: &str) -> bool {
    [
        "smallint",
        "integer",
        "bigint",
        "boolean",
        "text",
        "character varying",
        "uuid",
        "date",
        "timestamp with time zone",
        "timestamp without time zone",
        "bytea",
    ]
    .contains(&word)
}

/// A plan without a database shows what it does not know.
fn unknown_column(operation: &RenameColumn) -> Column {
    Column {
        name: operation.from.clone(),
        data_type: format!("<type of {}.{}>", operation.table, operation.from),
        ..Column::default()
    }
}
