//! Moments that do not say which one they mean.

use super::{Check, Report, Rule, Subject};

pub(super) const RULE: Rule = Rule {
    id: "timestamp-without-time-zone",
    data: include_str!("../../../lints/timestamp-without-time-zone.toml"),
    judges_generated: false,
    check: Check::Change(check),
};

fn check(cx: &Subject<'_>) -> Vec<Report> {
    let is_bare = |data_type: &str, _: &_| {
        data_type.starts_with("timestamp") && data_type.contains("without time zone")
    };
    let Some((table, columns)) = cx.columns_of_type(is_bare) else { return Vec::new() };
    let message = format!(
        "{} holds a time of day without its zone: two clients with different time zones read the same row as two moments",
        cx.name_columns(table, &columns)
    );
    vec![
        Report::new(message, "Write timestamptz, which takes the same room")
            .in_column(columns.first().copied()),
    ]
}
