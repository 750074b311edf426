//! Migrations that somebody began and nobody ends.

use std::time::Duration;

use super::{Check, Report, Rule};
use crate::lint::migration::{MigrationSubject, Part, is_left_open};
use crate::model::state::State;

pub(super) const RULE: Rule = Rule {
    id: "phase-left-open",
    data: include_str!("../../../lints/phase-left-open.toml"),
    judges_generated: false,
    check: Check::Migration(check),
};

const DAY: u64 = 24 * 60 * 60;

fn check(cx: &MigrationSubject<'_>) -> Vec<Part> {
    let facts = cx.facts;
    let too_long = |open: &Duration| is_left_open(facts.state, *open, facts.limit);
    let Some(open) = facts.open.filter(too_long) else { return Vec::new() };
    let help = match facts.state {
        State::Pending | State::Purged => return Vec::new(),
        State::Expanded => "Run `zdm migrate`, or undo it with `zdm rollback`",
        State::Migrated => {
            "Let every service stop using the old structure and run `zdm contract`, or undo it with `zdm rollback`"
        }
        State::Hidden => "Run `zdm purge`, which drops what is hidden",
        State::Expanding
        | State::Migrating
        | State::Contracting
        | State::Purging
        | State::RollingBack
        | State::Revealing => "Run the same command again, which goes on where it stopped",
    };
    let message = format!(
        "migration \"{}\" has been {} for {} days: old and new structure cost room and writes all that time, and later changes \
         of its tables wait",
        facts.id,
        facts.state,
        open.as_secs() / DAY
    );
    vec![(0, Report::new(message, help))]
}
