//! INSERTs that rely on the order of columns.

use super::{Check, Report, Rule, Subject};
use crate::sql::change::Change;

pub(super) const RULE: Rule = Rule {
    id: "insert-without-columns",
    data: include_str!("../../../lints/insert-without-columns.toml"),
    judges_generated: false,
    check: Check::Change(check),
};

fn check(cx: &Subject<'_>) -> Vec<Report> {
    let Change::Insert { table, shape, .. } = &cx.located.change else { return Vec::new() };
    if !shape.unnamed || cx.is_new(table) {
        return Vec::new();
    }
    let message = format!(
        "this INSERT names no columns of table \"{}\": it fails, or fills others, once a column has come or gone",
        cx.show(table)
    );
    vec![Report::new(message, "Name the columns behind the table")]
}
