//! Cheap and dear clauses in one ALTER TABLE, which makes all of them dear.

use super::{Check, Report, Rule, Subject};
use crate::lint::finding::Fix;
use crate::sql::effects::effect;

pub(super) const RULE: Rule = Rule {
    id: "mixed-clauses",
    data: include_str!("../../../lints/mixed-clauses.toml"),
    judges_generated: true,
    check: Check::Change(check),
};

fn check(cx: &Subject<'_>) -> Vec<Report> {
    let Some(table) = cx.located.change.table().filter(|table| !cx.is_new(table)) else {
        return Vec::new();
    };
    // Asked once a statement.
    let may_be = cx.number == 0 && cx.changes.len() > 1 && cx.whole.rewrites.contains(table);
    let rewrites =
        |located| !effect(std::slice::from_ref(located), cx.catalog, cx.server).rewrites.is_empty();
    if !may_be || cx.changes.iter().any(rewrites) {
        return Vec::new();
    }
    let message = format!(
        "table \"{}\" is written anew{} only because cheap and dear clauses stand in one ALTER TABLE; replicas fall behind for as long",
        cx.show(table),
        cx.takes()
    );
    vec![Report::new(message, "Put each clause into a statement of its own").with_fix(split(cx))]
}

/// Each clause behind an ALTER TABLE of its own. Clauses of one span belong together: they came from one text.
fn split(cx: &Subject<'_>) -> Option<Fix> {
    let (sql, base) = (&cx.source.sql, cx.source.span.start);
    let mut spans: Vec<_> = cx.changes.iter().map(|located| located.span).collect();
    spans.dedup();
    let head = sql.get(..spans.first()?.start.checked_sub(base)?)?;
    let is_alter =
        head.trim_start().get(..5).is_some_and(|word| word.eq_ignore_ascii_case("ALTER"));
    let whole = spans.contains(&cx.source.span);
    if cx.source.group.is_some() || !is_alter || whole || head.contains("/*") {
        return None;
    }
    let clause =
        |start: usize, end: usize| sql.get(start.checked_sub(base)?..end.checked_sub(base)?);
    let statements: Option<Vec<_>> = spans
        .iter()
        .map(|span| Some(format!("{head}{}", clause(span.start, span.end)?.trim())))
        .collect();
    Some(cx.replaced(statements?.join(";\n")))
}
