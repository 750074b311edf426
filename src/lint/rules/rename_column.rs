//! Columns that change their name under running builds.

use super::{Check, Report, Rule, Subject};
use crate::lint::finding::Fix;
use crate::sql::change::Change;

pub(super) const RULE: Rule = Rule {
    id: "rename-column",
    data: include_str!("../../../lints/rename-column.toml"),
    judges_generated: false,
    check: Check::Change(check),
};

fn check(cx: &Subject<'_>) -> Vec<Report> {
    let Change::RenameColumn { table, column, to } = &cx.located.change else { return Vec::new() };
    if cx.is_new(table) || cx.is_new_column(table, column) {
        return Vec::new();
    }
    let shown = cx.show(table);
    let message = format!(
        "column \"{column}\" of table \"{shown}\" changes its name under running builds: each statement that uses \
         the old name fails"
    );
    let toml = format!(
        "[[operation]]\nkind  = \"rename_column\"\ntable = {}\nfrom  = {}\nto    = {}\n",
        toml_text(&shown),
        toml_text(column),
        toml_text(to)
    );
    let help =
        "Declare the operation rename_column, which keeps both names until no old build is left";
    vec![Report::new(message, help).with_fix(Some(Fix::Operation { toml }))]
}

/// A text as TOML writes it.
pub(super) fn toml_text(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
