//! Columns that come to stand elsewhere (MySQL, MariaDB).

use super::{Check, Report, Rule, Subject};
use crate::lint::finding::Severity;
use crate::model::name::TableName;
use crate::sql::change::{Change, Position};

pub(super) const RULE: Rule = Rule {
    id: "moved-column",
    data: include_str!("../../../lints/moved-column.toml"),
    judges_generated: false,
    check: Check::Change(check),
};

fn check(cx: &Subject<'_>) -> Vec<Report> {
    let (table, column, position, comes) = match &cx.located.change {
        Change::AddColumn { table, column, .. } => (table, &column.name, &column.position, true),
        // CHANGE moves what it names by the old name.
        Change::ChangeType { table, column, to, .. } => (table, column, &to.position, false),
        _ => return Vec::new(),
    };
    let Some(position) = position.as_ref().filter(|_| !cx.is_new(table)) else { return Vec::new() };
    if stays(cx, table, column, position) {
        return Vec::new();
    }
    let shown = cx.show(table);
    if comes {
        let message = format!(
            "column \"{column}\" comes between others of table \"{shown}\": old builds that read SELECT * by position take \
             one column for another"
        );
        let help = "Leave FIRST or AFTER out: a new column at the end moves no other";
        return vec![Report::new(message, help).at_most(Severity::Info)];
    }
    let message = format!(
        "column \"{column}\" of table \"{shown}\" moves: an INSERT of old builds that names no columns fills others without \
         an error, and SELECT * that is read by position takes one for another"
    );
    vec![Report::new(message, "Leave the order as it is: SELECT and INSERT can name the columns")]
}

/// Whether each column that is there keeps its place.
fn stays(cx: &Subject<'_>, table: &TableName, column: &str, position: &Position) -> bool {
    let engine = cx.server.engine;
    let Some(known) = cx.known(table) else { return false };
    let at = |name: &str| known.columns.iter().position(|one| engine.same_name(&one.name, name));
    // Behind which it comes, among the others; new columns of the same statement stand at the end.
    let before = match position {
        Position::First => None,
        Position::After(other) => match at(other) {
            Some(place) => Some(place),
            None => return true,
        },
    };
    match at(column) {
        Some(now) => before.map_or(0, |before| before + 1) == now,
        None => before.is_some_and(|before| before + 1 == known.columns.len()),
    }
}
