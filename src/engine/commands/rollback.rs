//! `zdm rollback ID`: back to before expand, or from hidden to migrated.

use super::{advance, select};
use crate::engine::commit::{Commit, commit_or_roll_back};
use crate::engine::failure::Halt;
use crate::engine::fault;
use crate::engine::gate::{self, Passed};
use crate::engine::job::Job;
use crate::engine::open;
use crate::engine::outcome::Outcome;
use crate::engine::overrides;
use crate::engine::run::{self, Run};
use crate::engine::transition::Transition;
use crate::error::Error;
use crate::model::phase::Phase;
use crate::model::state::State;
use crate::plan::gate::GateKind;
use crate::plan::migration::Migration;
use crate::plan::order;

/// How far back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Goal {
    /// From hidden to migrated, from any state before to pending: a second time leads further.
    Next,
    /// To migrated, and no further: what has not been contracted stays as it is.
    Migrated,
    /// To before expand.
    Pending,
}

/// Takes one migration back.
pub(crate) async fn rollback(job: &Job, name: &str, goal: Goal) -> Result<Outcome, Error> {
    overrides::check(job)?;
    let migration = select::called(job, name)?;
    let mut outcome = Outcome::default();
    open::with_run(job, async |run| {
        outcome.begin();
        // One way back is not gone twice when the connection is lost after it.
        let enough = |outcome: &Outcome| goal != Goal::Pending && !outcome.done.is_empty();
        while !enough(&outcome) && back(run, migration, goal, &mut outcome).await? {}
        advance::finish(run, &mut outcome).await?;
        Ok(outcome.clone())
    })
    .await
}

/// One way back, if there is one to go.
async fn back(
    run: &mut Run<'_>,
    migration: &Migration,
    goal: Goal,
    outcome: &mut Outcome,
) -> Result<bool, Error> {
    let ground = advance::Ground::read(run).await?;
    let state = ground.history.state(&migration.id);
    let phase = match direction(state) {
        Direction::Nothing => return Ok(false),
        Direction::Back(Phase::Rollback) if goal == Goal::Migrated => return Ok(false),
        Direction::Back(phase) => phase,
        Direction::Never => return Err(too_late(migration, state)),
    };
    refuse_before_later_ones(run, &ground, migration)?;
    select::unless_drifted(&run.job.project, &ground.history, ground.server)?;
    let steps = ground.steps(run, migration, phase)?;
    let id = &migration.id;
    if matches!(state, State::Expanded | State::Migrating | State::Migrated) {
        withdraw(run, migration, state).await?;
    }
    let ground = advance::Ground::read(run).await?;
    run::phase(run, ground.work(migration, phase, &steps)).await?;
    outcome.done.push((id.clone(), phase));
    outcome.states.push((id.clone(), State::during_and_after(phase).1));
    Ok(true)
}

/// Passes the gate, and brings the migration into `rolling_back` behind it: from then on nobody who needs it joins.
async fn withdraw(run: &mut Run<'_>, migration: &Migration, from: State) -> Result<(), Error> {
    let gate_job = overrides::for_gate(run.job);
    let (conn, token) = (run.work.conn(), &run.token);
    let passed = gate::pass(&gate_job, conn, migration, GateKind::Rollback, token).await?;
    fault::point("gate-passed");
    let begun = Transition::new(from, State::RollingBack);
    match begin(run, &passed, &begun, migration).await {
        Ok(()) => Ok(()),
        Err(halt) => {
            let error = halt.into_error("begin the rollback");
            Err(passed.give_up(run.job, run.work.conn(), error).await)
        }
    }
}

async fn begin(
    run: &mut Run<'_>,
    passed: &Passed,
    begun: &Transition,
    migration: &Migration,
) -> Result<(), Halt> {
    let (conn, actor) = (run.work.conn(), &run.actor);
    conn.begin().await?;
    let written = async {
        passed.confirm(conn).await?;
        begun.write(conn, &migration.id, actor).await?;
        passed.make_final(conn).await?;
        Ok::<(), Halt>(())
    }
    .await;
    commit_or_roll_back(run.work.conn(), Commit::Withdrawal, written).await
}

enum Direction {
    /// It is there already.
    Nothing,
    /// By this phase.
    Back(Phase),
    /// There is no way back.
    Never,
}

fn direction(state: State) -> Direction {
    match state {
        State::Pending => Direction::Nothing,
        State::Expanding
        | State::Expanded
        | State::Migrating
        | State::Migrated
        | State::RollingBack => Direction::Back(Phase::Rollback),
        State::Contracting | State::Hidden | State::Revealing => Direction::Back(Phase::Reveal),
        State::Purging | State::Purged => Direction::Never,
    }
}

fn too_late(migration: &Migration, state: State) -> Error {
    Error::usage(format!("migration {} is {state}: it cannot be rolled back", migration.id)).hint(
        "Purge is the point of no return. Write a migration that brings back what you need. Nothing was changed.",
    )
}

/// What came later on the same tables stands on this migration, and goes first.
fn refuse_before_later_ones(
    run: &Run<'_>,
    ground: &advance::Ground,
    migration: &Migration,
) -> Result<(), Error> {
    let project = &run.job.project;
    for later in project.migrations.iter().rev() {
        let state = ground.history.state(&later.id);
        let stands_on_it = later.id > migration.id && state.is_open();
        if !stands_on_it || !order::share_tables(migration, later, project, ground.server) {
            continue;
        }
        let id = &migration.id;
        let message =
            format!("migration {} came later on the tables of {id}, and is {state}", later.id);
        return Err(Error::usage(message)
            .hint(format!("Run zdm rollback {} first. Nothing was changed.", later.id)));
    }
    Ok(())
}
