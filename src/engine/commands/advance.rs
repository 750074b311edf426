//! One migration through one phase, and through those after it in which there is nothing to do.

use crate::database::stored;
use crate::engine::failure;
use crate::engine::open;
use crate::engine::outcome::Outcome;
use crate::engine::run::{self, PhaseWork, Run};
use crate::engine::transition::Transition;
use crate::error::{Error, ErrorKind};
use crate::model::phase::Phase;
use crate::model::server::Server;
use crate::model::state::State;
use crate::model::step::Step;
use crate::operation::Refusal;
use crate::plan::history::History;
use crate::plan::migration::Migration;
use crate::plan::order;
use crate::plan::steps::{self, PlanContext};
use crate::sql::catalog::Catalog;

/// What a migration is planned against, as the database has it.
#[derive(Debug)]
pub(crate) struct Ground {
    /// The server.
    pub(crate) server: Server,
    /// What the journal says.
    pub(crate) history: History,
    /// The tables as they are.
    pub(crate) now: Catalog,
}

impl Ground {
    /// Reads it.
    pub(crate) async fn read(run: &mut Run<'_>) -> Result<Self, Error> {
        let conn = run.work.conn();
        let history = open::history(conn).await?;
        let now = conn.catalog(None).await;
        let now = now.map_err(|error| failure::working("read the catalog", error))?;
        Ok(Self { server: conn.server(), history, now })
    }

    /// The tables as they were before a migration's expand: as they are, when it has not begun.
    pub(crate) fn base(&self, migration: &Migration) -> &Catalog {
        self.history.bases.get(&migration.id).unwrap_or(&self.now)
    }

    /// The steps of a phase.
    pub(crate) fn steps(
        &self,
        run: &Run<'_>,
        migration: &Migration,
        phase: Phase,
    ) -> Result<Vec<Step>, Error> {
        self.asked(run, migration, |cx| steps::steps(migration, phase, cx))
            .map_err(|refusals| refused(migration, refusals))
    }

    /// The work of a phase, without a gate.
    pub(crate) fn work<'a>(
        &'a self,
        migration: &'a Migration,
        phase: Phase,
        steps: &'a [Step],
    ) -> PhaseWork<'a> {
        let record = self.history.record(&migration.id);
        PhaseWork { migration: &migration.id, phase, steps, record, base: None, gate: None }
    }

    /// Lets `ask` plan against this ground.
    pub(crate) fn asked<T>(
        &self,
        run: &Run<'_>,
        migration: &Migration,
        ask: impl FnOnce(&PlanContext<'_>) -> T,
    ) -> T {
        let project = &run.job.project;
        let others = steps::open_syncs(project, &self.history, &migration.id, self.server);
        let schema = steps::schema(&project.config, self.server.engine);
        ask(&PlanContext {
            server: self.server,
            schema,
            base: self.base(migration),
            now: Some(&self.now),
            others: &others,
        })
    }
}

/// What makes a migration impossible, as an error.
pub(crate) fn refused(migration: &Migration, refusals: Vec<Refusal>) -> Error {
    refusal(Error::usage(format!("migration {} cannot be kept right", migration.id)), refusals)
}

/// Adds refusals to an error that says what they refuse.
pub(crate) fn refusal(mut error: Error, refusals: Vec<Refusal>) -> Error {
    let mut helps: Vec<String> = Vec::new();
    for refusal in refusals {
        error = error.detail(refusal.message);
        if !helps.contains(&refusal.help) {
            helps.push(refusal.help);
        }
    }
    error.hint(format!("{}. Nothing was changed.", helps.join("; ")))
}

/// Takes one migration through `phase`, then through the phases after it that have no steps.
pub(crate) async fn advance(
    run: &mut Run<'_>,
    migration: &Migration,
    phase: Phase,
    outcome: &mut Outcome,
) -> Result<(), Error> {
    let ground = Ground::read(run).await?;
    let steps = ground.steps(run, migration, phase)?;
    let mut work = ground.work(migration, phase, &steps);
    if phase == Phase::Expand && ground.history.state(&migration.id) == State::Pending {
        let base = stored::store(&ground.now).map_err(|error| {
            let message = "could not write the tables into the journal";
            Error::new(ErrorKind::Failed, message).caused_by(error)
        })?;
        work.base = Some(base);
    }
    through(run, migration, work, outcome).await
}

/// Takes one migration through a phase that has been looked into.
pub(crate) async fn through(
    run: &mut Run<'_>,
    migration: &Migration,
    work: PhaseWork<'_>,
    outcome: &mut Outcome,
) -> Result<(), Error> {
    let phase = work.phase;
    run::phase(run, work).await?;
    outcome.done.push((migration.id.clone(), phase));
    pass_empty(run, migration, outcome).await
}

/// Passes the phases without steps of migrations that are through `phase` already: a run that died in between has left
/// them there.
pub(crate) async fn pass_left(
    run: &mut Run<'_>,
    phase: Phase,
    outcome: &mut Outcome,
) -> Result<(), Error> {
    let history = open::history(run.work.conn()).await?;
    let (_, after) = State::during_and_after(phase);
    for migration in &run.job.project.migrations {
        let is_left = history.record(&migration.id).is_some_and(|record| record.state == after);
        if is_left && order::settled(migration, after) != after {
            pass_empty(run, migration, outcome).await?;
        }
    }
    Ok(())
}

/// Passes the phases in which a migration has nothing to do.
pub(crate) async fn pass_empty(
    run: &mut Run<'_>,
    migration: &Migration,
    outcome: &mut Outcome,
) -> Result<(), Error> {
    let ground = Ground::read(run).await?;
    let mut state = ground.history.state(&migration.id);
    let mut transitions = Vec::new();
    while let Some(phase) = next_phase(state) {
        let is_others = phase == Phase::Contract && migration.contract.by_other;
        if is_others || !ground.steps(run, migration, phase)?.is_empty() {
            break;
        }
        let (during, after) = State::during_and_after(phase);
        transitions.extend([Transition::new(state, during), Transition::new(during, after)]);
        outcome.done.push((migration.id.clone(), phase));
        state = after;
    }
    if !transitions.is_empty() {
        run::pass(run, &migration.id, transitions).await?;
    }
    outcome.states.push((migration.id.clone(), state));
    Ok(())
}

/// The phase that comes after a state in which nothing is under way.
pub(crate) fn next_phase(state: State) -> Option<Phase> {
    match state {
        State::Pending => Some(Phase::Expand),
        State::Expanded => Some(Phase::Migrate),
        State::Migrated => Some(Phase::Contract),
        State::Hidden => Some(Phase::Purge),
        State::Expanding
        | State::Migrating
        | State::Contracting
        | State::Purging
        | State::Purged
        | State::RollingBack
        | State::Revealing => None,
    }
}

/// Says what comes next.
pub(crate) async fn finish(run: &mut Run<'_>, outcome: &mut Outcome) -> Result<(), Error> {
    let history = open::history(run.work.conn()).await?;
    outcome.next = super::select::next_command(run.job, &history);
    Ok(())
}
