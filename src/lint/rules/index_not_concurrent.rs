//! Indexes that keep writes waiting while they are built.

use super::{Check, Report, Rule, Subject};
use crate::model::server::Engine;
use crate::sql::change::Change;

pub(super) const RULE: Rule = Rule {
    id: "index-not-concurrent",
    data: include_str!("../../../lints/index-not-concurrent.toml"),
    judges_generated: true,
    check: Check::Change(check),
};

fn check(cx: &Subject<'_>) -> Vec<Report> {
    let Change::CreateIndex { table, concurrently: false, .. } = &cx.located.change else {
        return Vec::new();
    };
    if cx.is_new(table) || !cx.blocks_for_long() {
        return Vec::new();
    }
    if cx.server.engine != Engine::Postgres {
        let message = format!(
            "every write to table \"{}\" waits until this index is built{}: {} builds it under a shared lock, and others can only read",
            cx.show(table),
            cx.takes(),
            cx.server
        );
        let help = "Build it when writes may wait, or on a new table beside the old one that takes its place in contract.sql";
        return vec![Report::new(message, help)];
    }
    let message = format!(
        "every write to table \"{}\" waits until the index is built{} (ShareLock: others can only read)",
        cx.show(table),
        cx.takes()
    );
    if cx.source.group.is_some() {
        let help = "Take the statement out of BEGIN ... COMMIT and write CREATE INDEX CONCURRENTLY";
        return vec![Report::new(message, help)];
    }
    if cx.transaction {
        let help = "Tell the tool to run the file without a transaction, and write CREATE INDEX CONCURRENTLY";
        return vec![Report::new(message, help)];
    }
    let is_partitioned = cx.known(table).is_some_and(|known| !known.peculiarities.is_empty());
    let at = crate::sql::index_word(&cx.source.sql, cx.server.engine);
    let fix = at.filter(|_| !is_partitioned).map(|at| cx.inserted(at, " CONCURRENTLY"));
    vec![Report::new(message, "Write CREATE INDEX CONCURRENTLY").with_fix(fix)]
}
