//! The beginning and the end of a run: connections, state, run lock, and what the journal says.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::commands::Ground;
use super::event::Event;
use super::failure;
use super::fault;
use super::gate;
use super::job::Job;
use super::run::Run;
use super::run_lock::RunLock;
use super::session::Worker;
use super::steps;
use super::stop;
use crate::database::connection::Connection;
use crate::database::error::{DbError, DbErrorKind};
use crate::database::state::error::StateError;
use crate::database::state::events::Actor;
use crate::database::state::install::{install, open_for_reading};
use crate::database::state::journal::journal;
use crate::database::state::leases;
use crate::database::state::promotion;
use crate::database::state::services::{Ungranted, declare_services};
use crate::database::stored;
use crate::error::{Error, ErrorKind};
use crate::model::journal::{MigrationRecord, Progress};
use crate::model::name::MigrationId;
use crate::model::phase::Phase;
use crate::model::state::State;
use crate::model::step::Action;
use crate::plan::history::History;

/// How long ended leases are kept at least: `zdm instances` shows who was there.
const KEPT_FOR: Duration = Duration::from_hours(24 * 90);

/// So often a pooler is looked for: once missed it about once in a hundred runs on a busy machine.
const LOOKS: usize = 5;

/// Runs `body` with a work connection and the run lock, and gives both back, whatever comes out of it.
///
/// Steps connect again by themselves. Where the connection is lost between them, `body` runs again from its beginning, as
/// the same command would: it goes on where the journal says that it stands.
pub(crate) async fn with_run<T>(
    job: &Job,
    mut body: impl AsyncFnMut(&mut Run<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut work = Worker::open(&job.target).await?;
    direct(&mut work).await?;
    writable(job, work.conn()).await?;
    let environment = job.project.config.environment.as_deref();
    install(work.conn(), environment).await.map_err(|error| refused(job, error))?;
    let lock = RunLock::acquire(job).await?;
    let mut run = Run { job, work, token: lock.token().clone(), actor: Actor::here() };
    fault::point("state-made");
    let outcome = loop {
        let outcome = match begin(&mut run).await {
            Ok(()) => body(&mut run).await,
            Err(error) => Err(error),
        };
        match outcome {
            Err(error) if run.work.may_begin_anew(&error) => {
                if let Err(error) = run.work.connect_anew(job).await {
                    break Err(error);
                }
            }
            outcome => break outcome.map_err(|error| unless_stopped(job, error)),
        }
    };
    fault::point("run-ending");
    let outcome = match (give_back_logins(&mut run).await, outcome) {
        (Ok(()), outcome) => outcome,
        (Err(error), Ok(_)) => Err(error),
        (Err(second), Err(mut error)) => {
            error.detail.push(second.to_string());
            error.detail.extend(second.detail);
            Err(error)
        }
    };
    run.work.close().await;
    lock.release().await;
    outcome
}

/// Forgets instances that ended so long ago that no soak asks for them. What fails here is done by a later run.
async fn prune_leases(run: &mut Run<'_>) {
    let project = &run.job.project;
    let soaks = project.migrations.iter().filter_map(|migration| migration.contract.soak);
    let kept_for = soaks.chain([project.config.gate.soak, KEPT_FOR]).max().unwrap_or(KEPT_FOR);
    if let Err(error) = leases::prune(run.work.conn(), kept_for).await {
        tracing::warn!(%error, "could not delete leases that ended long ago");
    }
}

/// Whose fence is gone may log in again.
async fn give_back_logins(run: &mut Run<'_>) -> Result<(), Error> {
    let job = run.job;
    let roles = if run.work.conn().is_closed() {
        let opened = Connection::open(&job.target).await;
        let mut conn = opened.map_err(|error| failure::connecting(&job.target, error))?;
        gate::give_back(job, &mut conn, &run.token).await?
    } else {
        gate::give_back(job, run.work.conn(), &run.token).await?
    };
    gate::note_logins(job, &roles);
    Ok(())
}

/// The server can hear of a cancellation after the statement has ended that was meant, and end a later one. MariaDB, ended
/// while it reads the text of a trigger, says that the text is wrong (1064, seen on 10.11).
fn unless_stopped(job: &Job, error: Error) -> Error {
    let below = failure::kind_below(&error);
    match job.interrupt.raised() {
        Some(signal) if matches!(below, Some(DbErrorKind::Cancelled | DbErrorKind::Syntax)) => {
            let Error { done, not_done, .. } = error;
            Error { done, not_done, ..stop::stopped(signal) }
        }
        _ => error,
    }
}

/// What every run does first, once it has the lock.
async fn begin(run: &mut Run<'_>) -> Result<(), Error> {
    run.work.show_presence(run.job).await?;
    let promoted = promotion::note(run.work.conn(), &run.actor).await;
    if promoted.map_err(|error| failure::working("ask for the server's history", error))? {
        let message = "another server was promoted since the last run".to_owned();
        run.job.listener.hear(&Event::Note { message });
    }
    let services = &run.job.project.config.services;
    let declared = declare_services(run.work.conn(), services).await;
    for Ungranted { statement, reason } in
        declared.map_err(|error| failure::working("declare the services", error))?
    {
        let message = format!("a service lacks a right ({reason}): have somebody run {statement}");
        run.job.listener.hear(&Event::Note { message });
    }
    let hidden = hidden(run).await?;
    for ended in gate::lift_dead(run.work.conn(), &run.token, &hidden).await? {
        run.job.listener.hear(&Event::Note { message: ended.to_string() });
    }
    if let Err(error) = give_back_logins(run).await {
        let message = [vec![error.to_string()], error.detail].concat().join("; ");
        run.job.listener.hear(&Event::Note { message });
    }
    prune_leases(run).await;
    fault::point("run-locked");
    Ok(())
}

/// The migrations whose old structure is out of sight, or on its way: a gate that died then had decided.
async fn hidden(run: &mut Run<'_>) -> Result<BTreeSet<MigrationId>, Error> {
    let history = history(run.work.conn()).await?;
    let mut hidden = BTreeSet::new();
    for record in history.records {
        let is_hidden = match record.state {
            State::Hidden | State::Purging | State::Purged => true,
            State::Contracting => has_hidden(run, &record).await?,
            _ => false,
        };
        if is_hidden {
            hidden.insert(record.id);
        }
    }
    Ok(hidden)
}

/// Whether a contract that was begun has taken something out of sight. Where statements commit by themselves the catalog
/// says so; if it does not, it has.
async fn has_hidden(run: &mut Run<'_>, record: &MigrationRecord) -> Result<bool, Error> {
    let begun: Vec<_> =
        record.steps.iter().filter(|step| step.phase == Phase::Contract).cloned().collect();
    let Some(migration) = run.job.project.migrations.iter().find(|m| m.id == record.id) else {
        return Ok(!begun.is_empty());
    };
    for step in begun {
        let ground = Ground::read(run).await?;
        let planned = ground.steps(run, migration, Phase::Contract).unwrap_or_default();
        let planned = planned.iter().find(|planned| planned.name == step.name);
        let has_effect = match planned.map(|planned| &planned.action) {
            Some(Action::Statements(group)) if step.progress == Progress::Begun => {
                steps::has_effect(run.work.conn(), &group.statements).await
            }
            _ => Ok(true),
        };
        let has_effect = has_effect.map_err(|error| {
            failure::working("ask how far the contract of a dead run came", error)
        })?;
        if has_effect {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Refuses a server that takes no writes, before anything is asked of it.
async fn writable(job: &Job, conn: &mut Connection) -> Result<(), Error> {
    let asked = conn.is_read_only().await;
    if asked.map_err(|error| failure::working("ask whether the server takes writes", error))? {
        return Err(failure::read_only(&job.target.url.to_string()));
    }
    Ok(())
}

/// Refuses a transaction pooler.
async fn direct(work: &mut Worker) -> Result<(), Error> {
    let failed = |error| failure::working("ask for the server's number of the connection", error);
    if is_pooled(work).await.map_err(failed)? { Err(failure::pooled()) } else { Ok(()) }
}

/// Whether two connections share sessions of the server, by looks at who is whose.
async fn is_pooled(work: &mut Worker) -> Result<bool, DbError> {
    // A pooler hands out the session that came back last, mostly: the drivers' own messages are in between, now and then.
    for _ in 0..LOOKS {
        if share_a_session(work).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// While a second connection has a transaction open, the first one cannot be the same one, unless both are a pooler's.
async fn share_a_session(work: &mut Worker) -> Result<bool, DbError> {
    let (conn, second) = work.watched().await?;
    let first = conn.backend_now().await?;
    second.begin().await?;
    let other = second.backend_now().await;
    second.rollback().await?;
    Ok(first == other? || conn.backend_now().await? != first)
}

fn refused(job: &Job, error: StateError) -> Error {
    match error {
        StateError::Database(error) if error.kind == DbErrorKind::ReadOnly => {
            failure::read_only(&job.target.url.to_string()).caused_by(error)
        }
        error => error.into(),
    }
}

/// For commands that only read: a connection, and whether there is a state in the database.
pub(crate) async fn to_read(job: &Job) -> Result<(Connection, bool), Error> {
    let failed = |error| failure::connecting(&job.target, error);
    let mut conn = Connection::open(&job.target).await.map_err(failed)?;
    let environment = job.project.config.environment.as_deref();
    let there = open_for_reading(&mut conn, environment).await?;
    Ok((conn, there))
}

/// What the database says of the migrations.
pub(crate) async fn history(conn: &mut Connection) -> Result<History, Error> {
    let records = journal(conn).await;
    let records = records.map_err(|error| failure::working("read the journal", error))?;
    let mut bases = BTreeMap::new();
    for record in &records {
        if let Some(text) = &record.base {
            let base = stored::load(text).map_err(|error| {
                Error::new(
                    ErrorKind::Failed,
                    format!("could not read the journal of {}", record.id),
                )
                .caused_by(error)
            })?;
            bases.insert(record.id.clone(), base);
        }
    }
    Ok(History { records, bases, now: None })
}
