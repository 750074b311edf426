//! The steps of a migration's phases: those of its operations first, then those of its files.

use super::fillable;
use super::hand;
use super::history::History;
use super::migration::Migration;
use super::project::Project;
use crate::config::Config;
use crate::model::name::MigrationId;
use crate::model::phase::Phase;
use crate::model::server::{Engine, Server};
use crate::model::state::State;
use crate::model::step::{Action, Step};
use crate::operation::{Context, Operation, Refusal, Sync};
use crate::sql::catalog::Catalog;

/// What a migration is planned against.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlanContext<'a> {
    /// For which server.
    pub(crate) server: Server,
    /// Where tables without a schema live: [`schema`].
    pub(crate) schema: Option<&'a str>,
    /// The tables as they were before the migration's expand.
    pub(crate) base: &'a Catalog,
    /// The tables as they are now, when a database was asked: contract looks for dependents in it.
    pub(crate) now: Option<&'a Catalog>,
    /// What the triggers keep alike for other migrations: [`open_syncs`].
    pub(crate) others: &'a [Sync],
}

/// Where tables without a schema live: the first of `schemas` on PostgreSQL.
pub(crate) fn schema(config: &Config, engine: Engine) -> Option<&str> {
    if engine.is_mysql_family() {
        return None;
    }
    Some(config.database.schemas.first().map_or("public", String::as_str))
}

/// The steps of a phase, in order. The same migration on the same base has the same steps at every run.
pub(crate) fn steps(
    migration: &Migration,
    phase: Phase,
    cx: &PlanContext<'_>,
) -> Result<Vec<Step>, Vec<Refusal>> {
    let (mut steps, mut refusals) = (Vec::new(), Vec::new());
    for (operation, cx) in contexts(migration, cx) {
        match operation.steps(&cx, phase) {
            Ok(mut more) => steps.push(std::mem::take(&mut more)),
            Err(refusal) => refusals.push(refusal),
        }
    }
    // What was made last goes first.
    if phase == Phase::Rollback || phase == Phase::Reveal {
        steps.reverse();
    }
    let mut steps: Vec<_> = steps.into_iter().flatten().collect();
    match hand::steps(migration, phase, cx) {
        Ok(more) if phase == Phase::Rollback => {
            steps.splice(0..0, more);
        }
        Ok(more) => steps.extend(more),
        Err(more) => refusals.extend(more),
    }
    if phase == Phase::Contract {
        mark_first_hiding(&mut steps);
    }
    if refusals.is_empty() { Ok(steps) } else { Err(refusals) }
}

/// Everything that makes the migration impossible to keep right, asked before its expand.
pub(crate) fn refusals(migration: &Migration, cx: &PlanContext<'_>) -> Vec<Refusal> {
    let mut refusals: Vec<_> =
        contexts(migration, cx).flat_map(|(operation, cx)| operation.refusals(&cx)).collect();
    refusals.extend(same_table_twice(migration, cx));
    for phase in [Phase::Expand, Phase::Migrate, Phase::Contract] {
        refusals.extend(hand::refusals(migration, phase, cx.server.engine));
    }
    if refusals.is_empty() {
        refusals.extend(fillable::refusals(migration, cx));
    }
    refusals
}

/// What must have been changed before the migration's contract; `cx.now` must be there.
pub(crate) fn contract_refusals(migration: &Migration, cx: &PlanContext<'_>) -> Vec<Refusal> {
    contexts(migration, cx).flat_map(|(operation, cx)| operation.contract_refusals(&cx)).collect()
}

/// What people should know before expand.
pub(crate) fn notes(migration: &Migration, cx: &PlanContext<'_>) -> Vec<String> {
    let mut notes: Vec<_> =
        contexts(migration, cx).flat_map(|(operation, cx)| operation.notes(&cx)).collect();
    notes.extend(fillable::notes(migration, cx));
    notes
}

/// Changes the catalog as the migration's `phase` changes the schema; operations alone, files are replayed by `sql`.
pub(crate) fn apply_operations(
    migration: &Migration,
    phase: Phase,
    catalog: &mut Catalog,
    cx: &PlanContext<'_>,
) {
    for (operation, cx) in contexts(migration, cx) {
        operation.apply(catalog, &cx, phase);
    }
}

