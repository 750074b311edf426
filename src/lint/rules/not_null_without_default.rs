//! New columns that are NOT NULL and that nothing fills.

use super::{Check, Report, Rule, Subject};
use crate::model::phase::Phase;
use crate::model::server::Engine;
use crate::sql::change::Change;

pub(super) const RULE: Rule = Rule {
    id: "not-null-without-default",
    data: include_str!("../../../lints/not-null-without-default.toml"),
    judges_generated: false,
    check: Check::Change(check),
};

fn check(cx: &Subject<'_>) -> Vec<Report> {
    let Change::AddColumn { table, column, .. } = &cx.located.change else { return Vec::new() };
    let filled = column.default.is_some() || column.generated.is_some() || column.counts;
    let postgres = cx.server.engine == Engine::Postgres;
    let matters = cx.phase != Phase::Contract || postgres;
    if cx.is_new(table) || !column.not_null || filled || !matters {
        return Vec::new();
    }
    let cannot = if postgres { "it cannot be added when the table has rows, and " } else { "" };
    let message = format!(
        "column \"{}\" of table \"{}\" is NOT NULL without a default: {cannot}INSERTs of builds that do not know it fail",
        column.name,
        cx.show(table)
    );
    let help = "Give it a default, or add it without NOT NULL, fill it with [[backfill]], and set NOT NULL in contract.sql";
    vec![Report::new(message, help)]
}
