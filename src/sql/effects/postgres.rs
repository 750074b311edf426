//! PostgreSQL.

use super::case::Case;
use super::defaults::{self, DefaultKind};
use super::{Cost, Mode};
use crate::model::name::TableName;
use crate::model::server::{Engine, Server};
use crate::sql::catalog::{Catalog, ConstraintKind, Table};
use crate::sql::change::{Change, ColumnDef, ConstraintDef, ConstraintDefKind, Located};
use crate::sql::rename::mentions;
use crate::sql::types::DataType;

/// Adds what one change costs. `used`: somebody uses its table.
pub(super) fn add(
    cost: &mut Cost,
    change: &Change,
    (catalog, used, statement): (&Catalog, bool, &[Located]),
    server: Server,
) {
    let known = |table: &TableName| catalog.tables.get(table);
    match change {
        // Acts, and the changes that `acts` judges.
        Change::CreateTable { .. }
        | Change::DropTable { .. }
        | Change::CreateIndex { .. }
        | Change::DropIndex { .. }
        | Change::RenameIndex { .. }
        | Change::Truncate { .. }
        | Change::Insert { .. }
        | Change::Update { .. }
        | Change::Delete { .. }
        | Change::Act(_)
        | Change::Harmless
        | Change::Other { .. }
        | Change::Opaque { .. } => {}
        Change::RenameTable { table, .. }
        | Change::DropColumn { table, .. }
        | Change::RenameColumn { table, .. }
        | Change::DropNotNull { table, .. }
        | Change::SetDefault { table, .. }
        | Change::RenameConstraint { table, .. }
        | Change::DropConstraint { table, .. } => cost.lock(table, Mode::AccessExclusive),
        Change::AddColumn { table, column, .. } => cost.add(&add_column(table, column), server),
        Change::ChangeType { table, column, to, using } => {
            cost.lock(table, Mode::AccessExclusive);
            if using.is_some() || !is_free(known(table), column, to) {
                cost.rewrite(table);
            } else if known(table).is_some_and(|known| is_checked(known, column)) {
                cost.scan(table);
            }
        }
        Change::SetNotNull { table, column } => {
            cost.lock(table, Mode::AccessExclusive);
            if !is_known_not_null(known(table), column) {
                cost.scan(table);
            }
        }
        Change::AddConstraint { table, constraint } => {
            add_constraint(cost, table, constraint, (known(table), used, statement));
        }
        Change::ValidateConstraint { table, .. } => {
            cost.lock(table, Mode::ShareUpdateExclusive);
            cost.scan(table);
        }
        Change::Rebuild { table, what } => {
            cost.lock(table, if what == "REINDEX" { Mode::Share } else { Mode::AccessExclusive });
            cost.rewrite(table);
        }
        Change::TableSetting { table, what } => cost.lock(table, setting(what)),
    }
}

fn add_column(table: &TableName, column: &ColumnDef) -> Case {
    let default = column.default.as_deref().map(|text| defaults::kind(text, Engine::Postgres));
    let stored = column.generated.as_ref().is_some_and(|text| !text.ends_with(" VIRTUAL"));
    Case::new("add_column", table)
        .fact("not-null", column.not_null)
        .fact("has-default", default.is_some())
        .fact("default-volatile", default == Some(DefaultKind::Volatile))
        .fact("counts", column.counts)
        .fact("generated", column.generated.is_some())
        .fact("generated-stored", stored)
}

/// Whether a new type needs neither new rows nor a look at the old ones.
fn is_free(table: Option<&Table>, column: &str, to: &ColumnDef) -> bool {
    let Some(known) = table.and_then(|table| table.column(column)) else { return false };
    let parse = |text| DataType::parse(text, Engine::Postgres);
    parse(&known.data_type).widens_to(&parse(&to.data_type))
}

/// Whether a CHECK names the column: PostgreSQL checks it again for a new type, even for one that needs no new rows.
fn is_checked(table: &Table, column: &str) -> bool {
    table.constraints.iter().any(|known| {
        known.kind == ConstraintKind::Check && mentions(Engine::Postgres, &known.definition, column)
    })
}

