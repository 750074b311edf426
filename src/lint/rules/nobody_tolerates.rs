//! Contracts that no build says to survive.

use super::{Check, Report, Rule};
use crate::lint::migration::{MigrationSubject, Part};

pub(super) const RULE: Rule = Rule {
    id: "nobody-tolerates",
    data: include_str!("../../../lints/nobody-tolerates.toml"),
    judges_generated: false,
    check: Check::Migration(check),
};

fn check(cx: &MigrationSubject<'_>) -> Vec<Part> {
    let contract = cx.declared.get("contract").and_then(toml::Value::as_table);
    let is_tolerated =
        contract.is_some_and(|contract| MigrationSubject::has(contract, "tolerated_by"));
    if !cx.can_be_mended() || !cx.contracts() || is_tolerated || cx.facts.services.is_empty() {
        return Vec::new();
    }
    let at = cx.facts.declaration.find("[contract]").unwrap_or(0);
    let message = format!(
        "no service tolerates the contract of migration \"{}\": until one says so, it is refused for ever",
        cx.facts.id
    );
    let help =
        "Add the service to tolerated_by in the commit in which it stops using the old structure";
    vec![(at, Report::new(message, help))]
}
