//! `zdm up`: all phases of all migrations at once, without gates and waiting times, on a database on which nobody
//! relies yet. Whether that is so is decided by `plan::up`.

use super::advance::{self, Ground};
use super::{contract, expand, select};
use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::database::state::events::{NewEvent, append_event};
use crate::database::state::newness::{self, Newness};
use crate::database::state::run_lock::check_run;
use crate::engine::commit::{Commit, commit_or_roll_back};
use crate::engine::failure;
use crate::engine::job::Job;
use crate::engine::open;
use crate::engine::outcome::Outcome;
use crate::engine::run::Run;
use crate::engine::run_lock::RunLock;
use crate::error::Error;
use crate::model::name::MigrationId;
use crate::model::phase::Phase;
use crate::model::state::State;
use crate::operation::Refusal;
use crate::plan::history::History;
use crate::plan::migration::Migration;
use crate::plan::order::{self, Wish};
use crate::plan::steps;
use crate::plan::up::{self, Facts, FirstSeen};

/// On what it begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Start {
    /// On the database as it is.
    AsItIs,
    /// On nothing: everything that is there is dropped first.
    Fresh,
}

/// Takes every migration to purged. Refused, with nothing changed, where somebody may rely on the database.
pub(crate) async fn up(job: &Job, start: Start) -> Result<Outcome, Error> {
    let (mut conn, installed) = open::to_read(job).await?;
    let facts = facts(job, &mut conn, installed).await?;
    allowed(&facts)?;
    if start == Start::Fresh {
        unless_refused(up::fresh_refusal(&facts))?;
        drop_everything(job, &mut conn, installed).await?;
    }
    conn.close().await;
    let mut outcome = Outcome::default();
    let ended = open::with_run(job, async |run| {
        // Again, with nobody beside: what stands in the state by now counts.
        allowed(&self::facts(job, run.work.conn(), true).await?)?;
        every(run, &mut outcome).await
    })
    .await;
    match ended {
        Ok(()) => Ok(outcome),
        Err(error) => Err(contract::with_done(error, &outcome)),
    }
}

async fn facts(job: &Job, conn: &mut Connection, installed: bool) -> Result<Facts, Error> {
    let failed = |error| failure::working("ask how this database began", error);
    let config = &job.project.config;
    let (newness, history) = if installed {
        (newness::newness(conn).await.map_err(failed)?, open::history(conn).await?)
    } else {
        let objects = Some(conn.count_objects().await.map_err(failed)?);
        (Newness { objects, ..Newness::default() }, History::default())
    };
    let is_by_phases = |id: &MigrationId, state: State| {
        state != State::Pending && !newness.begun_by_up.contains(id.as_str())
    };
    let by_phases = history.records.iter().filter(|record| is_by_phases(&record.id, record.state));
    Ok(Facts {
        disposable: config.environment.clone().filter(|_| config.disposable),
        first_seen: newness.objects.map_or(FirstSeen::Unknown, FirstSeen::Objects),
        by_phases: by_phases.map(|record| record.id.clone()).collect(),
        reported: newness.reported,
        made_for: newness.environment,
        installed,
    })
}

fn allowed(facts: &Facts) -> Result<(), Error> {
    unless_refused(up::refusal(facts))
}

fn unless_refused(refusal: Option<Refusal>) -> Result<(), Error> {
    match refusal {
        None => Ok(()),
        Some(Refusal { message, help }) => {
            let mut help = help;
            if let Some(first) = help.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            Err(Error::usage(message).hint(format!("{help}. Nothing was changed.")))
        }
    }
}

/// While no other run is at work: its lock goes with the state.
async fn drop_everything(job: &Job, conn: &mut Connection, installed: bool) -> Result<(), Error> {
    let lock = if installed { Some(RunLock::acquire(job).await?) } else { None };
    let dropped = conn.drop_everything(&job.target.schemas).await;
    if let Some(lock) = lock {
        lock.release().await;
    }
    dropped.map_err(|error| failure::working("drop what is in the database", error))
}

