//! How the catalog tells that a statement of a file took effect.

use crate::model::name::TableName;
use crate::model::step::Probe;
use crate::plan::steps::PlanContext;
use crate::sql::change::{Change, Located};

/// The clauses of one statement take effect together, so that one that leaves a trace tells for all.
pub(super) fn done(sql: &str, changes: &[Located], cx: &PlanContext<'_>) -> Probe {
    if is_guarded(sql) {
        return Probe::Repeatable;
    }
    // What a block does depends on what it finds.
    if changes.iter().any(Located::is_in_block) {
        return Probe::Undecidable;
    }
    let mut probes = changes.iter().map(|located| of(&located.change, cx.schema));
    let mut verdict = Probe::Repeatable;
    for probe in probes.by_ref() {
        match probe {
            Probe::Repeatable => {}
            Probe::Undecidable => verdict = Probe::Undecidable,
            telling => return telling,
        }
    }
    verdict
}

/// `CREATE OR REPLACE ...`, which may be run again.
fn is_guarded(sql: &str) -> bool {
    let mut words = sql.split_whitespace().map(str::to_ascii_uppercase);
    let start = [words.next(), words.next(), words.next()];
    start.iter().flatten().map(String::as_str).eq(["CREATE", "OR", "REPLACE"])
}

fn of(change: &Change, schema: Option<&str>) -> Probe {
    let named = |table: &TableName| table.or_in(schema);
    let table_probe = |table: &TableName, present| Probe::Table { table: named(table), present };
    let column_probe = |table: &TableName, column: &str, present| Probe::Column {
        table: named(table),
        column: column.to_owned(),
        present,
    };
    let index_probe = |table: &TableName, index: &str, present| Probe::Index {
        table: named(table),
        index: index.to_owned(),
        present,
    };
    let constraint_probe = |table: &TableName, constraint: &str, present| Probe::Constraint {
        table: named(table),
        constraint: constraint.to_owned(),
        present,
    };
    let null_probe = |table: &TableName, column: &str, present| Probe::NotNull {
        table: named(table),
        column: column.to_owned(),
        present,
    };
    match change {
        Change::CreateTable { if_not_exists: true, .. }
        | Change::DropTable { if_exists: true, .. }
        | Change::AddColumn { if_not_exists: true, .. }
        | Change::DropColumn { if_exists: true, .. }
        | Change::DropIndex { if_exists: true, .. } => Probe::Repeatable,
        Change::CreateTable { table, .. } => table_probe(table, true),
        Change::DropTable { table, .. } => table_probe(table, false),
        Change::RenameTable { to, .. } => table_probe(to, true),
        Change::AddColumn { table, column, .. } => column_probe(table, &column.name, true),
        Change::DropColumn { table, column, .. } => column_probe(table, column, false),
        Change::RenameColumn { table, to, .. } => column_probe(table, to, true),
        Change::SetNotNull { table, column } => null_probe(table, column, true),
        Change::DropNotNull { table, column } => null_probe(table, column, false),
        Change::CreateIndex { table, index: Some(index), .. } => index_probe(table, index, true),
        Change::DropIndex { table: Some(table), index, .. } => index_probe(table, index, false),
        Change::RenameIndex { table: Some(table), to, .. } => index_probe(table, to, true),
        Change::AddConstraint { table, constraint } => match &constraint.name {
            Some(name) => constraint_probe(table, name, true),
            None => Probe::Undecidable,
        },
        Change::DropConstraint { table, constraint } => constraint_probe(table, constraint, false),
        Change::RenameConstraint { table, to, .. } => constraint_probe(table, to, true),
        Change::ChangeType { .. }
        | Change::SetDefault { .. }
        | Change::ValidateConstraint { .. }
        | Change::Delete { .. }
        | Change::Truncate { .. }
        | Change::Rebuild { .. }
        | Change::TableSetting { .. }
        | Change::TableOption { .. }
        | Change::Demand { .. }
        | Change::Clauseless { .. }
        | Change::Harmless => Probe::Repeatable,
        Change::CreateIndex { index: None, .. }
        | Change::DropIndex { table: None, .. }
        | Change::RenameIndex { table: None, .. }
        | Change::Update { .. }
        | Change::Insert { .. }
        | Change::Act(_)
        | Change::Partitions { .. }
        | Change::Other { .. }
        | Change::Opaque { .. } => Probe::Undecidable,
    }
}
