//! Indexes that are dropped under the strongest lock.

use super::{Check, Report, Rule, Subject};
use crate::sql::change::Change;

pub(super) const RULE: Rule = Rule {
    id: "drop-index-blocks",
    data: include_str!("../../../lints/drop-index-blocks.toml"),
    judges_generated: false,
    check: Check::Change(check),
};

fn check(cx: &Subject<'_>) -> Vec<Report> {
    let Change::DropIndex { table, index, concurrently: false, .. } = &cx.located.change else {
        return Vec::new();
    };
    if table.as_ref().is_some_and(|table| cx.is_new(table)) {
        return Vec::new();
    }
    let of = table
        .as_ref()
        .map_or("its table".to_owned(), |table| format!("table \"{}\"", cx.show(table)));
    let message = format!(
        "index \"{index}\" goes under the strongest lock: from the moment that it waits for running queries nobody reads or \
         writes {of} (AccessExclusiveLock)"
    );
    if cx.source.group.is_some() || cx.transaction {
        let help = "Take the statement out of the transaction and write DROP INDEX CONCURRENTLY";
        return vec![Report::new(message, help)];
    }
    let sql = cx.source.sql.as_str();
    let cascades = sql.to_ascii_uppercase().contains("CASCADE");
    let at = crate::sql::index_word(sql, cx.server.engine).filter(|_| cx.is_alone() && !cascades);
    let fix = at.map(|at| cx.inserted(at, " CONCURRENTLY"));
    vec![Report::new(message, "Write DROP INDEX CONCURRENTLY").with_fix(fix)]
}
