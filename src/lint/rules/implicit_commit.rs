//! Transactions that the server ends by itself.

use super::{Check, FileSubject, Placed, Report, Rule};
use crate::sql::change::Change;

pub(super) const RULE: Rule = Rule {
    id: "implicit-commit",
    data: include_str!("../../../lints/implicit-commit.toml"),
    judges_generated: false,
    check: Check::File(check),
};

fn check(cx: &FileSubject<'_>) -> Vec<Placed> {
    let mut found = Vec::new();
    // A tool's own transaction is its habit; BEGIN in the file is somebody's wish.
    let written = FileSubject { transaction: false, ..*cx };
    for transaction in written.transactions() {
        let mut changes = cx.changes_of(transaction);
        let first = changes.find_map(|(place, change)| match change {
            Change::Update { .. }
            | Change::Delete { .. }
            | Change::Insert { .. }
            | Change::Harmless
            | Change::Opaque { .. }
            | Change::CreateTable { temporary: true, .. } => None,
            other => other.table().map(|table| (place, table)),
        });
        let Some((place, table)) = first else { continue };
        let message = format!(
            "this statement about table \"{}\" ends the transaction in which it stands: what came before is committed, what \
             follows is not undone with it",
            cx.names.show(table)
        );
        let help = "Take BEGIN and COMMIT away, so that nobody relies on them";
        found.push(Report::new(message, help).at(place));
    }
    found
}
