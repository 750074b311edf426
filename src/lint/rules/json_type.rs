//! json, which cannot be compared.

use super::{Check, Report, Rule, Subject};

pub(super) const RULE: Rule = Rule {
    id: "json-type",
    data: include_str!("../../../lints/json-type.toml"),
    judges_generated: false,
    check: Check::Change(check),
};

fn check(cx: &Subject<'_>) -> Vec<Report> {
    let is_json = |data_type: &str, _: &_| data_type == "json";
    let Some((table, columns)) = cx.columns_of_type(is_json) else { return Vec::new() };
    let message = format!(
        "{} is json, which has no equality: SELECT DISTINCT, GROUP BY and UNION over it fail",
        cx.name_columns(table, &columns)
    );
    vec![
        Report::new(message, "Write jsonb, unless white space and the order of keys must be kept")
            .in_column(columns.first().copied()),
    ]
}
