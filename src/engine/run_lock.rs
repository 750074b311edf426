//! The run lock: taken at the beginning of a run, renewed by a connection of its own, given back at the end.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::event::Event;
use super::failure;
use super::job::Job;
use super::retry;
use super::stop;
use crate::database::connection::Connection;
use crate::database::error::{DbError, DbErrorKind};
use crate::database::observe::Presence;
use crate::database::state::events::Actor;
use crate::database::state::run_lock::{
    AcquireError, RunOwner, RunToken, acquire_run, release_run, renew_run,
};
use crate::database::target::Target;
use crate::error::{Error, ErrorKind};

/// How long the lock lives without a renewal.
const TTL: Duration = Duration::from_secs(30);

/// How often it is renewed.
const RENEW_EVERY: Duration = Duration::from_secs(5);

/// How often to look whether another run has ended.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// How long the server may need to end what a killed run was doing.
const GRACE: Duration = Duration::from_secs(10);

/// The run lock, while this process has it.
#[derive(Debug)]
pub(crate) struct RunLock {
    token: RunToken,
    ended: CancellationToken,
    renewal: JoinSet<()>,
}

/// What came out of one try.
enum Try {
    Taken(RunToken),
    Busy(RunOwner, Holder),
}

/// What is known of the run that has the lock.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holder {
    /// Its connection is there.
    Lives,
    /// It has gone without giving the lock back; the server may still be busy with its last statement.
    Ended,
}

impl RunLock {
    /// Takes the lock, waiting for another run for as long as the job says.
    pub(crate) async fn acquire(job: &Job) -> Result<Self, Error> {
        let failed = |error| failure::connecting(&job.target, error);
        let mut conn = Connection::open(&job.target).await.map_err(failed)?;
        let token = wait_for_turn(job, &mut conn).await?;
        let ended = CancellationToken::new();
        let mut renewal = JoinSet::new();
        renewal.spawn(renew(job.target.clone(), conn, token.clone(), ended.clone()));
        Ok(Self { token, ended, renewal })
    }

    /// What every writing transaction checks.
    pub(crate) fn token(&self) -> &RunToken {
        &self.token
    }

    /// Gives the lock back.
    pub(crate) async fn release(mut self) {
        self.ended.cancel();
        while self.renewal.join_next().await.is_some() {}
    }
}

async fn wait_for_turn(job: &Job, conn: &mut Connection) -> Result<RunToken, Error> {
    let began = Instant::now();
    let mut told = false;
    loop {
        stop::check(&job.interrupt)?;
        let tried = attempt(job, conn).await;
        let (owner, grace) = match tried.map_err(|error| refused(job, error))? {
            Try::Taken(token) => return Ok(token),
            Try::Busy(owner, Holder::Lives) => (owner, Duration::ZERO),
            Try::Busy(owner, Holder::Ended) => (owner, GRACE),
        };
        if began.elapsed() >= job.run_wait.max(grace) {
            return Err(busy(&owner));
        }
        if !told {
            told = true;
            job.listener.hear(&Event::WaitsForRun { owner: owner.to_string() });
        }
        retry::wait(&job.interrupt, LOOK_EVERY).await?;
    }
}

async fn attempt(job: &Job, conn: &mut Connection) -> Result<Try, DbError> {
    // First the sign, then the row: whoever has the row without the sign is dead.
    let signed = conn.try_presence(Presence::Run).await?;
    let owner = match acquire(job, conn).await? {
        Ok(token) => return Ok(Try::Taken(token)),
        Err(owner) => owner,
    };
    if !signed {
        return Ok(Try::Busy(owner, Holder::Lives));
    }
    if conn.try_presence(Presence::Work).await? {
        conn.end_presence(Presence::Work).await?;
        release_run(conn, &owner.token).await?;
        if let Ok(token) = acquire(job, conn).await? {
            return Ok(Try::Taken(token));
        }
    }
    conn.end_presence(Presence::Run).await?;
    Ok(Try::Busy(owner, Holder::Ended))
}

async fn acquire(job: &Job, conn: &mut Connection) -> Result<Result<RunToken, RunOwner>, DbError> {
    let actor = Actor::here();
    match acquire_run(conn, &actor.name, &actor.host, &job.command, TTL).await {
        Ok(token) => Ok(Ok(token)),
        Err(AcquireError::Busy(owner)) => Ok(Err(owner)),
        Err(AcquireError::Database(error)) => Err(error),
    }
}

fn refused(job: &Job, error: DbError) -> Error {
    if error.kind == DbErrorKind::ReadOnly {
        return failure::read_only(&job.target.url.to_string()).caused_by(error);
    }
    failure::working("take the run lock", error)
}

fn busy(owner: &RunOwner) -> Error {
    Error::new(ErrorKind::Busy, "another run of zdm is at work on this database")
        .detail(owner.to_string())
        .hint("Wait for its end, or let zdm wait with --run-wait. Nothing was changed.")
}

/// Renews the lock until the run has ended, then gives it back.
///
/// A renewal that fails is tried again: whether the lock is lost is asked in every transaction that writes.
async fn renew(target: Target, conn: Connection, token: RunToken, ended: CancellationToken) {
    let mut conn = Some(conn);
    loop {
        tokio::select! {
            () = ended.cancelled() => break,
            () = tokio::time::sleep(RENEW_EVERY) => {}
        }
        if conn.as_ref().is_none_or(Connection::is_closed) {
            conn = again(&target).await;
        }
        if let Some(conn) = &mut conn
            && let Err(error) = renew_run(conn, &token, TTL).await
        {
            tracing::debug!(%error, "could not renew the run lock");
        }
    }
    if conn.as_ref().is_none_or(Connection::is_closed) {
        conn = again(&target).await;
    }
    if let Some(mut conn) = conn {
        if let Err(error) = release_run(&mut conn, &token).await {
            tracing::debug!(%error, "could not give the run lock back");
        }
        conn.close().await;
    }
}

async fn again(target: &Target) -> Option<Connection> {
    let mut conn = Connection::open(target).await.ok()?;
    conn.try_presence(Presence::Run).await.ok()?;
    Some(conn)
}
