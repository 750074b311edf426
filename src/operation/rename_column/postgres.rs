//! The steps on PostgreSQL.

use super::renaming::Renaming;
use crate::model::phase::Phase;
use crate::model::server::Engine;
use crate::model::step::{Action, Group, Probe, Statement};
use crate::operation::carry::{Part, group, postgres as carry, statement};
use crate::sql::quote::literal;

/// The parts of a phase, in order.
pub(super) fn parts(renaming: &Renaming<'_>, phase: Phase) -> Vec<Part> {
    match phase {
        Phase::Expand => expand(renaming),
        Phase::Migrate => migrate(renaming),
        Phase::Contract => vec![contract(renaming)],
        Phase::Purge => vec![purge(renaming)],
        Phase::Rollback => vec![rollback(renaming)],
        Phase::Reveal => vec![reveal(renaming)],
    }
}

fn expand(renaming: &Renaming<'_>) -> Vec<Part> {
    let (table, to) = (renaming.quoted_table(), renaming.quote(renaming.to()));
    let column = &renaming.column;
    let collation =
        column.collation.as_deref().map(|name| format!(" COLLATE {name}")).unwrap_or_default();
    let mut statements = vec![statement(
        format!("ALTER TABLE {table} ADD COLUMN {to} {}{collation}", column.data_type),
        renaming.column_probe(renaming.to(), true),
    )];
    if let Some(comment) = column.comment.as_deref().filter(|comment| !comment.is_empty()) {
        let comment = literal(Engine::Postgres, comment);
        statements.push(repeatable(format!("COMMENT ON COLUMN {table}.{to} IS {comment}")));
    }
    for grant in &column.grants {
        statements.push(repeatable(grant.replace("{column}", &to)));
    }
    let add = renaming.part(
        "add-column",
        format!("add column {} to {}", renaming.to(), renaming.shown),
        group(statements),
    );
    let sync = renaming.part(
        "sync-triggers",
        format!("keep {} and {} alike by triggers", renaming.from(), renaming.to()),
        group(renaming.triggers(Phase::Expand)),
    );
    vec![add, sync]
}

fn migrate(renaming: &Renaming<'_>) -> Vec<Part> {
    let mut parts = vec![renaming.backfill()];
    parts.extend(carry::build(&renaming.carry()));
    parts.push(renaming.verify());
    parts
}

fn contract(renaming: &Renaming<'_>) -> Part {
    let (table, to) = (renaming.quoted_table(), renaming.quote(renaming.to()));
    let (from, hidden) = (renaming.quote(renaming.from()), renaming.quote(&renaming.hidden));
    let mut statements = vec![statement(
        format!("ALTER TABLE {table} RENAME COLUMN {from} TO {hidden}"),
        renaming.column_probe(&renaming.hidden, true),
    )];
    statements.extend(renaming.triggers(Phase::Contract));
    if let Some(default) = &renaming.column.default {
        statements.push(repeatable(format!(
            "ALTER TABLE {table} ALTER COLUMN {to} SET DEFAULT {default}, ALTER COLUMN {hidden} DROP DEFAULT"
        )));
    }
    let hide = Group { statements, lock_tables: Vec::new(), hides: true };
    renaming.part(
        "hide",
        format!("hide column {} of {} as {}", renaming.from(), renaming.shown, renaming.hidden),
        Action::Statements(hide),
    )
}

fn reveal(renaming: &Renaming<'_>) -> Part {
    let (table, to) = (renaming.quoted_table(), renaming.quote(renaming.to()));
    let (from, hidden) = (renaming.quote(renaming.from()), renaming.quote(&renaming.hidden));
    let mut statements = vec![statement(
        format!("ALTER TABLE {table} RENAME COLUMN {hidden} TO {from}"),
        renaming.column_probe(&renaming.hidden, false),
    )];
    statements.extend(renaming.triggers(Phase::Reveal));
    if let Some(default) = &renaming.column.default {
        statements.push(repeatable(format!(
            "ALTER TABLE {table} ALTER COLUMN {from} SET DEFAULT {default}, ALTER COLUMN {to} DROP DEFAULT"
        )));
    }
    renaming.part(
        "reveal",
        format!("bring column {} of {} back", renaming.from(), renaming.shown),
        group(statements),
    )
}

fn purge(renaming: &Renaming<'_>) -> Part {
    let (table, hidden) = (renaming.quoted_table(), renaming.quote(&renaming.hidden));
    let mut statements = renaming.triggers(Phase::Purge);
    // Without CASCADE: what depends on it from outside the table refuses the drop.
    statements.push(statement(
        format!("ALTER TABLE {table} DROP COLUMN {hidden}"),
        renaming.column_probe(&renaming.hidden, false),
    ));
    statements.extend(carry::take_names(&renaming.carry(), &renaming.taken_names()));
    renaming.part(
        "purge",
        format!("drop column {} of {}", renaming.hidden, renaming.shown),
        group(statements),
    )
}

/// What was carried over goes with the column.
fn rollback(renaming: &Renaming<'_>) -> Part {
    let (table, to) = (renaming.quoted_table(), renaming.quote(renaming.to()));
    let mut statements = renaming.triggers(Phase::Rollback);
    statements.push(statement(
        format!("ALTER TABLE {table} DROP COLUMN IF EXISTS {to}"),
        renaming.column_probe(renaming.to(), false),
    ));
    renaming.part(
        "rollback",
        format!("drop column {} of {}", renaming.to(), renaming.shown),
        group(statements),
    )
}

fn repeatable(sql: String) -> Statement {
    statement(sql, Probe::Repeatable)
}
