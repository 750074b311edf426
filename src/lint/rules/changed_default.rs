//! Defaults that the INSERTs of old builds rely on.

use super::{Check, Report, Rule, Subject};
use crate::lint::finding::Severity;
use crate::sql::change::Change;

pub(super) const RULE: Rule = Rule {
    id: "changed-default",
    data: include_str!("../../../lints/changed-default.toml"),
    judges_generated: false,
    check: Check::Change(check),
};

fn check(cx: &Subject<'_>) -> Vec<Report> {
    let Change::SetDefault { table, column, default } = &cx.located.change else {
        return Vec::new();
    };
    if cx.is_new(table) || cx.is_new_column(table, column) {
        return Vec::new();
    }
    let known = cx.column(table, column);
    let shown = cx.show(table);
    let report = match default {
        None if known.is_some_and(|known| known.default.is_none()) => return Vec::new(),
        None if known.is_some_and(|known| known.not_null) => Report::new(
            format!(
                "column \"{column}\" of table \"{shown}\" loses its default and refuses NULL: INSERTs of old builds that \
                 leave it out fail"
            ),
            "Drop the default in contract.sql, when no old build is left that relies on it",
        ),
        None => Report::new(
            format!(
                "column \"{column}\" of table \"{shown}\" loses its default: rows of old builds that leave it out get NULL, \
                 or are refused if it is NOT NULL"
            ),
            "Drop the default in contract.sql, when no old build is left that relies on it",
        )
        .at_most(Severity::Warning),
        Some(_) if known.is_none_or(|known| known.default.is_none()) => return Vec::new(),
        Some(new) => Report::new(
            format!(
                "column \"{column}\" of table \"{shown}\" gets another default, {new}: old builds that leave it out write \
                 the new value, too"
            ),
            "Let new builds write the value themselves, and change the default in contract.sql",
        )
        .at_most(Severity::Warning),
    };
    vec![report]
}
