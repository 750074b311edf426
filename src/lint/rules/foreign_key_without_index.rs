//! Foreign keys whose columns no index leads to.

use super::{Check, FileSubject, Placed, Report, Rule};
use crate::sql::change::{Change, ConstraintDefKind};

pub(super) const RULE: Rule = Rule {
    id: "foreign-key-without-index",
    data: include_str!("../../../lints/foreign-key-without-index.toml"),
    judges_generated: false,
    check: Check::File(check),
};

fn check(cx: &FileSubject<'_>) -> Vec<Placed> {
    let mut found = Vec::new();
    for (place, change) in cx.changes() {
        let Change::AddConstraint { table, constraint } = change else { continue };
        let ConstraintDefKind::ForeignKey { to } = &constraint.kind else { continue };
        let Some(known) = cx.catalog.tables.get(table) else { continue };
        let leads = |columns: &[String]| {
            let first = columns.get(..constraint.columns.len()).unwrap_or_default();
            !first.is_empty() && constraint.columns.iter().all(|column| first.contains(column))
        };
        let is_indexed =
            leads(&known.key) || known.indexes.iter().any(|index| leads(&index.columns));
        if is_indexed || constraint.columns.is_empty() {
            continue;
        }
        let message = format!(
            "no index of table \"{}\" begins with {}: each DELETE, and each UPDATE of the key, in table \"{}\" reads all of it",
            cx.names.show(table),
            constraint.columns.join(", "),
            cx.names.show(to)
        );
        found.push(
            Report::new(message, "Create an index over the columns of the foreign key").at(place),
        );
    }
    found
}
