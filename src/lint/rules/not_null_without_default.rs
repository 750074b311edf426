//! NOT NULL that the writes of old builds, or the rows that are there, do not meet.

use super::{Report, Rule, Subject};
use crate::model::name::TableName;
use crate::model::phase::Phase;
use crate::model::server::Engine;
use crate::sql::change::Change;

pub(super) const RULE: Rule = Rule {
    id: "not-null-without-default",
    data: include_str!("../../../lints/not-null-without-default.toml"),
    judges_generated: false,
    check,
};

fn check(cx: &Subject<'_>) -> Vec<Report> {
    match &cx.located.change {
        Change::AddColumn { table, column, .. } if !cx.is_new(table) => {
            let filled = column.default.is_some() || column.generated.is_some() || column.counts;
            let runs_beside_old_builds = cx.phase != Phase::Contract;
            if column.not_null
                && !filled
                && (runs_beside_old_builds || cx.server.engine == Engine::Postgres)
            {
                vec![added(cx, table, &column.name)]
            } else {
                Vec::new()
            }
        }
        Change::SetNotNull { table, column } if !cx.is_new(table) => constrained(cx, table, column),
        Change::ChangeType { table, column, to, .. }
            if cx.server.engine.is_mysql_family() && to.not_null && !cx.is_new(table) =>
        {
            let known = cx.known(table).and_then(|known| {
                known.columns.iter().find(|known| known.name.eq_ignore_ascii_case(column))
            });
            let was_nullable = known.is_some_and(|known| !known.not_null);
            if was_nullable { constrained(cx, table, column) } else { Vec::new() }
        }
        _ => Vec::new(),
    }
}

fn added(cx: &Subject<'_>, table: &TableName, column: &str) -> Report {
    let table = cx.show(table);
    let message = if cx.server.engine == Engine::Postgres {
        format!(
            "column \"{column}\" of table \"{table}\" is NOT NULL without a default: it cannot be added when the table \
             has rows, and INSERTs of builds that do not know it fail"
        )
    } else {
        format!(
            "column \"{column}\" of table \"{table}\" is NOT NULL without a default: INSERTs of builds that do not know \
             it fail"
        )
    };
    Report::new(
        message,
        "Give it a default, or add it without NOT NULL, fill it with [[backfill]], and set NOT NULL in contract.sql",
    )
}

fn constrained(cx: &Subject<'_>, table: &TableName, column: &str) -> Vec<Report> {
    let already =
        cx.known(table).and_then(|known| known.column(column)).is_some_and(|known| known.not_null);
    let shown = cx.show(table);
    if already {
        return Vec::new();
    }
    if cx.phase != Phase::Contract {
        let message = format!(
            "column \"{column}\" of table \"{shown}\" refuses NULL from now on: writes of old builds that leave it out \
             fail"
        );
        return vec![Report::new(
            message,
            "Set NOT NULL in contract.sql, when no old build is left to write NULL",
        )];
    }
    if cx.server.engine == Engine::Postgres && !cx.effect.scans.is_empty() {
        let message = format!(
            "every row of table \"{shown}\" is read for NOT NULL of column \"{column}\", and meanwhile nobody reads or \
             writes the table (AccessExclusiveLock)"
        );
        let help = format!(
            "Add CHECK ({column} IS NOT NULL) NOT VALID, validate it in a statement of its own, then set NOT NULL and \
             drop the check"
        );
        return vec![Report::new(message, help)];
    }
    Vec::new()
}
