//! The steps on MySQL and MariaDB: each statement commits by itself, and tells by the catalog that it took effect.

use super::renaming::Renaming;
use crate::model::phase::Phase;
use crate::model::step::{Probe, Statement};
use crate::operation::carry::mysql::{self as carry, Binding, Cost, alter, column_text, locked};
use crate::operation::carry::{Part, group, statement};

/// The parts of a phase, in order.
pub(super) fn parts(renaming: &Renaming<'_>, phase: Phase) -> Vec<Part> {
    match phase {
        Phase::Expand => expand(renaming),
        Phase::Migrate => migrate(renaming),
        Phase::Contract => vec![contract(renaming)],
        Phase::Purge => purge(renaming),
        Phase::Rollback => rollback(renaming),
        Phase::Reveal => vec![reveal(renaming)],
    }
}

fn expand(renaming: &Renaming<'_>) -> Vec<Part> {
    let carried = renaming.carry();
    let add = format!("ADD COLUMN {}", column_text(&carried, None, false));
    let mut parts = vec![renaming.part(
        "add-column",
        format!("add column {} to {}", renaming.to(), renaming.shown),
        group(vec![statement(
            alter(&carried, &add, Cost::Instant),
            renaming.column_probe(renaming.to(), true),
        )]),
    )];
    if let Some(default) = lent_default(renaming) {
        let clause =
            format!("ALTER COLUMN {} SET DEFAULT {default}", renaming.quote(renaming.from()));
        parts.push(renaming.part(
            "lend-default",
            format!("let INSERT ... SELECT leave out {}, which its trigger fills", renaming.from()),
            group(vec![repeatable(alter(&carried, &clause, Cost::Instant))]),
        ));
    }
    parts.push(renaming.part(
        "sync-triggers",
        format!("keep {} and {} alike by triggers", renaming.from(), renaming.to()),
        group(renaming.triggers(Phase::Expand)),
    ));
    parts
}

fn migrate(renaming: &Renaming<'_>) -> Vec<Part> {
    let mut parts = vec![renaming.backfill()];
    parts.extend(carry::build(&renaming.carry()));
    parts.push(renaming.verify());
    parts.extend(carry::foreign_keys(&renaming.carry()));
    parts
}

/// The rename comes first: from then on a late old writer gets error 1054. Were the run to die before the triggers are
/// replaced, every write would get it, until the same command goes on: loud, and nothing is lost.
fn contract(renaming: &Renaming<'_>) -> Part {
    let (from, hidden) = (renaming.quote(renaming.from()), renaming.quote(&renaming.hidden));
    let rename = format!("RENAME COLUMN {from} TO {hidden}{}", default_after_contract(renaming));
    let mut statements = vec![statement(
        alter(&renaming.carry(), &rename, Cost::Instant),
        renaming.column_probe(&renaming.hidden, true),
    )];
    statements.extend(renaming.triggers(Phase::Contract));
    renaming.part(
        "hide",
        format!("hide column {} of {} as {}", renaming.from(), renaming.shown, renaming.hidden),
        locked(&renaming.carry(), statements, true),
    )
}

fn reveal(renaming: &Renaming<'_>) -> Part {
    let (from, hidden) = (renaming.quote(renaming.from()), renaming.quote(&renaming.hidden));
    let rename = format!("RENAME COLUMN {hidden} TO {from}{}", default_while_both_live(renaming));
    let mut statements = vec![statement(
        alter(&renaming.carry(), &rename, Cost::Instant),
        renaming.column_probe(&renaming.hidden, false),
    )];
    statements.extend(renaming.triggers(Phase::Reveal));
    renaming.part(
        "reveal",
        format!("bring column {} of {} back", renaming.from(), renaming.shown),
        locked(&renaming.carry(), statements, false),
    )
}

fn purge(renaming: &Renaming<'_>) -> Vec<Part> {
    let carried = renaming.carry();
    let mut parts = carry::unbind(&carried, Binding::Old);
    let mut statements = renaming.triggers(Phase::Purge);
    let clause = format!("DROP COLUMN {}", renaming.quote(&renaming.hidden));
    statements.push(statement(
        alter(&carried, &clause, Cost::Instant),
        renaming.column_probe(&renaming.hidden, false),
    ));
    parts.push(renaming.part(
        "purge",
        format!("drop column {} of {}", renaming.hidden, renaming.shown),
        locked(&carried, statements, false),
    ));
    parts.extend(carry::take_names(&carried, &renaming.taken_names()));
    parts
}

/// Unique indexes go first: without triggers, old builds leave the new column at its default.
fn rollback(renaming: &Renaming<'_>) -> Vec<Part> {
    let carried = renaming.carry();
    let mut parts = carry::unbind(&carried, Binding::Carried);
    let mut statements = renaming.triggers(Phase::Rollback);
    let to = renaming.quote(renaming.to());
    let clause = format!("DROP COLUMN {}{to}", carry::if_exists(renaming.cx.server));
    statements.push(statement(
        alter(&carried, &clause, Cost::Instant),
        renaming.column_probe(renaming.to(), false),
    ));
    if lent_default(renaming).is_some() {
        let clause = format!("ALTER COLUMN {} DROP DEFAULT", renaming.quote(renaming.from()));
        statements.push(repeatable(alter(&carried, &clause, Cost::Instant)));
    }
    parts.push(renaming.part(
        "rollback",
        format!("drop column {} of {}", renaming.to(), renaming.shown),
        locked(&carried, statements, false),
    ));
    parts
}

/// The default that the old column is given while both live: it refuses NULL and has none.
fn lent_default(renaming: &Renaming<'_>) -> Option<String> {
    if renaming.column.default.is_some() { None } else { renaming.live_default() }
}

/// The new column's default is the old one's from contract on.
fn default_after_contract(renaming: &Renaming<'_>) -> String {
    let to = renaming.quote(renaming.to());
    match &renaming.column.default {
        Some(default) => format!(", ALTER COLUMN {to} SET DEFAULT {default}"),
        None if renaming.live_default().is_some() => format!(", ALTER COLUMN {to} DROP DEFAULT"),
        None => String::new(),
    }
}

fn default_while_both_live(renaming: &Renaming<'_>) -> String {
    let to = renaming.quote(renaming.to());
    match (renaming.live_default(), &renaming.column.default) {
        (Some(default), _) => format!(", ALTER COLUMN {to} SET DEFAULT {default}"),
        // DROP DEFAULT would make a column that takes NULL demand a value.
        (None, Some(_)) if !renaming.column.not_null => {
            format!(", ALTER COLUMN {to} SET DEFAULT NULL")
        }
        (None, Some(_)) => format!(", ALTER COLUMN {to} DROP DEFAULT"),
        (None, None) => String::new(),
    }
}

fn repeatable(sql: String) -> Statement {
    statement(sql, Probe::Repeatable)
}