/// Whether a valid CHECK (or the column itself) already says that there is no NULL: PostgreSQL then skips its scan.
fn is_known_not_null(table: Option<&Table>, column: &str) -> bool {
    let Some(table) = table else { return false };
    let says_so = |definition: &str| {
        let words: Vec<_> = definition
            .split(|character: char| {
                character.is_whitespace() || matches!(character, '(' | ')' | '"')
            })
            .filter(|word| !word.is_empty())
            .collect();
        let [check, name, is, not, null] = words.as_slice() else { return false };
        check.eq_ignore_ascii_case("CHECK")
            && *name == column
            && [*is, *not, *null].join(" ").eq_ignore_ascii_case("IS NOT NULL")
    };
    table.column(column).is_some_and(|known| known.not_null)
        || table.constraints.iter().any(|known| {
            known.kind == ConstraintKind::Check && known.valid && says_so(&known.definition)
        })
}

fn add_constraint(
    cost: &mut Cost,
    table: &TableName,
    constraint: &ConstraintDef,
    (known, used, statement): (Option<&Table>, bool, &[Located]),
) {
    let scan = |cost: &mut Cost| {
        if used && !constraint.not_valid {
            cost.scan(table);
        }
    };
    let lock = |cost: &mut Cost, mode| {
        if used {
            cost.lock(table, mode);
        }
    };
    match &constraint.kind {
        ConstraintDefKind::PrimaryKey { using_index: true } => {
            lock(cost, Mode::AccessExclusive);
            let index = known.and_then(|known| {
                known.indexes.iter().find(|index| Some(&index.name) == constraint.columns.first())
            });
            let checked = index.is_some_and(|index| {
                index.columns.iter().all(|column| is_known_not_null(known, column))
            });
            if !checked {
                scan(cost);
            }
        }
        ConstraintDefKind::Unique { using_index: true } => lock(cost, Mode::AccessExclusive),
        ConstraintDefKind::PrimaryKey { .. }
        | ConstraintDefKind::Unique { .. }
        | ConstraintDefKind::Check { .. }
        | ConstraintDefKind::Exclusion => {
            lock(cost, Mode::AccessExclusive);
            scan(cost);
        }
        ConstraintDefKind::ForeignKey { to } => {
            lock(cost, Mode::ShareRowExclusive);
            if to != table {
                cost.lock(to, Mode::ShareRowExclusive);
            }
            if !is_on_empty_column(constraint, statement) {
                scan(cost);
            }
        }
    }
}

/// A column that the same statement adds without a default holds nothing that a foreign key could refuse: PostgreSQL
/// does not look. Source: `transformAlterTableStmt`, `skipValidation`.
fn is_on_empty_column(constraint: &ConstraintDef, statement: &[Located]) -> bool {
    constraint.columns.iter().all(|name| {
        statement.iter().any(|located| {
            matches!(&located.change, Change::AddColumn { column, .. } if column.name == *name && column.default.is_none())
        })
    })
}

/// The lock of what changes only what the catalog says of a table. Source: `AlterTableGetLockLevel`.
fn setting(what: &str) -> Mode {
    let upper = what.to_ascii_uppercase();
    let words: Vec<_> = upper.split_whitespace().collect();
    match words.as_slice() {
        ["CREATE", "TRIGGER", ..]
        | ["ENABLE" | "DISABLE", "TRIGGER" | "ALWAYS" | "REPLICA", ..] => Mode::ShareRowExclusive,
        ["SET" | "RESET", option, ..] if option.starts_with('(') => Mode::ShareUpdateExclusive,
        ["COMMENT", ..] | ["CLUSTER", "ON", ..] | ["SET", "WITHOUT", "CLUSTER", ..] => {
            Mode::ShareUpdateExclusive
        }
        ["ALTER", .., "STATISTICS", _] => Mode::ShareUpdateExclusive,
        _ => Mode::AccessExclusive,
    }
}
