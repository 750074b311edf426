//! Triggers and rules that come to, or go from, the writes of builds that know nothing of them.

use super::{Check, Report, Rule, Subject};

pub(super) const RULE: Rule = Rule {
    id: "trigger-change",
    data: include_str!("../../../lints/trigger-change.toml"),
    judges_generated: false,
    check: Check::Change(check),
};

fn check(cx: &Subject<'_>) -> Vec<Report> {
    let Some((table, what)) = cx.located.change.done_to_table() else { return Vec::new() };
    let upper = what.to_ascii_uppercase();
    let mut words = upper.split_whitespace();
    let (verb, kind) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let is_about = matches!(kind, "TRIGGER" | "RULE")
        || (matches!(kind, "ALWAYS" | "REPLICA") && upper.contains("TRIGGER"));
    let happens = match verb {
        "CREATE" | "ENABLE" => {
            "runs for each write of old builds, too, and what they write fails where it does"
        }
        "DROP" | "DISABLE" => "no longer runs for the writes of old builds that rely on it",
        _ => return Vec::new(),
    };
    if !is_about || cx.is_new(table) {
        return Vec::new();
    }
    let kind = if upper.contains("TRIGGER") { "trigger" } else { "rule" };
    let message = format!("this {kind} of table \"{}\" {happens}", cx.show(table));
    vec![Report::new(
        message,
        "Make sure that each build that runs now writes as well with it as without it",
    )]
}
