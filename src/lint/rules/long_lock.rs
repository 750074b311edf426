//! Whatever else keeps others waiting while the server reads or writes a whole table.

use super::{Check, Report, Rule, Subject};
use crate::lint::finding::Fix;
use crate::model::server::Engine;
use crate::sql::change::Change;

pub(super) const RULE: Rule = Rule {
    id: "long-lock",
    data: include_str!("../../../lints/long-lock.toml"),
    judges_generated: true,
    check: Check::Change(check),
};

fn check(cx: &Subject<'_>) -> Vec<Report> {
    let is_new = |table| cx.is_new(table);
    if !cx.blocks_for_long() || cx.located.change.table().is_some_and(is_new) {
        return Vec::new();
    }
    let what = match &cx.located.change {
        // Rules of their own speak about these.
        Change::AddColumn { .. }
        | Change::ChangeType { .. }
        | Change::CreateIndex { .. }
        | Change::AddConstraint { .. }
        | Change::SetNotNull { .. }
        | Change::Truncate { .. }
        | Change::DropTable { .. }
        | Change::Opaque { .. } => return Vec::new(),
        Change::Rebuild { what, .. } => what.to_ascii_uppercase(),
        Change::Act(act) => act.what.clone(),
        Change::TableOption { name, .. } => name.clone(),
        Change::Partitions { operation, .. } => operation.clone(),
        _ => "this statement".to_owned(),
    };
    let Some(table) = cx.effect.rewrites.first().or(cx.effect.scans.first()) else {
        return Vec::new();
    };
    let how = if cx.effect.rewrites.is_empty() { "reads" } else { "writes anew" };
    let message =
        format!("{what} {how} all of table \"{}\": meanwhile {}", cx.show(table), cx.waiting());
    let (help, fix) = instead(cx, &what);
    vec![Report::new(message, help).with_fix(fix)]
}

fn instead(cx: &Subject<'_>, what: &str) -> (&'static str, Option<Fix>) {
    if cx.server.engine != Engine::Postgres {
        let help = "Make the change on a new table beside the old one that takes its place in contract.sql, or do it when writes \
                    may wait";
        return (help, None);
    }
    if what.starts_with("REINDEX") {
        let at = crate::sql::reindex_target(&cx.source.sql).filter(|_| cx.is_alone());
        let fix = at.map(|at| cx.inserted(at, " CONCURRENTLY"));
        return ("Write REINDEX TABLE CONCURRENTLY", fix);
    }
    if what.starts_with("REFRESH") {
        let help = "Give the view a unique index and write REFRESH MATERIALIZED VIEW CONCURRENTLY";
        return (help, None);
    }
    if what.starts_with("VACUUM") || what.starts_with("CLUSTER") {
        return ("Use pg_repack or pg_squeeze, which let others read and write", None);
    }
    if what.starts_with("ATTACH PARTITION") {
        let help = "Give the table to be attached a CHECK that says what its bound says, NOT VALID, validate it in a statement of \
                    its own, attach, and drop the CHECK";
        return (help, None);
    }
    ("Do it when the table may stand still, or on a new table beside the old one", None)
}
