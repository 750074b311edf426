//! LOCK TABLE.

use super::{Check, Report, Rule, Subject};
use crate::sql::effect::Blocks;

pub(super) const RULE: Rule = Rule {
    id: "lock-table",
    data: include_str!("../../../lints/lock-table.toml"),
    judges_generated: false,
    check: Check::Change(check),
};

fn check(cx: &Subject<'_>) -> Vec<Report> {
    let Some((table, what)) = cx.located.change.done_to_table() else { return Vec::new() };
    if !what.starts_with("LOCK TABLE") || cx.is_new(table) || cx.effect.blocks < Blocks::Writes {
        return Vec::new();
    }
    let message = format!(
        "table \"{}\" is locked by hand until the transaction or session ends: meanwhile {}",
        cx.show(table),
        cx.waiting()
    );
    vec![Report::new(
        message,
        "Take the statement away: each change takes the lock that it needs, for as long as it needs it",
    )]
}
