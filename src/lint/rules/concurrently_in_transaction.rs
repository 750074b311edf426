//! Commands that refuse to run inside a transaction.

use std::collections::BTreeSet;

use super::{Check, FileSubject, Placed, Report, Rule};
use crate::sql::change::Change;

pub(super) const RULE: Rule = Rule {
    id: "concurrently-in-transaction",
    data: include_str!("../../../lints/concurrently-in-transaction.toml"),
    judges_generated: false,
    check: Check::File(check),
};

fn check(cx: &FileSubject<'_>) -> Vec<Placed> {
    let mut found = Vec::new();
    for transaction in cx.transactions() {
        for (place, change) in cx.changes_of(transaction) {
            let Some(what) = concurrent(cx, change) else { continue };
            let message = format!(
                "{what} CONCURRENTLY inside a transaction, which the server refuses: the file stops here"
            );
            let help = if cx.transaction {
                "Tell the tool to run this file without a transaction, and keep nothing else in it"
            } else {
                "Take the statement out of BEGIN ... COMMIT"
            };
            found.push(Report::new(message, help).at(place));
        }
    }
    let told: BTreeSet<usize> = found.iter().map(|placed| placed.statement).collect();
    for (number, statement) in cx.statements.iter().enumerate() {
        for (at, located) in statement.changes.iter().enumerate() {
            if told.contains(&number) || !located.is_in_block() {
                continue;
            }
            let Some(what) = concurrent(cx, &located.change) else { continue };
            let message = format!(
                "{what} CONCURRENTLY inside a block or function, which the server refuses: the file stops here"
            );
            let help = "Write it as a statement of its own, outside of DO and functions";
            found.push(Report::new(message, help).at((number, at)));
        }
    }
    found
}

/// What is done CONCURRENTLY, if anything is.
fn concurrent(cx: &FileSubject<'_>, change: &Change) -> Option<String> {
    match change {
        Change::CreateIndex { concurrently: true, table, .. } => {
            Some(format!("an index of table \"{}\" is built", cx.names.show(table)))
        }
        Change::DropIndex { concurrently: true, index, .. } => {
            Some(format!("index \"{index}\" is dropped"))
        }
        // REFRESH ... CONCURRENTLY is the one that runs there.
        Change::Act(act) if act.has("concurrently") && act.kind != "refresh" => {
            let table = act.tables.first().or(act.object.as_ref());
            let name = table.map(|table| cx.names.show(table)).unwrap_or_default();
            Some(format!("table \"{name}\" is worked on"))
        }
        _ => None,
    }
}
