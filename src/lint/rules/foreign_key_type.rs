//! Foreign keys whose columns have another type than what they point at.

use super::{Check, FileSubject, Placed, Report, Rule};
use crate::lint::finding::Severity;
use crate::model::name::TableName;
use crate::sql::catalog::{Column, Table};
use crate::sql::change::{Change, ConstraintDef, ConstraintDefKind};
use crate::sql::fits::{Fit, fit};
use crate::sql::types::is_whole_number;

pub(super) const RULE: Rule = Rule {
    id: "foreign-key-type",
    data: include_str!("../../../lints/foreign-key-type.toml"),
    judges_generated: false,
    check: Check::File(check),
};

fn check(cx: &FileSubject<'_>) -> Vec<Placed> {
    let mut found = Vec::new();
    for (place, change) in cx.changes() {
        let Change::AddConstraint { table, constraint } = change else { continue };
        let ConstraintDefKind::ForeignKey { to } = &constraint.kind else { continue };
        found.extend(mismatch(cx, table, to, constraint).map(|report| report.at(place)));
    }
    found
}

/// The first pair of columns that do not fit together.
fn mismatch(
    cx: &FileSubject<'_>,
    table: &TableName,
    to: &TableName,
    constraint: &ConstraintDef,
) -> Option<Report> {
    let (own, other) = (cx.catalog.tables.get(table)?, cx.catalog.tables.get(to)?);
    let far = if constraint.references.is_empty() { &other.key } else { &constraint.references };
    let pairs = constraint.columns.iter().zip(far);
    let pairs = pairs.filter_map(|(a, b)| Some((column(cx, own, a)?, column(cx, other, b)?)));
    pairs.into_iter().find_map(|(here, there)| judge(cx, (table, here), (to, there)))
}

fn column<'c>(cx: &FileSubject<'_>, table: &'c Table, name: &str) -> Option<&'c Column> {
    table.columns.iter().find(|column| cx.engine.same_name(&column.name, name))
}

fn judge(
    cx: &FileSubject<'_>,
    (table, here): (&TableName, &Column),
    (to, there): (&TableName, &Column),
) -> Option<Report> {
    let fits = fit(&there.data_type, &here.data_type, cx.engine);
    // MySQL and MariaDB compare numbers exactly; texts may differ in length.
    let whole = |column: &Column| is_whole_number(&column.data_type, cx.engine);
    let is_refused = cx.engine.is_mysql_family()
        && here.data_type != there.data_type
        && (whole(here) || whole(there));
    let happens = match fits {
        _ if is_refused => "the server refuses it",
        Fit::Narrows => {
            "keys that do not fit can never be referenced, and the first of them is met in production"
        }
        Fit::Differs => "the server refuses it, or converts one for each comparison",
        Fit::Holds | Fit::Unknown => return None,
    };
    let message = format!(
        "column \"{}\" of table \"{}\" is {}, and \"{}\" of table \"{}\", which it points at, is {}: {happens}",
        here.name,
        cx.names.show(table),
        here.data_type,
        there.name,
        cx.names.show(to),
        there.data_type
    );
    let report = Report::new(message, format!("Give the column the type {}", there.data_type));
    Some(if is_refused { report } else { report.at_most(Severity::Warning) })
}
