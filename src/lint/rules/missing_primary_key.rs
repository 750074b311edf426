//! Tables whose rows nothing tells apart.

use super::{Check, FileSubject, Placed, Report, Rule};
use crate::sql::change::Change;

pub(super) const RULE: Rule = Rule {
    id: "missing-primary-key",
    data: include_str!("../../../lints/missing-primary-key.toml"),
    judges_generated: false,
    check: Check::File(check),
};

fn check(cx: &FileSubject<'_>) -> Vec<Placed> {
    let mut found = Vec::new();
    for (place, change) in cx.changes() {
        // A table whose columns are not understood, or come from elsewhere, may have a key all the same.
        let Change::CreateTable { table, columns, temporary: false, .. } = change else { continue };
        let has_none = cx.catalog.tables.get(table).is_some_and(|known| known.key.is_empty());
        if columns.is_empty() || !has_none {
            continue;
        }
        let message = format!(
            "table \"{}\" has no primary key: no row can be named, replicas search all of it for each change, and zdm cannot \
             fill it in batches",
            cx.names.show(table)
        );
        found.push(Report::new(message, "Give it a primary key").at(place));
    }
    found
}
