//! Columns whose type changes: rows that are written anew, and values that no longer fit.

use super::{Check, Report, Rule, Subject};
use crate::model::name::TableName;
use crate::model::phase::Phase;
use crate::sql::change::{Change, ColumnDef};
use crate::sql::fits::{Fit, fit};

pub(super) const RULE: Rule = Rule {
    id: "change-type",
    data: include_str!("../../../lints/change-type.toml"),
    judges_generated: true,
    check: Check::Change(check),
};

fn check(cx: &Subject<'_>) -> Vec<Report> {
    let Change::ChangeType { table, column, to, using } = &cx.located.change else {
        return Vec::new();
    };
    if cx.is_new(table) || cx.is_new_column(table, column) {
        return Vec::new();
    }
    let breaks = breaks(cx, table, column, to).filter(|_| cx.phase < Phase::Contract);
    let blocks = blocks(cx, table, using.is_some());
    let message = match (breaks, blocks) {
        (None, None) => return Vec::new(),
        (Some(breaks), None) => breaks,
        (None, Some(blocks)) => format!("{blocks}, to change the type of column \"{column}\""),
        (Some(breaks), Some(blocks)) => format!("{breaks}; and {blocks}"),
    };
    let help = "Add a column of the new type beside the old one, keep both alike with a trigger, fill it with [[backfill]], \
                and drop the old one in contract.sql";
    vec![Report::new(message, help)]
}

/// What old builds meet.
fn breaks(cx: &Subject<'_>, table: &TableName, column: &str, to: &ColumnDef) -> Option<String> {
    let known = cx.column(table, column)?;
    let (old, new) = (&known.data_type, &to.data_type);
    let shown = cx.show(table);
    match fit(old, new, cx.server.engine) {
        Fit::Holds | Fit::Unknown => None,
        Fit::Narrows => Some(format!(
            "column \"{column}\" of table \"{shown}\" becomes narrower, from {old} to {new}: what old builds write and no \
             longer fits fails or is cut"
        )),
        Fit::Differs => Some(format!(
            "column \"{column}\" of table \"{shown}\" changes from {old} to {new}: old builds go on to read and write it \
             as {old}"
        )),
    }
}

/// What everybody waits for.
fn blocks(cx: &Subject<'_>, table: &TableName, using: bool) -> Option<String> {
    if !cx.blocks_for_long() {
        return None;
    }
    let what = if cx.effect.rewrites.is_empty() {
        "is read from end to end"
    } else if using || cx.known(table).is_some() {
        "is written anew"
    } else {
        // Without the old type nobody can tell.
        "is written anew (unless the type only becomes wider)"
    };
    Some(format!("table \"{}\" {what} while {}", cx.show(table), cx.waiting()))
}
