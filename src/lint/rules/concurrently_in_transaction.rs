//! Commands that refuse to run inside a transaction.

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
            let what = match change {
                Change::CreateIndex { concurrently: true, table, .. } => {
                    format!("an index of table \"{}\" is built", cx.names.show(table))
                }
                Change::DropIndex { concurrently: true, index, .. } => {
                    format!("index \"{index}\" is dropped")
                }
                // REFRESH ... CONCURRENTLY is the one that runs there.
                Change::Act(act) if act.has("concurrently") && act.kind != "refresh" => {
                    let table = act.tables.first().or(act.object.as_ref());
                    let name = table.map(|table| cx.names.show(table)).unwrap_or_default();
                    format!("table \"{name}\" is worked on")
                }
                _ => continue,
            };
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
    found
}