/// First what is open is brought to its end, then each of the others is taken through all phases.
async fn every(run: &mut Run<'_>, outcome: &mut Outcome) -> Result<(), Error> {
    let job = run.job;
    let ground = Ground::read(run).await?;
    select::unless_drifted(&job.project, &ground.history, ground.server)?;
    refuse_misplaced(job, &ground)?;
    while let Some((migration, phase)) = next_open(run).await? {
        one_phase(run, migration, phase, outcome).await?;
    }
    for migration in &job.project.migrations {
        if ground.history.state(&migration.id) != State::Pending {
            continue;
        }
        let ground = Ground::read(run).await?;
        let refusals = expand::refusals(run, &ground, migration);
        if !refusals.is_empty() {
            return Err(advance::refused(migration, refusals));
        }
        let begun = begin(run, &migration.id).await;
        begun.map_err(|error| failure::working("record what zdm up begins", error))?;
        let mut phase = Some(Phase::Expand);
        while let Some(next) = phase {
            one_phase(run, migration, next, outcome).await?;
            phase = advance::next_phase(last_state(outcome, &migration.id));
        }
    }
    Ok(())
}

fn refuse_misplaced(job: &Job, ground: &Ground) -> Result<(), Error> {
    let misplaced =
        order::misplaced(&order::Scene::new(&job.project, &ground.history, ground.server));
    if misplaced.is_empty() {
        return Ok(());
    }
    let refusals = misplaced.into_iter().map(|(_, why)| why).collect();
    let error = advance::refusal(Error::usage("cannot bring this database up"), refusals);
    let fresh = "Where it is disposable, zdm up --fresh begins anew.";
    let hint = error.hint.clone().unwrap_or_default();
    Err(error.hint(format!("{hint} {fresh}")))
}

/// The next migration that is under way, and the phase that it is in or before.
async fn next_open<'a>(run: &mut Run<'a>) -> Result<Option<(&'a Migration, Phase)>, Error> {
    let job = run.job;
    let history = open::history(run.work.conn()).await?;
    let server = run.work.conn().server();
    let mut waiting = Vec::new();
    for migration in &job.project.migrations {
        let Some(phase) = open_phase(migration, history.state(&migration.id))? else { continue };
        let wish = Wish { to: None, only: Some(migration.id.as_str()) };
        let scene = order::Scene::new(&job.project, &history, server);
        match order::next(scene, phase, wish) {
            Ok(_) => return Ok(Some((migration, phase))),
            Err(refusals) => waiting.extend(refusals),
        }
    }
    if waiting.is_empty() {
        return Ok(None);
    }
    Err(advance::refusal(Error::usage("cannot bring this database up"), waiting))
}

fn open_phase(migration: &Migration, state: State) -> Result<Option<Phase>, Error> {
    Ok(Some(match state {
        State::Pending | State::Purged => return Ok(None),
        State::Expanding => Phase::Expand,
        State::Expanded | State::Migrating => Phase::Migrate,
        State::Migrated | State::Contracting => Phase::Contract,
        State::Hidden | State::Purging => Phase::Purge,
        State::RollingBack | State::Revealing => {
            let id = &migration.id;
            return Err(Error::usage(format!("migration {id} is {state}"))
                .hint(format!("Run zdm rollback {id} to its end first. Nothing was changed.")));
        }
    }))
}

async fn one_phase(
    run: &mut Run<'_>,
    migration: &Migration,
    phase: Phase,
    outcome: &mut Outcome,
) -> Result<(), Error> {
    if phase == Phase::Contract {
        let ground = Ground::read(run).await?;
        let refusals = ground.asked(run, migration, |cx| steps::contract_refusals(migration, cx));
        if !refusals.is_empty() {
            return Err(advance::refused(migration, refusals));
        }
    }
    outcome.states.retain(|(id, _)| *id != migration.id);
    advance::advance(run, migration, phase, outcome).await
}

fn last_state(outcome: &Outcome, id: &MigrationId) -> State {
    let found = outcome.states.iter().rev().find(|(known, _)| known == id);
    found.map_or(State::Purged, |(_, state)| *state)
}

/// Writes down that it was this command: a migration that was taken through its phases with care is not rushed on.
async fn begin(run: &mut Run<'_>, id: &MigrationId) -> Result<(), DbError> {
    let (conn, token, actor) = (run.work.conn(), &run.token, &run.actor);
    conn.begin().await?;
    let written = async {
        check_run(conn, token).await?;
        let message = format!("{id} is taken through all phases at once, without gates");
        let event =
            NewEvent { migration: Some(id), kind: newness::UP, message: &message, detail: None };
        append_event(conn, actor, &event).await
    }
    .await;
    commit_or_roll_back(run.work.conn(), Commit::Up, written).await
}
