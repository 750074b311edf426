//! Backfills after which nobody looks.

use super::{Check, Report, Rule};
use crate::lint::migration::{MigrationSubject, Part};

pub(super) const RULE: Rule = Rule {
    id: "backfill-without-verify",
    data: include_str!("../../../lints/backfill-without-verify.toml"),
    judges_generated: false,
    check: Check::Migration(check),
};

fn check(cx: &MigrationSubject<'_>) -> Vec<Part> {
    if !cx.can_be_mended() {
        return Vec::new();
    }
    let backfills = cx.list("backfill").into_iter();
    let blind = backfills.filter(|(_, backfill)| !MigrationSubject::has(backfill, "verify"));
    blind
        .map(|(at, backfill)| {
            let table = backfill.get("table").and_then(toml::Value::as_str).unwrap_or_default();
            let message = format!(
                "nothing looks whether the backfill of table \"{table}\" has filled every row rightly before old builds and \
                 their columns are gone"
            );
            (at, Report::new(message, "Give it a verify: a condition that no row may meet afterwards"))
        })
        .collect()
}
