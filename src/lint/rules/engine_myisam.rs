//! Tables that know no transaction.

use super::{Check, Report, Rule, Subject};
use crate::sql::change::Change;

pub(super) const RULE: Rule = Rule {
    id: "engine-myisam",
    data: include_str!("../../../lints/engine-myisam.toml"),
    judges_generated: false,
    check: Check::Change(check),
};

fn check(cx: &Subject<'_>) -> Vec<Report> {
    let (table, text) = match &cx.located.change {
        Change::CreateTable { table, options, temporary: false, .. } => (table, options.clone()),
        Change::TableOption { table, name, value: Some(value) }
            if name == "ENGINE" && !cx.is_new(table) =>
        {
            (table, format!("ENGINE={value}"))
        }
        _ => return Vec::new(),
    };
    let compact: String = text.to_ascii_uppercase().split_whitespace().collect();
    let Some((_, engine)) = compact.split_once("ENGINE") else { return Vec::new() };
    let engine = engine.trim_start_matches('=');
    let Some(engine) = ["MYISAM", "ARIA"].iter().find(|known| engine.starts_with(**known)) else {
        return Vec::new();
    };
    let message = format!(
        "table \"{}\" is stored by {engine}, which has no transactions, row locks or foreign keys: a crash leaves half a \
         statement, and zdm cannot fill it in batches",
        cx.show(table)
    );
    vec![Report::new(message, "Write ENGINE=InnoDB")]
}
