//! Indexes that another one makes needless.

use super::{Check, FileSubject, Placed, Report, Rule};
use crate::lint::finding::Severity;
use crate::model::name::TableName;
use crate::sql::catalog::{Index, Table};
use crate::sql::change::{Change, ConstraintDefKind};

pub(super) const RULE: Rule = Rule {
    id: "redundant-index",
    data: include_str!("../../../lints/redundant-index.toml"),
    judges_generated: false,
    check: Check::File(check),
};

fn check(cx: &FileSubject<'_>) -> Vec<Placed> {
    let mut found = Vec::new();
    for (place, change) in cx.changes() {
        // What is dropped again, or serves in another's place, is not in the schema behind the last statement.
        let report = match change {
            Change::CreateIndex { table, index, columns, form, kind: None, .. }
                if !form.partial && !form.include && form.keys.is_none() =>
            {
                cx.catalog.tables.get(table).and_then(|known| {
                    let own = own(cx, known, index.as_deref(), columns)?;
                    covered(cx, table, known, own)
                })
            }
            Change::AddConstraint { table, constraint }
                if matches!(constraint.kind, ConstraintDefKind::Unique { using_index: false }) =>
            {
                cx.catalog.tables.get(table).and_then(|known| {
                    let own = own(cx, known, constraint.name.as_deref(), &constraint.columns)?;
                    covered(cx, table, known, own)
                })
            }
            _ => None,
        };
        found.extend(report.map(|report| report.at(place)));
    }
    found
}

/// Where the catalog has the index that was made.
fn own(
    cx: &FileSubject<'_>,
    table: &Table,
    name: Option<&str>,
    columns: &[String],
) -> Option<usize> {
    table.indexes.iter().rposition(|known| {
        known.columns == columns && name.is_none_or(|name| cx.engine.same_name(name, &known.name))
    })
}

/// What makes an index needless: one over the same columns, or over more that begin with them.
fn covered(cx: &FileSubject<'_>, table: &TableName, known: &Table, own: usize) -> Option<Report> {
    let index = known.indexes.get(own)?;
    let begins = |columns: &[String]| {
        columns.len() >= index.columns.len()
            && columns.iter().zip(&index.columns).all(|(a, b)| cx.engine.same_name(a, b))
    };
    let is_same = |columns: &[String]| begins(columns) && columns.len() == index.columns.len();
    let shown = cx.names.show(table);
    let (name, of) = (&index.name, index.columns.join(", "));
    let help = "Leave it out: each index is written with every row";
    if is_same(&known.key) || (!index.unique && begins(&known.key)) {
        let message = format!(
            "index \"{name}\" of table \"{shown}\" over {of} does what the index of the primary key does already"
        );
        let report = Report::new(message, help);
        let same = is_same(&known.key);
        return Some(if same { report } else { report.at_most(Severity::Info) });
    }
    let others = known.indexes.iter().enumerate();
    let mut others = others.filter(|(at, other)| *at != own && is_plain(known, other));
    let (_, other) = others.find(|(at, other)| {
        // Of two that are alike the later is one too many; but none does what a unique one does.
        let alike = is_same(&other.columns) && (other.unique || !index.unique);
        let longer = begins(&other.columns) && !is_same(&other.columns) && !index.unique;
        (alike && (*at < own || (other.unique && !index.unique))) || longer
    })?;
    let message = format!(
        "index \"{name}\" of table \"{shown}\" over {of} does what index \"{}\" over {} does already",
        other.name,
        other.columns.join(", ")
    );
    let report = Report::new(message, help);
    Some(if is_same(&other.columns) { report } else { report.at_most(Severity::Info) })
}

/// Whether an index is over plain columns of all rows, as its definition shows, and stays: MySQL and MariaDB drop what
/// they made for a foreign key once there is another.
fn is_plain(table: &Table, index: &Index) -> bool {
    let body =
        index.definition.split_once(" USING ").map_or(index.definition.as_str(), |(_, it)| it);
    let body = body.strip_prefix("btree ").unwrap_or(body);
    let is_for_key = table.constraints.iter().any(|key| {
        key.name.eq_ignore_ascii_case(&index.name) && key.columns == index.columns && !index.unique
    });
    let bare = body.replace(['`', '"'], "").replace(", ", ",");
    index.kind.is_none() && !is_for_key && bare == format!("({})", index.columns.join(","))
}
