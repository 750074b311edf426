//! Partitions that are detached under the strongest lock.

use super::{Check, Report, Rule, Subject};
use crate::sql::change::Change;

pub(super) const RULE: Rule = Rule {
    id: "detach-not-concurrent",
    data: include_str!("../../../lints/detach-not-concurrent.toml"),
    judges_generated: false,
    check: Check::Change(check),
};

fn check(cx: &Subject<'_>) -> Vec<Report> {
    let Change::Act(act) = &cx.located.change else { return Vec::new() };
    if act.kind != "detach_partition" || act.has("concurrently") || act.has("finalize") {
        return Vec::new();
    }
    let (Some(table), Some(partition)) = (act.tables.first(), act.others.first()) else {
        return Vec::new();
    };
    // Before 14 there is no other way, and none beside a default partition; what reads a table, long-lock reports.
    let default = cx.catalog.children(table).any(|name| {
        cx.known(name).is_some_and(|known| known.shape.bound.as_deref() == Some("DEFAULT"))
    });
    if cx.server.version.0 < 14 || default || cx.is_new(table) || cx.is_new(partition) {
        return Vec::new();
    }
    if cx.blocks_for_long() {
        return Vec::new();
    }
    let message = format!(
        "partition \"{}\" leaves under the strongest lock: from the moment that it waits for running queries nobody reads or \
         writes table \"{}\" with all its partitions (AccessExclusiveLock)",
        cx.show(partition),
        cx.show(table)
    );
    if cx.source.group.is_some() || cx.transaction {
        let help =
            "Take the statement out of the transaction and write DETACH PARTITION ... CONCURRENTLY";
        return vec![Report::new(message, help)];
    }
    // No edit: CONCURRENTLY leaves a CHECK of the bound on the partition.
    vec![Report::new(message, "Write DETACH PARTITION ... CONCURRENTLY")]
}
