//! Primary keys that run out of numbers.

use super::{Check, Report, Rule, Subject};
use crate::sql::change::Change;

pub(super) const RULE: Rule = Rule {
    id: "primary-key-int",
    data: include_str!("../../../lints/primary-key-int.toml"),
    judges_generated: false,
    check: Check::Change(check),
};

fn check(cx: &Subject<'_>) -> Vec<Report> {
    let Change::CreateTable { table, columns, key, temporary: false, .. } = &cx.located.change
    else {
        return Vec::new();
    };
    let [key] = key.as_slice() else { return Vec::new() };
    let column = columns.iter().find(|column| cx.server.engine.same_name(&column.name, key));
    let Some(column) = column else { return Vec::new() };
    let data_type = crate::sql::types::canonical(&column.data_type, cx.server.engine);
    let most = match data_type.as_str() {
        "int unsigned" => "4,294,967,295",
        "integer" | "int" => "2,147,483,647",
        "mediumint" | "mediumint unsigned" => "16,777,215",
        "smallint" => "32,767",
        _ => return Vec::new(),
    };
    // A key that nobody counts up is a small list, or another table's.
    if !column.counts {
        return Vec::new();
    }
    let message = format!(
        "the primary key of table \"{}\" ends at {most}: then every INSERT fails, and to widen it each row is written anew",
        cx.show(table)
    );
    vec![Report::new(message, "Write bigint").in_column(Some(key))]
}
