//! Columns of a fixed length, padded with blanks.

use super::{Check, Report, Rule, Subject};

pub(super) const RULE: Rule = Rule {
    id: "char-type",
    data: include_str!("../../../lints/char-type.toml"),
    judges_generated: false,
    check: Check::Change(check),
};

fn check(cx: &Subject<'_>) -> Vec<Report> {
    let is_char = |data_type: &str, _: &_| {
        data_type == "character"
            || data_type.starts_with("character(")
            || data_type.starts_with("char(")
    };
    let Some((table, columns)) = cx.columns_of_type(is_char) else { return Vec::new() };
    let message = format!(
        "{} has a fixed length: shorter values are padded with blanks, which take room and compare in ways that surprise",
        cx.name_columns(table, &columns)
    );
    vec![
        Report::new(message, "Write text or varchar, with a CHECK of the length where it matters")
            .in_column(columns.first().copied()),
    ]
}
