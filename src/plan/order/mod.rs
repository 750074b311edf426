//! Which migrations a command runs, in which order, and which must wait.

mod drift;
mod touch;

use std::collections::{BTreeMap, BTreeSet};

use super::history::History;
use super::migration::Migration;
use super::project::Project;
use crate::model::name::{MigrationId, TableName};
use crate::model::phase::Phase;
use crate::model::server::Server;
use crate::model::state::State;
use crate::operation::Refusal;
use crate::plan::steps::schema;
use touch::Touch;

pub(crate) use drift::{Drift, drift};

/// Which migrations the user asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Wish<'a> {
    /// Up to and with this one: a name or a number.
    pub(crate) to: Option<&'a str>,
    /// This one alone.
    pub(crate) only: Option<&'a str>,
}

/// What a command does.
#[derive(Debug)]
pub(crate) struct Order<'p> {
    /// To run now, in this order.
    pub(crate) run: Vec<&'p Migration>,
    /// What must wait for another migration.
    pub(crate) held: Vec<Held>,
}

/// A migration that must wait.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Held {
    /// Which.
    pub(crate) id: MigrationId,
    /// Why, with the other migration and the table by name, and what to do.
    pub(crate) why: Refusal,
}

/// What `phase` (expand, migrate, contract or purge) runs. Refused when it can never go right: a name that is nobody's,
/// a number below an applied one on the same tables, an earlier migration that `only` would skip, or a migration that
/// was asked for by name and must wait.
pub(crate) fn next<'p>(
    mut scene: Scene<'p>,
    phase: Phase,
    wish: Wish<'_>,
) -> Result<Order<'p>, Vec<Refusal>> {
    let last = named(scene.project, wish.to)?;
    let only = named(scene.project, wish.only)?;
    let mut order = Order { run: Vec::new(), held: Vec::new() };
    let mut refusals = Vec::new();
    for index in 0..scene.actors.len() {
        let Some(actor) = scene.actors.get(index) else { break };
        let id = &actor.migration.id;
        let is_wanted = last.is_none_or(|last| id <= last) && only.is_none_or(|only| id == only);
        if !is_wanted || !begins_in(phase).contains(&actor.state) {
            continue;
        }
        if phase == Phase::Contract && actor.migration.contract.by_other {
            order.held.push(Held { id: id.clone(), why: by_other(id) });
            continue;
        }
        refusals.extend(never(actor, &scene, phase));
        match waits(actor, &scene, &order, phase) {
            Some(why) if only.is_some() || last == Some(id) => refusals.push(why),
            Some(why) => order.held.push(Held { id: id.clone(), why }),
            None => {
                order.run.push(actor.migration);
                if let Some(actor) = scene.actors.get_mut(index) {
                    actor.state = settled(actor.migration, State::during_and_after(phase).1);
                }
            }
        }
    }
    if refusals.is_empty() { Ok(order) } else { Err(refusals) }
}

/// A contract that is not zdm's to run.
fn by_other(id: &MigrationId) -> Refusal {
    Refusal {
        message: format!("another tool contracts migration {id}"),
        help: format!("run it behind the gate: zdm gate {id} -- COMMAND"),
    }
}

/// Pending migrations that can never be expanded where they stand.
pub(crate) fn misplaced(scene: &Scene<'_>) -> Vec<(MigrationId, Refusal)> {
    let refused = scene.actors.iter().filter_map(|actor| {
        never(actor, scene, Phase::Expand).map(|why| (actor.migration.id.clone(), why))
    });
    refused.collect()
}

/// Whether two migrations touch a table in common.
pub(crate) fn share_tables(
    one: &Migration,
    other: &Migration,
    project: &Project,
    server: Server,
) -> bool {
    let schema = schema(&project.config, server.engine);
    Touch::of(one, server, schema).shares_table(&Touch::of(other, server, schema)).is_some()
}

