//! Several tables that one transaction keeps to itself.

use super::{Check, FileSubject, Placed, Report, Rule};
use crate::sql::effects::keeps_writers_off;

pub(super) const RULE: Rule = Rule {
    id: "locks-together",
    data: include_str!("../../../lints/locks-together.toml"),
    judges_generated: false,
    check: Check::File(check),
};

fn check(cx: &FileSubject<'_>) -> Vec<Placed> {
    cx.transactions().into_iter().filter_map(|transaction| second(cx, transaction)).collect()
}

/// The first statement of a transaction that takes another table while it holds one.
fn second(cx: &FileSubject<'_>, transaction: std::ops::Range<usize>) -> Option<Placed> {
    let mut held = None;
    for number in transaction {
        let statement = cx.statements.get(number)?;
        // One statement that locks two tables, as a foreign key does, cannot be parted.
        let locks = statement.effect.locks.iter().filter(|lock| keeps_writers_off(&lock.mode));
        let strong: Vec<_> = locks.map(|lock| &lock.table).collect();
        let Some(first) = held else {
            held = strong.first().copied();
            continue;
        };
        if let Some(other) = strong.iter().copied().find(|table| *table != first) {
            let message = format!(
                "this transaction already keeps others off table \"{}\" and now wants table \"{}\", too: whoever uses them the \
                 other way round meets a deadlock, and both stay locked until COMMIT",
                cx.names.show(first),
                cx.names.show(other)
            );
            let help = "Give each table a transaction of its own";
            return Some(Report::new(message, help).of_statement(number));
        }
    }
    None
}
