//! Constraints that read a whole table while writers wait.

use super::{Check, Report, Rule, Subject};
use crate::lint::finding::Fix;
use crate::model::name::TableName;
use crate::model::server::Engine;
use crate::sql::change::{Change, ConstraintDef, ConstraintDefKind};

pub(super) const RULE: Rule = Rule {
    id: "constraint-validates",
    data: include_str!("../../../lints/constraint-validates.toml"),
    judges_generated: true,
    check: Check::Change(check),
};

fn check(cx: &Subject<'_>) -> Vec<Report> {
    let Change::AddConstraint { table, constraint } = &cx.located.change else { return Vec::new() };
    let partner = match &constraint.kind {
        ConstraintDefKind::Check { .. } => None,
        ConstraintDefKind::ForeignKey { to } => Some(to),
        _ => return Vec::new(),
    };
    if cx.is_new(table) || !cx.blocks_for_long() {
        return Vec::new();
    }
    let what = if partner.is_some() { "foreign key" } else { "check" };
    let how = if cx.effect.rewrites.is_empty() { "is read" } else { "is copied" };
    let both =
        partner.filter(|to| *to != table && cx.server.engine == Engine::Postgres && !cx.is_new(to));
    let both = both.map(|to| format!(", and writes to table \"{}\" wait as well", cx.show(to)));
    let message = format!(
        "table \"{}\" {how} from end to end for this {what}: meanwhile {}{}",
        cx.show(table),
        cx.waiting(),
        both.unwrap_or_default()
    );
    if cx.server.engine != Engine::Postgres {
        let help = "Do it when writes may wait, or on a new table beside the old one that takes its place in contract.sql";
        return vec![Report::new(message, help)];
    }
    let help = "Add the constraint NOT VALID, and write VALIDATE CONSTRAINT in a statement of its own, which lets others write";
    vec![Report::new(message, help).with_fix(fix(cx, table, constraint))]
}

/// NOT VALID behind the statement, and VALIDATE after it.
fn fix(cx: &Subject<'_>, table: &TableName, constraint: &ConstraintDef) -> Option<Fix> {
    let is_partitioned = cx.known(table).is_some_and(|known| !known.peculiarities.is_empty());
    let name = constraint.name.as_ref().filter(|_| cx.is_alone() && !is_partitioned)?;
    let (table, name) = (cx.quoted(table), cx.ident(name));
    let text = format!(" NOT VALID;\nALTER TABLE {table} VALIDATE CONSTRAINT {name}");
    Some(cx.inserted(cx.source.sql.trim_end().len(), &text))
}