/// The migration that a user named.
pub(crate) fn find<'p>(project: &'p Project, name: &str) -> Result<&'p Migration, Refusal> {
    project.migrations.iter().find(|migration| migration.id.is_called(name)).ok_or_else(|| {
        Refusal {
            message: format!("there is no migration \"{name}\""),
            help: match project.migrations.last() {
                Some(last) => format!(
                    "name one as its folder is named, or by its number; the last is {}",
                    last.id
                ),
                None => "the folder of migrations is empty: `zdm new NAME` makes one".to_owned(),
            },
        }
    })
}

/// Where a migration that has come to the end of a phase stands, once the phases without steps have been passed.
pub(crate) fn settled(migration: &Migration, mut state: State) -> State {
    loop {
        let (after, phase) = match state {
            State::Expanded => (State::Migrated, Phase::Migrate),
            State::Migrated => (State::Hidden, Phase::Contract),
            State::Hidden => (State::Purged, Phase::Purge),
            State::Pending
            | State::Expanding
            | State::Migrating
            | State::Contracting
            | State::Purging
            | State::Purged
            | State::RollingBack
            | State::Revealing => return state,
        };
        if has_steps(migration, phase) {
            return state;
        }
        state = after;
    }
}

/// Whether a migration declares anything for a phase.
fn has_steps(migration: &Migration, phase: Phase) -> bool {
    let backfills = phase == Phase::Migrate && !migration.backfills.is_empty();
    // What another tool does is waited for.
    let others = phase == Phase::Contract && migration.contract.by_other;
    let own = !migration.operations.is_empty() || migration.files.contains_key(&phase);
    own || backfills || others
}

/// The migrations of the folder, where each stands, and what each touches.
#[derive(Debug)]
pub(crate) struct Scene<'p> {
    project: &'p Project,
    actors: Vec<Actor<'p>>,
    /// By table, those that touch it.
    by_table: BTreeMap<TableName, Vec<usize>>,
}

impl<'p> Scene<'p> {
    /// Reads what the migrations touch out of their files.
    pub(crate) fn new(project: &'p Project, history: &History, server: Server) -> Self {
        let schema = schema(&project.config, server.engine);
        let actor = |migration: &'p Migration| Actor {
            migration,
            state: history.state(&migration.id),
            touch: Touch::of(migration, server, schema),
        };
        let actors: Vec<_> = project.migrations.iter().map(actor).collect();
        let mut by_table: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (index, actor) in actors.iter().enumerate() {
            for table in actor.touch.tables() {
                by_table.entry(table.clone()).or_default().push(index);
            }
        }
        Self { project, actors, by_table }
    }

    /// The other migrations that touch a table of this one, in the order of the folder, each with such a table.
    fn neighbours<'s>(
        &'s self,
        of: &'s Actor<'p>,
    ) -> impl Iterator<Item = (&'s Actor<'p>, &'s TableName)> {
        let tables = of.touch.tables().filter_map(|table| self.by_table.get(table));
        let indexes: BTreeSet<_> = tables.flatten().copied().collect();
        let actors = indexes.into_iter().filter_map(|index| self.actors.get(index));
        let others = actors.filter(|other| other.migration.id != of.migration.id);
        others.filter_map(|other| Some((other, of.touch.shares_table(&other.touch)?)))
    }
}

/// A migration in the order of the folder, where it stands by then.
#[derive(Debug)]
struct Actor<'p> {
    migration: &'p Migration,
    state: State,
    touch: Touch,
}

/// The states from which a phase goes on.
fn begins_in(phase: Phase) -> &'static [State] {
    match phase {
        Phase::Expand => &[State::Pending, State::Expanding],
        Phase::Migrate => &[State::Expanded, State::Migrating],
        Phase::Contract => &[State::Migrated, State::Contracting],
        Phase::Purge => &[State::Hidden, State::Purging],
        Phase::Rollback => &[
            State::Expanding,
            State::Expanded,
            State::Migrating,
            State::Migrated,
            State::RollingBack,
        ],
        Phase::Reveal => &[State::Contracting, State::Hidden, State::Revealing],
    }
}

