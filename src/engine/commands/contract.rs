//! `zdm contract`: takes the old structure out of sight, behind the gate.

use std::time::{Duration, Instant};

use super::{advance, purge, select};
use crate::database::state::parked::parked;
use crate::engine::failure;
use crate::engine::fault;
use crate::engine::gate;
use crate::engine::job::Job;
use crate::engine::open;
use crate::engine::outcome::Outcome;
use crate::engine::overrides;
use crate::engine::run::{self, Run};
use crate::error::{Error, ErrorKind};
use crate::model::phase::Phase;
use crate::model::state::State;
use crate::plan::gate::GateKind;
use crate::plan::migration::Migration;
use crate::plan::order;
use crate::plan::steps;

/// Takes every migrated migration to hidden. A refused one holds back later ones on the same tables alone.
pub(crate) async fn contract(job: &Job) -> Result<Outcome, Error> {
    overrides::check(job)?;
    let until = Instant::now() + job.gate_wait;
    loop {
        if !job.gate_wait.is_zero() {
            await_gates(job, until).await?;
        }
        let mut outcome = Outcome::default();
        match open::with_run(job, async |run| every(run, &mut outcome).await).await {
            // Somebody came between the look and the fence: looked at again, holding nothing.
            Err(error)
                if error.kind() == ErrorKind::Blocked
                    && error.is_retryable()
                    && Instant::now() < until => {}
            outcome => return outcome,
        }
    }
}

/// `--wait`: until every gate is clear, before the run lock is taken.
async fn await_gates(job: &Job, until: Instant) -> Result<(), Error> {
    let (mut conn, installed) = open::to_read(job).await?;
    if !installed {
        return Ok(());
    }
    let history = open::history(&mut conn).await?;
    let order = select::ordered(job, &history, conn.server(), Phase::Contract)?;
    for migration in order.run {
        // A contract that takes nothing away has no gate.
        if order::settled(migration, State::Migrated) == State::Migrated {
            let gate_job = overrides::for_gate(job);
            gate::await_clear(&gate_job, &mut conn, migration, GateKind::Contract, until).await?;
        }
    }
    conn.close().await;
    Ok(())
}

async fn every(run: &mut Run<'_>, outcome: &mut Outcome) -> Result<Outcome, Error> {
    let job = run.job;
    outcome.begin();
    let ground = advance::Ground::read(run).await?;
    let chosen = select::chosen(job, &ground, Phase::Contract, outcome)?;
    let mut refused = unfilled(run).await?;
    for migration in chosen {
        let shares = |(other, _): &(&Migration, Error)| {
            order::share_tables(other, migration, &job.project, ground.server)
        };
        if refused.iter().any(shares) {
            continue;
        }
        match one(run, migration, outcome).await {
            Ok(()) => {}
            Err(error) if matches!(error.kind(), ErrorKind::Blocked | ErrorKind::Unknown) => {
                refused.push((migration, error));
            }
            Err(error) => return Err(error),
        }
    }
    for migration in job.project.migrations.iter().filter(|m| m.contract.purge_auto) {
        let history = open::history(run.work.conn()).await?;
        let is_hidden = history.state(&migration.id) == State::Hidden;
        if is_hidden && purge::kept_for(run, &history, migration).await?.is_none() {
            advance::advance(run, migration, Phase::Purge, outcome).await?;
        }
    }
    advance::pass_left(run, Phase::Contract, outcome).await?;
    if let Some(error) = worst(refused) {
        return Err(with_done(error, outcome));
    }
    advance::finish(run, outcome).await?;
    Ok(outcome.clone())
}

async fn one(run: &mut Run<'_>, migration: &Migration, outcome: &mut Outcome) -> Result<(), Error> {
    let ground = advance::Ground::read(run).await?;
    let refusals = ground.asked(run, migration, |cx| steps::contract_refusals(migration, cx));
    if !refusals.is_empty() {
        return Err(advance::refused(migration, refusals));
    }
    let steps = ground.steps(run, migration, Phase::Contract)?;
    let work = ground.work(migration, Phase::Contract, &steps);
    if run::gated(&work).is_none() {
        return advance::through(run, migration, work, outcome).await;
    }
    let gate_job = overrides::for_gate(run.job);
    let (conn, token) = (run.work.conn(), &run.token);
    let passed = gate::pass(&gate_job, conn, migration, GateKind::Contract, token).await?;
    fault::point("gate-passed");
    let work = run::PhaseWork { gate: Some(&passed), ..work };
    match advance::through(run, migration, work, outcome).await {
        Ok(()) => Ok(()),
        // A fence that is final by now stays.
        Err(error) => Err(passed.give_up(run.job, run.work.conn(), error).await),
    }
}

/// The migrations that are asked for, and whose backfills have left rows out: the old structure is all that has them.
async fn unfilled<'a>(run: &mut Run<'a>) -> Result<Vec<(&'a Migration, Error)>, Error> {
    let (job, found) = (run.job, parked(run.work.conn()).await);
    let rows = found.map_err(|error| failure::working("read the rows left out", error))?;
    let is_asked = |migration: &&Migration| {
        job.selection.only.as_ref().is_none_or(|only| migration.id.is_called(only))
    };
    let refusal = |migration: &'a Migration| {
        let own = rows.iter().filter(|row| row.migration == migration.id.as_str()).count();
        let message = format!("{own} rows of migration {} could not be filled", migration.id);
        let hint = "`zdm backfill parked` lists them, and why. Correct them, then run zdm migrate. Nothing was changed.";
        let error = Error::new(ErrorKind::Blocked, message).hint(hint).until_somebody_acts();
        (own > 0).then_some((migration, error))
    };
    Ok(job.project.migrations.iter().filter(is_asked).filter_map(refusal).collect())
}

/// Of several refusals the one that no retry can help.
fn worst(refused: Vec<(&Migration, Error)>) -> Option<Error> {
    let mut errors: Vec<_> = refused.into_iter().map(|(_, error)| error).collect();
    let unknown = errors.iter().position(|error| error.kind() == ErrorKind::Unknown);
    if errors.is_empty() {
        return None;
    }
    let mut worst = errors.remove(unknown.unwrap_or(0));
    for other in errors {
        worst.detail.extend(other.detail);
        worst.not_done.extend(other.not_done);
        let sooner = other.retry_after.unwrap_or(Duration::ZERO);
        worst.retry_after = worst.retry_after.map(|own| own.max(sooner));
    }
    Some(worst)
}

/// An error with the phases that were done before it.
pub(super) fn with_done(mut error: Error, outcome: &Outcome) -> Error {
    error.done.extend(outcome.done.iter().map(|(id, phase)| format!("{id}: {phase}")));
    error
}
