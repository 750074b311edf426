//! Constraints that go while builds rely on them.

use super::{Check, Report, Rule, Subject};
use crate::lint::finding::Severity;
use crate::model::name::TableName;
use crate::sql::catalog::ConstraintKind;
use crate::sql::change::Change;

pub(super) const RULE: Rule = Rule {
    id: "dropped-constraint",
    data: include_str!("../../../lints/dropped-constraint.toml"),
    judges_generated: false,
    check: Check::Change(check),
};

fn check(cx: &Subject<'_>) -> Vec<Report> {
    let (table, what, kind) = match &cx.located.change {
        Change::DropConstraint { table, constraint } => {
            (table, format!("constraint \"{constraint}\""), kind(cx, table, constraint))
        }
        Change::DropNotNull { table, column } if !cx.is_new_column(table, column) => {
            (table, format!("NOT NULL of column \"{column}\""), Some(Kind::NotNull))
        }
        _ => return Vec::new(),
    };
    let comes_back = cx.changes.iter().any(
        |other| matches!(&other.change, Change::AddConstraint { table: at, .. } if at == table),
    );
    let Some(kind) = kind.filter(|_| !cx.is_new(table) && !comes_back) else { return Vec::new() };
    let of = format!("{what} of table \"{}\" goes while old builds run", cx.show(table));
    let help = "Drop it in contract.sql, when no old build is left that relies on it";
    vec![match kind {
        Kind::Unique => {
            let upsert = if cx.server.engine.is_mysql_family() {
                "their ON DUPLICATE KEY UPDATE finds no row any more"
            } else {
                "their INSERT ... ON CONFLICT over it fails"
            };
            Report::new(format!("{of}: {upsert}, and duplicates come in"), help)
        }
        Kind::NotNull => {
            let message = format!("{of}: they read NULL where they never met one");
            Report::new(message, help).at_most(Severity::Info)
        }
        Kind::Other => {
            let message = format!("{of}: rows come in that they do not expect");
            Report::new(message, help).at_most(Severity::Info)
        }
    }]
}

enum Kind {
    Unique,
    NotNull,
    Other,
}

/// What goes; none: nobody misses it.
fn kind(cx: &Subject<'_>, table: &TableName, constraint: &str) -> Option<Kind> {
    let same = |name: &str| cx.server.engine.same_name(name, constraint);
    let known = cx.known(table);
    let found = known.and_then(|known| known.constraints.iter().find(|known| same(&known.name)));
    let is_primary = same("PRIMARY") || same(&format!("{}_pkey", table.name));
    match found {
        Some(found) => match found.kind {
            ConstraintKind::Unique => Some(Kind::Unique),
            // It says what the column says by now: the end of making it NOT NULL.
            ConstraintKind::Check
                if found.definition.to_ascii_uppercase().contains("IS NOT NULL") =>
            {
                None
            }
            _ => Some(Kind::Other),
        },
        None if is_primary => Some(Kind::Unique),
        None => Some(Kind::Other),
    }
}
