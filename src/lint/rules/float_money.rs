//! Money in binary fractions.

use super::{Check, Report, Rule, Subject};
use crate::sql::change::ColumnDef;

pub(super) const RULE: Rule = Rule {
    id: "float-money",
    data: include_str!("../../../lints/float-money.toml"),
    judges_generated: false,
    check: Check::Change(check),
};

fn check(cx: &Subject<'_>) -> Vec<Report> {
    let is_money = |data_type: &str, column: &ColumnDef| {
        let is_float =
            ["real", "double", "float", "money"].iter().any(|word| data_type.starts_with(word));
        is_float && names_money(&column.name)
    };
    let Some((table, columns)) = cx.columns_of_type(is_money) else { return Vec::new() };
    let message = format!(
        "{} looks like money and is a binary fraction: 0.1 + 0.2 is not 0.3, and sums drift",
        cx.name_columns(table, &columns)
    );
    vec![
        Report::new(message, "Write numeric(p, s), or whole cents in a bigint")
            .in_column(columns.first().copied()),
    ]
}

/// Whether one of a name's words is one of money.
fn names_money(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower.split('_').any(|word| {
        matches!(
            word,
            "price"
                | "prices"
                | "amount"
                | "cost"
                | "costs"
                | "total"
                | "subtotal"
                | "balance"
                | "fee"
                | "fees"
                | "tax"
                | "salary"
                | "wage"
                | "revenue"
                | "discount"
                | "payment"
                | "paid"
                | "refund"
                | "money"
                | "usd"
                | "eur"
        )
    })
}
