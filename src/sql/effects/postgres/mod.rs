//! PostgreSQL.

mod alter;
mod columns;
mod constraints;
pub(super) mod domains;

mod keys;
mod scene;
mod settings;
mod types;

use super::{Cost, Mode};
use crate::sql::change::{Change, Located};
use alter::Clause;
pub(super) use keys::referenced;
pub(super) use scene::Scene;

/// Adds what one change costs. `used`: somebody uses its table.
pub(super) fn add(cost: &mut Cost, located: &Located, used: bool, scene: &Scene<'_>) {
    match alter::clause(located, scene) {
        Clause::Case(case) => return cost.add(&case, scene.server),
        Clause::Nothing => return,
        Clause::Other => {}
    }
    if !used {
        return;
    }
    match &located.change {
        Change::Rebuild { table, what } => {
            cost.lock(table, if what == "REINDEX" { Mode::Share } else { Mode::AccessExclusive });
            cost.rewrite(table);
        }
        Change::TableSetting { table, what } => cost.lock(table, setting(what)),
        _ => {}
    }
}

/// The lock of what changes only what the catalog says of a table, but for clauses of ALTER TABLE.
fn setting(what: &str) -> Mode {
    let upper = what.to_ascii_uppercase();
    let words: Vec<_> = upper.split_whitespace().collect();
    match words.as_slice() {
        ["CREATE", "TRIGGER", ..] => Mode::ShareRowExclusive,
        ["COMMENT", ..] => Mode::ShareUpdateExclusive,
        _ => Mode::AccessExclusive,
    }
}
