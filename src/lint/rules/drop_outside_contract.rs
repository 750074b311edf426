//! Tables and columns that go while old builds still use them.

use super::{Check, Report, Rule, Subject};
use crate::sql::change::Change;

pub(super) const RULE: Rule = Rule {
    id: "drop-outside-contract",
    data: include_str!("../../../lints/drop-outside-contract.toml"),
    judges_generated: false,
    check: Check::Change(check),
};

fn check(cx: &Subject<'_>) -> Vec<Report> {
    let (what, table) = match &cx.located.change {
        Change::DropTable { table, .. } => (format!("table \"{}\"", cx.show(table)), table),
        Change::DropColumn { table, column, .. } => {
            (format!("column \"{column}\" of table \"{}\"", cx.show(table)), table)
        }
        _ => return Vec::new(),
    };
    if cx.is_new(table) {
        return Vec::new();
    }
    let message = format!(
        "{what} goes while old builds still run: each of their statements that names it fails"
    );
    vec![Report::new(
        message,
        "Move the statement to contract.sql, which runs when no old build is left",
    )]
}
