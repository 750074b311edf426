//! Constraints that what old builds write may not meet.

use super::{Check, Report, Rule, Subject};
use crate::model::name::TableName;
use crate::sql::change::{Change, ConstraintDefKind};
use crate::sql::rename::mentions;

pub(super) const RULE: Rule = Rule {
    id: "new-constraint",
    data: include_str!("../../../lints/new-constraint.toml"),
    judges_generated: false,
    check: Check::Change(check),
};

fn check(cx: &Subject<'_>) -> Vec<Report> {
    let (table, what, columns) = match &cx.located.change {
        Change::CreateIndex { table, unique: true, columns, .. } => {
            (table, "UNIQUE", columns.clone())
        }
        Change::AddConstraint { table, constraint } => match &constraint.kind {
            // The index was unique before.
            ConstraintDefKind::Unique { using_index: true }
            | ConstraintDefKind::PrimaryKey { using_index: true } => return Vec::new(),
            ConstraintDefKind::Unique { .. } => (table, "UNIQUE", constraint.columns.clone()),
            ConstraintDefKind::PrimaryKey { .. } => {
                (table, "PRIMARY KEY", constraint.columns.clone())
            }
            ConstraintDefKind::Exclusion => (table, "EXCLUDE", constraint.columns.clone()),
            ConstraintDefKind::ForeignKey { .. } => {
                (table, "FOREIGN KEY", constraint.columns.clone())
            }
            ConstraintDefKind::Check { expression } => {
                (table, "CHECK", checked(cx, table, &constraint.columns, expression))
            }
        },
        _ => return Vec::new(),
    };
    // What old builds do not know they leave out, and NULL meets all of these.
    let all_new = !columns.is_empty() && columns.iter().all(|name| cx.is_new_column(table, name));
    if cx.is_new(table) || all_new {
        return Vec::new();
    }
    let message = format!(
        "table \"{}\" gets a {what} that old builds do not know: what they write and does not meet it fails",
        cx.show(table)
    );
    let help = "Add it in contract.sql, or make sure that no old build writes what it refuses, and allow this with that reason";
    vec![Report::new(message, help)]
}

/// The columns that a CHECK looks at, as far as they can be known.
fn checked(cx: &Subject<'_>, table: &TableName, named: &[String], expression: &str) -> Vec<String> {
    let engine = cx.server.engine;
    let old = cx.known(table).map(|known| known.columns.as_slice()).unwrap_or_default();
    let added = cx.changes.iter().filter_map(|other| match &other.change {
        Change::AddColumn { column, .. } => Some(&column.name),
        _ => None,
    });
    let known = old.iter().map(|column| &column.name).chain(added).chain(named);
    known.filter(|name| mentions(engine, expression, name)).cloned().collect()
}
