//! Indexes and, on MySQL and MariaDB, other ALTERs that keep writes waiting while they read or copy a table.

use super::{Report, Rule, Subject};
use crate::lint::finding::{Fix, Severity};
use crate::model::name::TableName;
use crate::model::server::Engine;
use crate::sql::change::{Change, ConstraintDefKind};
use crate::sql::effect::{Algorithm, Blocks};
use crate::sql::span::Places;

pub(super) const RULE: Rule = Rule {
    id: "index-not-concurrent",
    data: include_str!("../../../lints/index-not-concurrent.toml"),
    judges_generated: true,
    check,
};

fn check(cx: &Subject<'_>) -> Vec<Report> {
    let Some(table) = cx.located.change.table().filter(|table| !cx.is_new(table)) else {
        return Vec::new();
    };
    let report = match cx.server.engine {
        Engine::Postgres => postgres(cx, table),
        Engine::MySql | Engine::MariaDb => mysql(cx, table),
    };
    report.into_iter().collect()
}

fn postgres(cx: &Subject<'_>, table: &TableName) -> Option<Report> {
    let shown = cx.show(table);
    match &cx.located.change {
        Change::CreateIndex { concurrently: false, .. } => {
            let message = format!(
                "every write to table \"{shown}\" waits until the index is built{} (ShareLock: others can only read)",
                cx.takes()
            );
            Some(if cx.source.group.is_some() {
                let help = "Take the statement out of BEGIN ... COMMIT and write CREATE INDEX CONCURRENTLY";
                Report::new(message, help)
            } else {
                Report::new(message, "Write CREATE INDEX CONCURRENTLY").with_fix(concurrently(cx))
            })
        }
        Change::AddConstraint { constraint, .. } => {
            let kind = match constraint.kind {
                ConstraintDefKind::PrimaryKey { using_index: false } => "PRIMARY KEY",
                ConstraintDefKind::Unique { using_index: false } => "UNIQUE",
                _ => return None,
            };
            let message = format!(
                "nobody reads or writes table \"{shown}\" until the index of this {kind} is built{} (AccessExclusiveLock)",
                cx.takes()
            );
            let help = format!(
                "Write CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT ... {kind} USING INDEX in a statement of its own"
            );
            Some(Report::new(message, help))
        }
        _ => None,
    }
}

/// CONCURRENTLY behind INDEX.
fn concurrently(cx: &Subject<'_>) -> Option<Fix> {
    let sql = cx.source.sql.as_str();
    let at = crate::sql::index_word(sql, cx.server.engine)?;
    let span = Places::within(sql, cx.source.span).span(at, at);
    Some(Fix::Edit { span, text: " CONCURRENTLY".to_owned() })
}

fn mysql(cx: &Subject<'_>, table: &TableName) -> Option<Report> {
    if !is_alter(&cx.located.change) {
        return None;
    }
    let shown = cx.show(table);
    if cx.effect.algorithm.is_some() && cx.effect.blocks >= Blocks::Writes {
        let how = if cx.effect.algorithm == Some(Algorithm::Copy) {
            "copies the table"
        } else {
            "reads or rewrites the table under a shared lock"
        };
        let message = format!(
            "every write to table \"{shown}\" waits until this is done{}: {} {how}, and others can only read",
            cx.takes(),
            cx.server
        );
        let help = match &cx.located.change {
            Change::CreateIndex { .. } => {
                "Build it when writes may wait, or on a new table beside the old one that takes its place in contract.sql"
            }
            _ => {
                "Make the change on a new column or table beside the old one, fill that with [[backfill]], and let it take \
                 the old one's place in contract.sql"
            }
        };
        return Some(Report::new(message, help));
    }
    let is_first = cx.changes.first() == Some(cx.located);
    let mixed =
        cx.changes.len() > 1 && cx.whole.rewrites.contains(table) && is_first && !any_rewrites(cx);
    mixed.then(|| {
        let message = format!(
            "table \"{shown}\" is written anew because cheap and dear clauses stand in one ALTER TABLE; replicas fall behind \
             for as long"
        );
        Report::new(message, "Put each clause into a statement of its own").at_most(Severity::Warning)
    })
}

/// Whether a clause needs new rows even alone.
fn any_rewrites(cx: &Subject<'_>) -> bool {
    cx.changes.iter().any(|located| {
        let alone = std::slice::from_ref(located);
        !crate::sql::effects::effect(alone, cx.catalog, cx.server).rewrites.is_empty()
    })
}

/// Whether it is a clause of ALTER TABLE, or CREATE INDEX. RENAME needs its lock only for a moment.
fn is_alter(change: &Change) -> bool {
    matches!(
        change,
        Change::AddColumn { .. }
            | Change::DropColumn { .. }
            | Change::RenameColumn { .. }
            | Change::ChangeType { .. }
            | Change::CreateIndex { .. }
            | Change::DropIndex { .. }
            | Change::AddConstraint { .. }
            | Change::DropConstraint { .. }
            | Change::Rebuild { .. }
    )
}
