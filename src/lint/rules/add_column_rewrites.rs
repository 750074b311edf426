//! New columns for which the server writes the whole table anew.

use super::{Check, Report, Rule, Subject};
use crate::sql::change::Change;

pub(super) const RULE: Rule = Rule {
    id: "add-column-rewrites",
    data: include_str!("../../../lints/add-column-rewrites.toml"),
    judges_generated: true,
    check: Check::Change(check),
};

fn check(cx: &Subject<'_>) -> Vec<Report> {
    let Change::AddColumn { table, column, .. } = &cx.located.change else { return Vec::new() };
    if cx.is_new(table) || !cx.blocks_for_long() || cx.effect.rewrites.is_empty() {
        return Vec::new();
    }
    let (why, help) = if column.counts {
        let help = "Add the column without it, fill it with [[backfill]], then let it count";
        (", which counts by itself", help)
    } else if column.generated.is_some() {
        let help =
            "Add an ordinary column, fill it with [[backfill]], and keep it right with a trigger";
        (", which is computed and stored", help)
    } else if column.default.is_some() {
        let help = "Add the column without a default, set the default in a statement of its own, and fill the rows that \
                    are there with [[backfill]]";
        (", whose default differs from row to row", help)
    } else {
        let help = "Do it when writes may wait, or on a new table beside the old one that takes its place in contract.sql";
        ("", help)
    };
    let message = format!(
        "table \"{}\" is written anew to add column \"{}\"{why}: meanwhile {}",
        cx.show(table),
        column.name,
        cx.waiting()
    );
    vec![Report::new(message, help)]
}
