//! The plan: every migration that is not done, with its phases, steps, costs, findings, and what stands in the way.
//!
//! Without a database the folder is replayed from nothing. Expand and migrate of all migrations come before their
//! contracts, as in life: contract waits for old builds, expand does not.

mod beside;
mod phase;
mod words;

use super::history::History;
use super::migration::Migration;
use super::order;
use super::project::Project;
use super::steps::{self, PlanContext, all_syncs, schema};
use super::view::{Plan, PlannedMigration};
use crate::model::phase::Phase;
use crate::model::server::Server;
use crate::model::state::State;
use crate::operation::{Refusal, Sync};
use crate::sql::catalog::Catalog;
use crate::sql::replay::Names;

/// What would run. `live`: the tables as they are, when a database was asked.
pub(crate) fn plan(
    project: &Project,
    server: Server,
    live: Option<&Catalog>,
    history: &History,
) -> Plan {
    let names = Names::new(server.engine, &project.config.database.schemas);
    let mut catalog = live.cloned().unwrap_or_default();
    catalog.settle();
    let syncs = all_syncs(project, history, server);
    let mut scene = Scene { project, server, history, names, live, catalog, syncs };
    let mut drafts: Vec<_> = project
        .migrations
        .iter()
        .filter(|migration| history.state(&migration.id) != State::Purged)
        .map(|migration| scene.begin(migration))
        .collect();
    for draft in &mut drafts {
        scene.finish(draft);
    }
    let mut migrations: Vec<_> = drafts.into_iter().map(|draft| draft.planned).collect();
    scene.add_order(&mut migrations);
    Plan { server, migrations }
}

/// What stays the same for all migrations, and the simulated schema.
#[derive(Debug)]
struct Scene<'p> {
    project: &'p Project,
    server: Server,
    history: &'p History,
    names: Names,
    live: Option<&'p Catalog>,
    catalog: Catalog,
    /// What the triggers of migrations keep alike that are open, or come earlier in the plan.
    syncs: Vec<Sync>,
}

/// A migration that is being planned.
#[derive(Debug)]
struct Draft<'p> {
    migration: &'p Migration,
    base: Catalog,
    others: Vec<Sync>,
    planned: PlannedMigration,
}

impl<'p> Scene<'p> {
    /// Plans expand and migrate.
    fn begin(&mut self, migration: &'p Migration) -> Draft<'p> {
        let state = self.history.state(&migration.id);
        let base = self.history.bases.get(&migration.id).unwrap_or(&self.catalog).clone();
        let mut draft = Draft {
            migration,
            base,
            others: self.others(migration),
            planned: PlannedMigration {
                id: migration.id.clone(),
                description: words::description(migration),
                state,
                phases: Vec::new(),
                refusals: Vec::new(),
                beside: Vec::new(),
                notes: Vec::new(),
            },
        };
        if state == State::Pending {
            let cx = self.context(&draft);
            let (refusals, notes) = (steps::refusals(migration, &cx), steps::notes(migration, &cx));
            refuse(&mut draft.planned, refusals);
            draft.planned.notes.extend(notes);
        }
        for phase in remaining(state).iter().copied().filter(|phase| !is_late(*phase)) {
            self.phase(&mut draft, phase);
        }
        self.catalog.settle();
        if state == State::Pending {
            let syncs = steps::syncs(migration, Phase::Expand, &self.context(&draft));
            self.syncs.extend(syncs);
        }
        draft.planned.beside = self.rollback(&draft);
        draft
    }

    /// Plans contract and purge.
    fn finish(&mut self, draft: &mut Draft<'p>) {
        if self.live.is_some() && draft.planned.state != State::Pending {
            let cx = PlanContext { now: self.live, ..self.context(draft) };
            let waiting = steps::contract_refusals(draft.migration, &cx);
            draft.planned.notes.extend(
                waiting
                    .into_iter()
                    .map(|found| format!("contract will be refused: {}", found.message)),
            );
        }
        for phase in remaining(draft.planned.state).iter().copied().filter(|phase| is_late(*phase))
        {
            if self.phase(draft, phase) {
                self.catalog.settle();
            }
        }
        self.add_declared(draft);
    }

    fn context<'c>(&self, draft: &'c Draft<'p>) -> PlanContext<'c>
    where
        'p: 'c,
    {
        PlanContext {
            server: self.server,
            schema: schema(&self.project.config, self.server.engine),
            base: &draft.base,
            now: None,
            others: &draft.others,
        }
    }

    /// What other migrations keep alike on the tables of this one's operations.
    fn others(&self, migration: &Migration) -> Vec<Sync> {
        let schema = schema(&self.project.config, self.server.engine);
        let tables = migration.operations.iter().flat_map(|operation| operation.tables());
        let tables: Vec<_> = tables.map(|table| table.or_in(schema)).collect();
        let concerns =
            |sync: &&Sync| sync.migration != migration.id && tables.contains(&sync.table);
        self.syncs.iter().filter(concerns).cloned().collect()
    }

    /// What must wait, and what stands in the wrong place.
    fn add_order(&self, migrations: &mut [PlannedMigration]) {
        let scene = order::Scene::new(self.project, self.history, self.server);
        for (id, why) in order::misplaced(&scene) {
            if let Some(found) = migrations.iter_mut().find(|migration| migration.id == id) {
                refuse(found, vec![why]);
            }
        }
        let wish = order::Wish::default();
        let next = order::next(scene, Phase::Expand, wish);
        for held in next.map(|order| order.held).unwrap_or_default() {
            if let Some(found) = migrations.iter_mut().find(|migration| migration.id == held.id) {
                found.notes.push(format!("{}: {}", held.why.message, held.why.help));
            }
        }
    }
}

fn refuse(planned: &mut PlannedMigration, refusals: Vec<Refusal>) {
    for Refusal { message, help } in refusals {
        if !planned.refusals.iter().any(|(known, _)| *known == message) {
            planned.refusals.push((message, help));
        }
    }
}

/// Contract and what follows it.
fn is_late(phase: Phase) -> bool {
    match phase {
        Phase::Contract | Phase::Purge | Phase::Reveal => true,
        Phase::Expand | Phase::Migrate | Phase::Rollback => false,
    }
}

/// The phases that a migration has before it.
fn remaining(state: State) -> &'static [Phase] {
    match state {
        State::Pending | State::Expanding => {
            &[Phase::Expand, Phase::Migrate, Phase::Contract, Phase::Purge]
        }
        State::Expanded | State::Migrating => &[Phase::Migrate, Phase::Contract, Phase::Purge],
        State::Migrated | State::Contracting => &[Phase::Contract, Phase::Purge],
        State::Hidden | State::Purging => &[Phase::Purge],
        State::Purged => &[],
        State::RollingBack => &[Phase::Rollback],
        State::Revealing => &[Phase::Reveal],
    }
}

#[cfg(test)]
mod tests;
