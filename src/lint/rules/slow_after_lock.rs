//! Slow work while a transaction keeps everybody off a table.

use super::{Check, FileSubject, Placed, Report, Rule};
use crate::model::name::TableName;
use crate::sql::change::{Change, ConstraintDef};
use crate::sql::effect::Blocks;

pub(super) const RULE: Rule = Rule {
    id: "slow-after-lock",
    data: include_str!("../../../lints/slow-after-lock.toml"),
    judges_generated: false,
    check: Check::File(check),
};

fn check(cx: &FileSubject<'_>) -> Vec<Placed> {
    cx.transactions().into_iter().filter_map(|transaction| slow(cx, transaction)).collect()
}

/// The first slow statement of a transaction behind one that keeps readers off a table.
fn slow(cx: &FileSubject<'_>, transaction: std::ops::Range<usize>) -> Option<Placed> {
    let mut held: Option<&TableName> = None;
    let mut added: Vec<(&TableName, &ConstraintDef)> = Vec::new();
    for number in transaction {
        let statement = cx.statements.get(number)?;
        let effect = &statement.effect;
        if let Some(held) = held {
            let is_slow = statement.changes.iter().any(|located| match &located.change {
                Change::Update { table, .. } | Change::Delete { table, .. } => !is_new(cx, table),
                Change::Insert { shape, .. } => shape.queried,
                // Another rule speaks about this one.
                Change::ValidateConstraint { table, constraint } => !added
                    .iter()
                    .any(|(at, def)| *at == table && def.name.as_ref() == Some(constraint)),
                _ => !effect.scans.is_empty() || !effect.rewrites.is_empty(),
            });
            if is_slow {
                let message = format!(
                    "nobody reads or writes table \"{}\" while this statement works: an earlier one of the same transaction has \
                     locked it until COMMIT",
                    cx.names.show(held)
                );
                let help = "Put this statement into a transaction of its own";
                return Some(Report::new(message, help).of_statement(number));
            }
        }
        added.extend(statement.changes.iter().filter_map(|located| match &located.change {
            Change::AddConstraint { table, constraint } => Some((table, constraint)),
            _ => None,
        }));
        if effect.blocks == Blocks::ReadsAndWrites {
            let strongest = |lock: &&crate::sql::effect::Lock| lock.mode == "AccessExclusiveLock";
            held = held.or(effect.locks.iter().find(strongest).map(|lock| &lock.table));
        }
    }
    None
}

fn is_new(cx: &FileSubject<'_>, table: &TableName) -> bool {
    cx.catalog.tables.get(table).is_some_and(|known| known.is_new)
}
