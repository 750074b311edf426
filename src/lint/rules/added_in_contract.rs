//! New structure that comes when the builds that need it have run for long.

use super::{Check, Report, Rule, Subject};
use crate::sql::change::Change;

pub(super) const RULE: Rule = Rule {
    id: "added-in-contract",
    data: include_str!("../../../lints/added-in-contract.toml"),
    judges_generated: false,
    check: Check::Change(check),
};

fn check(cx: &Subject<'_>) -> Vec<Report> {
    let what = match &cx.located.change {
        Change::CreateTable { table, temporary: false, .. } => {
            format!("table \"{}\"", cx.show(table))
        }
        Change::AddColumn { table, column, .. } if !cx.is_new(table) => {
            format!("column \"{}\" of table \"{}\"", column.name, cx.show(table))
        }
        _ => return Vec::new(),
    };
    let message = format!(
        "{what} is made in contract.sql, which runs long after the builds that need it have started"
    );
    vec![Report::new(
        message,
        "Move the statement to expand.sql, which runs before the new build is deployed",
    )]
}