/// What a migration's triggers keep alike when `phase` is done.
pub(crate) fn syncs(migration: &Migration, phase: Phase, cx: &PlanContext<'_>) -> Vec<Sync> {
    contexts(migration, cx).flat_map(|(operation, cx)| operation.syncs(&cx, phase)).collect()
}

/// What the triggers of the tables keep alike for every migration but `except`, as the journal says.
pub(crate) fn open_syncs(
    project: &Project,
    history: &History,
    except: &MigrationId,
    server: Server,
) -> Vec<Sync> {
    apart_from(except, all_syncs(project, history, server))
}

/// Those of every migration but `except`.
pub(crate) fn apart_from(except: &MigrationId, mut syncs: Vec<Sync>) -> Vec<Sync> {
    syncs.retain(|sync| sync.migration != *except);
    syncs
}

/// What the triggers of the tables keep alike for every migration, as the journal says.
pub(crate) fn all_syncs(project: &Project, history: &History, server: Server) -> Vec<Sync> {
    let schema = schema(&project.config, server.engine);
    let empty = Catalog::default();
    let mut syncs = Vec::new();
    // Most migrations have no operations, and a journal is long.
    for migration in project.migrations.iter().filter(|one| !one.operations.is_empty()) {
        let Some(phase) = last_phase(history.state(&migration.id)) else { continue };
        let base = history.bases.get(&migration.id).unwrap_or(&empty);
        let cx = PlanContext { server, schema, base, now: None, others: &[] };
        for (operation, cx) in contexts(migration, &cx) {
            syncs.extend(operation.syncs(&cx, phase));
        }
    }
    syncs
}

/// The phase whose triggers are in force in a state. Another migration that is in the middle of expand, contract,
/// rollback or purge on the same tables must be ended first (`plan::order` refuses), so that there is one answer.
fn last_phase(state: State) -> Option<Phase> {
    match state {
        State::Expanded | State::Migrating | State::Migrated => Some(Phase::Migrate),
        State::Hidden => Some(Phase::Contract),
        // Until it is done, or undone, what it took last or will take.
        State::Expanding | State::Contracting | State::Revealing => Some(Phase::Migrate),
        State::Purging | State::Pending | State::Purged | State::RollingBack => None,
    }
}

/// Each operation with what it is planned against.
fn contexts<'m, 'c>(
    migration: &'m Migration,
    cx: &PlanContext<'c>,
) -> impl Iterator<Item = (&'m dyn Operation, Context<'c>)> + use<'m, 'c>
where
    'm: 'c,
{
    let cx = *cx;
    migration.operations.iter().enumerate().map(move |(index, operation)| {
        let context = Context {
            server: cx.server,
            migration: &migration.id,
            schema: cx.schema,
            position: index + 1,
            base: cx.base,
            now: cx.now,
            others: cx.others,
        };
        (operation.as_ref(), context)
    })
}

/// Two operations of one migration would have to share a table's triggers half way through a phase.
fn same_table_twice(migration: &Migration, cx: &PlanContext<'_>) -> Vec<Refusal> {
    let mut seen = Vec::new();
    let mut refusals = Vec::new();
    for operation in &migration.operations {
        for table in operation.tables() {
            let table = table.or_in(cx.schema);
            if seen.contains(&table) {
                refusals.push(Refusal {
                    message: format!(
                        "two operations of migration {} change table \"{table}\"",
                        migration.id
                    ),
                    help: "give each a migration of its own".to_owned(),
                });
            } else {
                seen.push(table);
            }
        }
    }
    refusals
}

/// A contract without operations hides by its first step: nothing before it may slip past the gate.
fn mark_first_hiding(steps: &mut [Step]) {
    let hides = |step: &Step| matches!(&step.action, Action::Statements(group) if group.hides);
    if steps.iter().any(hides) {
        return;
    }
    if let Some(Step { action: Action::Statements(group), .. }) = steps.first_mut() {
        group.hides = true;
    }
}
