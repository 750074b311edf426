//! VALIDATE in the transaction that adds the constraint, which makes NOT VALID worth nothing.

use super::{Check, FileSubject, Placed, Report, Rule};
use crate::sql::change::Change;

pub(super) const RULE: Rule = Rule {
    id: "validate-with-add",
    data: include_str!("../../../lints/validate-with-add.toml"),
    judges_generated: false,
    check: Check::File(check),
};

fn check(cx: &FileSubject<'_>) -> Vec<Placed> {
    let mut found = Vec::new();
    for transaction in cx.transactions() {
        let mut added = Vec::new();
        for (place, change) in cx.changes_of(transaction) {
            match change {
                Change::AddConstraint { table, constraint } if constraint.not_valid => {
                    added.push((table, constraint.name.as_deref()));
                }
                Change::ValidateConstraint { table, constraint }
                    if added.contains(&(table, Some(constraint.as_str()))) =>
                {
                    let message = format!(
                        "table \"{}\" is read from end to end in the transaction that added constraint \"{constraint}\": the lock \
                         of ADD is held meanwhile, and every write waits",
                        cx.names.show(table)
                    );
                    let help = "Commit after ADD CONSTRAINT ... NOT VALID, and validate in a transaction of its own";
                    found.push(Report::new(message, help).at(place));
                }
                _ => {}
            }
        }
    }
    found
}
