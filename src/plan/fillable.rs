//! Whether the tables of a migration can be filled in batches, and what filling them sets off.

use super::migration::Migration;
use super::steps::{PlanContext, steps};
use crate::model::phase::Phase;
use crate::model::step::{Action, Backfill};
use crate::operation::Refusal;
use crate::sql::catalog::{Table, TableKind};
use crate::sql::update::assigned;

/// Why tables cannot be filled, as far as they are known.
pub(super) fn refusals(migration: &Migration, cx: &PlanContext<'_>) -> Vec<Refusal> {
    let mut refusals: Vec<Refusal> = Vec::new();
    for backfill in backfills(migration, cx) {
        // A table of which nothing is known has no columns, either.
        let known = cx.base.tables.get(&backfill.table);
        let Some(known) = known.filter(|known| !known.columns.is_empty()) else { continue };
        let refusal = refusal(&backfill, known, cx);
        refusals.extend(refusal.filter(|refusal| !refusals.contains(refusal)));
    }
    refusals
}

fn refusal(backfill: &Backfill, known: &Table, cx: &PlanContext<'_>) -> Option<Refusal> {
    let name = &backfill.table.name;
    let kind = match known.shape.kind {
        TableKind::Ordinary | TableKind::Partitioned => None,
        TableKind::Foreign => Some("is a foreign table"),
        TableKind::View | TableKind::MaterializedView => Some("is a view"),
    };
    if let Some(kind) = kind {
        return Some(Refusal {
            message: format!("table \"{name}\" {kind}, which cannot be filled in batches"),
            help: "name the table that has the rows".to_owned(),
        });
    }
    if known.key.is_empty() {
        return Some(Refusal {
            message: format!("table \"{name}\" has no key, so that it cannot be filled in batches"),
            help: "add a primary key, or a unique key over columns that are NOT NULL, first"
                .to_owned(),
        });
    }
    let moved = assigned(&backfill.set, cx.server.engine);
    let moved = moved.iter().find(|column| known.key.contains(column))?;
    Some(Refusal {
        message: format!(
            "the backfill of table \"{name}\" sets \"{moved}\", a column of the key over which it goes: it would meet rows \
             twice, or miss them"
        ),
        help: "fill another column, or write the statement into migrate.sql".to_owned(),
    })
}

/// The triggers of the user's that backfills by hand fire; operations tell theirs themselves.
pub(super) fn notes(migration: &Migration, cx: &PlanContext<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    for table in migration.backfills.iter().map(|backfill| &backfill.fill.table) {
        let table = table.or_in(cx.schema);
        let known = cx.now.unwrap_or(cx.base).tables.get(&table);
        let triggers = known.iter().flat_map(|known| &known.triggers);
        let fired = triggers.filter(|trigger| trigger.fires.contains("UPDATE"));
        notes.extend(fired.map(|trigger| {
            let shown = table.shown(cx.schema);
            format!("the backfill of table \"{shown}\" fires its trigger \"{}\"", trigger.name)
        }));
    }
    notes.dedup();
    notes
}

fn backfills(migration: &Migration, cx: &PlanContext<'_>) -> Vec<Backfill> {
    if migration.operations.is_empty() && migration.backfills.is_empty() {
        return Vec::new();
    }
    let steps = steps(migration, Phase::Migrate, cx).unwrap_or_default();
    let filled = steps.into_iter().filter_map(|step| match step.action {
        Action::Backfill(backfill) => Some(backfill),
        Action::Statements(_) | Action::Alone(_) | Action::Verify(_) => None,
    });
    filled.collect()
}
