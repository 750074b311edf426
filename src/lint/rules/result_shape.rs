//! Columns that come or go under statements that name none.

use super::{Check, Report, Rule, Subject};
use crate::sql::change::Change;

pub(super) const RULE: Rule = Rule {
    id: "result-shape",
    data: include_str!("../../../lints/result-shape.toml"),
    judges_generated: true,
    check: Check::Change(check),
};

fn check(cx: &Subject<'_>) -> Vec<Report> {
    let (table, column, happens) = match &cx.located.change {
        Change::AddColumn { table, column, .. } => (table, &column.name, "comes to"),
        Change::DropColumn { table, column, .. } => (table, column, "goes from"),
        _ => return Vec::new(),
    };
    if cx.is_new(table) {
        return Vec::new();
    }
    let fails = if cx.server.engine.is_mysql_family() {
        "INSERT without a list of columns fails from then on"
    } else {
        "SELECT * and RETURNING * in statements that a session has prepared fail from then on (0A000)"
    };
    let message = format!("column \"{column}\" {happens} table \"{}\": {fails}", cx.show(table));
    vec![Report::new(
        message,
        "See that each statement of old builds on this table names its columns",
    )]
}