fn named<'p>(
    project: &'p Project,
    name: Option<&str>,
) -> Result<Option<&'p MigrationId>, Vec<Refusal>> {
    let found = name.map(|name| find(project, name)).transpose();
    found.map(|found| found.map(|migration| &migration.id)).map_err(|refusal| vec![refusal])
}

/// A number below an applied one, on the same tables.
fn never(actor: &Actor<'_>, scene: &Scene<'_>, phase: Phase) -> Option<Refusal> {
    if phase != Phase::Expand || actor.state != State::Pending {
        return None;
    }
    let id = &actor.migration.id;
    let mut neighbours = scene.neighbours(actor);
    let (other, table) =
        neighbours.find(|(other, _)| other.migration.id > *id && other.state != State::Pending)?;
    Some(Refusal {
        message: format!(
            "migration {id} comes before {}, which is applied and changes table \"{table}\", too",
            other.migration.id
        ),
        help: "give it a number above every applied migration".to_owned(),
    })
}

/// What must be ended before this one may go on.
fn waits(actor: &Actor<'_>, scene: &Scene<'_>, order: &Order<'_>, phase: Phase) -> Option<Refusal> {
    let id = &actor.migration.id;
    for (other, table) in scene.neighbours(actor) {
        let them = &other.migration.id;
        if let Some(command) = middle(other.state) {
            return Some(Refusal {
                message: format!(
                    "migration {id} waits for {them}, which is {} on table \"{table}\"",
                    other.state
                ),
                help: format!("`zdm {command}` ends it"),
            });
        }
        let is_earlier = them < id;
        if is_earlier && is_behind(other.state, phase) {
            let held = order.held.iter().any(|held| held.id == *them);
            let help =
                if held { "it must wait itself" } else { "run that one first, or without --only" };
            return Some(Refusal {
                message: format!(
                    "migration {id} waits for {them}, which is {} and changes table \"{table}\", too",
                    other.state
                ),
                help: help.to_owned(),
            });
        }
        let begins = phase == Phase::Expand && actor.state == State::Pending;
        let clash = begins.then(|| actor.touch.clash(&other.touch, other.state)).flatten();
        if let Some(clash) = clash {
            return Some(Refusal {
                message: format!(
                    "migration {id} waits for {them}, which {clash} and is {}",
                    other.state
                ),
                help: until(other.state).to_owned(),
            });
        }
    }
    None
}

/// The command that ends a state in the middle of a phase in which triggers and columns are being changed. A backfill
/// that rests is no obstacle to others.
fn middle(state: State) -> Option<&'static str> {
    match state {
        State::Expanding => Some("expand"),
        State::Contracting => Some("contract"),
        State::Purging => Some("purge"),
        State::RollingBack | State::Revealing => Some("rollback"),
        State::Pending
        | State::Expanded
        | State::Migrating
        | State::Migrated
        | State::Hidden
        | State::Purged => None,
    }
}

/// Whether an earlier migration has still to run this phase (or one before it). Expand and migrate never wait for an
/// earlier contract.
fn is_behind(state: State, phase: Phase) -> bool {
    match phase {
        Phase::Expand => state == State::Pending,
        Phase::Migrate => matches!(state, State::Pending | State::Expanded | State::Migrating),
        Phase::Contract => {
            matches!(state, State::Pending | State::Expanded | State::Migrating | State::Migrated)
        }
        Phase::Purge | Phase::Rollback | Phase::Reveal => false,
    }
}

fn until(state: State) -> &'static str {
    match state {
        State::Expanded | State::Migrating => {
            "run `zdm migrate` first; what it takes away must be purged first"
        }
        State::Migrated => "run `zdm contract` and `zdm purge` first",
        State::Hidden => "run `zdm purge` first",
        State::Pending
        | State::Expanding
        | State::Contracting
        | State::Purging
        | State::Purged
        | State::RollingBack
        | State::Revealing => "end it first",
    }
}

#[cfg(test)]
mod tests;
