//! TRUNCATE of tables in use.

use super::{Check, Report, Rule, Subject};
use crate::sql::change::Change;

pub(super) const RULE: Rule = Rule {
    id: "truncate-table",
    data: include_str!("../../../lints/truncate-table.toml"),
    judges_generated: false,
    check: Check::Change(check),
};

fn check(cx: &Subject<'_>) -> Vec<Report> {
    let Change::Truncate { table, .. } = &cx.located.change else { return Vec::new() };
    if cx.is_new(table) {
        return Vec::new();
    }
    let message = format!(
        "all rows of table \"{}\" go at once, and from the moment that it waits for running queries nobody reads or writes it",
        cx.show(table)
    );
    vec![Report::new(
        message,
        "Delete in batches what nobody reads any more, or drop the table in contract.sql",
    )]
}
