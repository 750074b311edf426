//! Names that the server cuts off or refuses.

use super::{Check, Report, Rule, Subject};
use crate::sql::change::Change;

pub(super) const RULE: Rule = Rule {
    id: "identifier-too-long",
    data: include_str!("../../../lints/identifier-too-long.toml"),
    judges_generated: false,
    check: Check::Change(check),
};

fn check(cx: &Subject<'_>) -> Vec<Report> {
    let change = &cx.located.change;
    let mut names: Vec<&str> = Vec::new();
    match change {
        Change::CreateTable { table, columns, .. } => {
            names.push(&table.name);
            names.extend(columns.iter().map(|column| column.name.as_str()));
        }
        Change::AddColumn { column, .. } => names.push(&column.name),
        Change::CreateIndex { index: Some(index), .. } => names.push(index),
        Change::AddConstraint { constraint, .. } => names.extend(constraint.name.as_deref()),
        Change::RenameTable { to, .. } => names.push(&to.name),
        Change::RenameColumn { to, .. }
        | Change::RenameIndex { to, .. }
        | Change::RenameConstraint { to, .. } => names.push(to),
        _ => {}
    }
    let mysql = cx.server.engine.is_mysql_family();
    let limit = if mysql { 64 } else { 63 };
    let length = |name: &str| if mysql { name.chars().count() } else { name.len() };
    let Some(name) = names.into_iter().find(|name| length(name) > limit) else {
        return Vec::new();
    };
    let table = change.table().map(|table| cx.show(table)).unwrap_or_default();
    let happens = if mysql {
        "refuses it".to_owned()
    } else {
        let cut: String = name
            .char_indices()
            .take_while(|(at, c)| at + c.len_utf8() <= limit)
            .map(|(_, c)| c)
            .collect();
        format!("cuts it off without an error: what is made is \"{cut}\"")
    };
    let unit = if mysql { "characters" } else { "bytes" };
    let message = format!(
        "name \"{name}\" in a statement about table \"{table}\" has more than {limit} {unit}, and {} {happens}",
        cx.server.engine.title()
    );
    vec![Report::new(message, format!("Give it a name of at most {limit} {unit}"))]
}
