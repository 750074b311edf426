//! Constraints that build their index while everybody waits.

use super::{Check, Report, Rule, Subject};
use crate::lint::finding::Fix;
use crate::model::name::TableName;
use crate::sql::change::{Change, ConstraintDef, ConstraintDefKind};

pub(super) const RULE: Rule = Rule {
    id: "constraint-builds-index",
    data: include_str!("../../../lints/constraint-builds-index.toml"),
    judges_generated: true,
    check: Check::Change(check),
};

fn check(cx: &Subject<'_>) -> Vec<Report> {
    let Change::AddConstraint { table, constraint } = &cx.located.change else { return Vec::new() };
    let kind = match constraint.kind {
        ConstraintDefKind::PrimaryKey { using_index: false } => "PRIMARY KEY",
        ConstraintDefKind::Unique { using_index: false } => "UNIQUE",
        ConstraintDefKind::Exclusion => "EXCLUDE",
        _ => return Vec::new(),
    };
    if cx.is_new(table) {
        return Vec::new();
    }
    let message = format!(
        "nobody reads or writes table \"{}\" until the index of this {kind} is built{} (AccessExclusiveLock)",
        cx.show(table),
        cx.takes()
    );
    if kind == "EXCLUDE" {
        let help = "Add it to a new table beside the old one that takes its place in contract.sql, or do it when the table \
                    may stand still";
        return vec![Report::new(message, help)];
    }
    let help = format!(
        "Write CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT ... {kind} USING INDEX in a statement of its own"
    );
    vec![Report::new(message, help).with_fix(fix(cx, table, constraint, kind))]
}

/// The index first, then the constraint over it.
fn fix(cx: &Subject<'_>, table: &TableName, constraint: &ConstraintDef, kind: &str) -> Option<Fix> {
    let sql = cx.source.sql.trim_end();
    // INCLUDE, NULLS NOT DISTINCT, WITH and DEFERRABLE would have to be carried over.
    let words = sql.split(|c: char| !c.is_alphabetic()).map(str::to_ascii_uppercase);
    let is_plain = sql.ends_with(')')
        && !words.into_iter().any(|word| {
            matches!(word.as_str(), "INCLUDE" | "NULLS" | "WITH" | "TABLESPACE" | "DEFERRABLE")
        });
    let known = cx.known(table);
    // A primary key over a column that may be NULL would be read for it a second time.
    let refuses_null = |column: &String| known.is_some_and(|known| known.refuses_null(column));
    let is_partitioned = known.is_some_and(|known| !known.peculiarities.is_empty());
    let is_checked = kind == "UNIQUE" || constraint.columns.iter().all(refuses_null);
    if !cx.is_alone() || !is_plain || !is_checked || is_partitioned || constraint.columns.is_empty()
    {
        return None;
    }
    let name = match &constraint.name {
        Some(name) => name.clone(),
        None if kind == "PRIMARY KEY" => format!("{}_pkey", table.name),
        None => format!("{}_{}_key", table.name, constraint.columns.join("_")),
    };
    if name.len() > 63 {
        return None;
    }
    let (name, table) = (cx.ident(&name), cx.quoted(table));
    Some(cx.replaced(format!(
        "CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} ({});\nALTER TABLE {table} ADD CONSTRAINT {name} {kind} USING INDEX {name}",
        cx.idents(&constraint.columns)
    )))
}
