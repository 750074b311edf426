//! Statements of which the worst must be assumed.

use super::{Check, Report, Rule, Subject};
use crate::sql::change::Change;

pub(super) const RULE: Rule = Rule {
    id: "not-understood",
    data: include_str!("../../../lints/not-understood.toml"),
    judges_generated: true,
    check: Check::Change(check),
};

fn check(cx: &Subject<'_>) -> Vec<Report> {
    let Change::Opaque { why } = &cx.located.change else { return Vec::new() };
    let help = if cx.source.problem.is_some() {
        "Write the file as SQL that a server reads, one statement after the other"
    } else {
        "Check by hand what it locks and what it breaks, and say so with `-- zdm:allow(not-understood) reason` above it"
    };
    vec![Report::new(format!("zdm cannot judge this statement: {why}"), help)]
}
