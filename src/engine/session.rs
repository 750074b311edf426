//! The connections of a run: one that works and can be made again, one that watches it.

use std::time::{Duration, Instant};

use super::event::Event;
use super::failure;
use super::job::Job;
use super::retry;
use crate::database::connection::{Connection, LockLimit};
use crate::database::error::{DbError, DbErrorKind};
use crate::database::observe::Presence;
use crate::database::state::error::StateError;
use crate::database::state::identity;
use crate::database::target::Target;
use crate::error::{Error, ErrorKind};
use crate::model::server::Engine;

/// How long to try to connect again before the run gives up.
const RECONNECT_FOR: Duration = Duration::from_mins(1);

/// So often a command may begin anew after it lost its connection.
const RECONNECTS: u32 = 5;

/// How long the server may need to end what a former connection was doing.
const FORMER_SESSION: Duration = Duration::from_secs(10);

/// A former connection that is idle for so long has nothing under way.
const IDLE_SESSION: Duration = Duration::from_secs(2);

/// The work connection, and a second one that looks at it from outside.
pub(crate) struct Worker {
    target: Target,
    conn: Connection,
    limit: LockLimit,
    watcher: Option<Connection>,
    /// The history that the server writes, when it says so: a promoted standby begins one of its own.
    timeline: Option<String>,
    lost: u32,
    gave_up: bool,
}

impl Worker {
    /// Makes the work connection.
    pub(crate) async fn open(target: &Target) -> Result<Self, Error> {
        let failed = |error| failure::connecting(target, error);
        let mut conn = connect(target).await.map_err(failed)?;
        let timeline = conn.timeline().await.map_err(failed)?;
        let (target, limit) = (target.clone(), LockLimit::PATIENT);
        Ok(Self { target, conn, limit, watcher: None, timeline, lost: 0, gave_up: false })
    }

    /// The work connection.
    pub(crate) fn conn(&mut self) -> &mut Connection {
        &mut self.conn
    }

    /// The work connection, and one that looks at it from outside.
    pub(crate) async fn watched(&mut self) -> Result<(&mut Connection, &mut Connection), DbError> {
        if self.watcher.as_ref().is_none_or(Connection::is_closed) {
            self.watcher = Some(Connection::open(&self.target).await?);
        }
        let lost = || DbError::new(DbErrorKind::Lost, "the second connection is gone");
        Ok((&mut self.conn, self.watcher.as_mut().ok_or_else(lost)?))
    }

    /// Sets the limit on waiting for locks, unless it is set already.
    pub(crate) async fn limit(&mut self, limit: LockLimit) -> Result<(), DbError> {
        if self.limit != limit {
            self.conn.limit_lock_waits(limit).await?;
            self.limit = limit;
        }
        Ok(())
    }

    /// Takes the session lock that shows that this run's work connection lives. The server holds it until the
    /// connection's last statement has ended, so that a run that follows a dead one does not meet its statement.
    pub(crate) async fn show_presence(&mut self, job: &Job) -> Result<(), Error> {
        let failed = |error| failure::working("take the session lock", error);
        let began = Instant::now();
        loop {
            if self.conn.try_presence(Presence::Work).await.map_err(failed)? {
                return Ok(());
            }
            // A process that has stopped holds it for ever, and does nothing: if it goes on, it finds its run lock gone.
            let is_idle = self.conn.presence_is_idle(Presence::Work).await.map_err(failed)?;
            if is_idle && began.elapsed() >= IDLE_SESSION {
                return Ok(());
            }
            if began.elapsed() >= FORMER_SESSION.max(job.run_wait) {
                let message = "a statement of an earlier run is still running in the server";
                return Err(Error::new(ErrorKind::Busy, message).hint(
                    "Wait for its end, or end its session, then run the same command again.",
                ));
            }
            retry::wait(&job.interrupt, Duration::from_millis(100)).await?;
        }
    }

    /// Connects again after the connection was lost, and says so: to the same database, which takes writes.
    ///
    /// An error with which the command may begin anew when a standby was promoted meanwhile: what was committed last may
    /// not have come there, so that nothing that this process remembers is certain, but the journal is.
    pub(crate) async fn reconnect(&mut self, job: &Job) -> Result<(), Error> {
        if self.is_same_after_connecting(job).await? {
            return Ok(());
        }
        let promoted = DbError::new(DbErrorKind::Lost, "a standby was promoted");
        Err(failure::working("go on after a lost connection", promoted))
    }

    /// Connects again for a command that begins anew: it remembers nothing, so that a promoted standby will do.
    pub(crate) async fn connect_anew(&mut self, job: &Job) -> Result<(), Error> {
        self.is_same_after_connecting(job).await.map(drop)
    }

    /// Connects again; false: a standby was promoted meanwhile.
    async fn is_same_after_connecting(&mut self, job: &Job) -> Result<bool, Error> {
        let outcome = self.connect_again(job).await;
        self.gave_up |= outcome.is_err();
        outcome?;
        let failed = |error| failure::working("go on after a lost connection", error);
        let timeline = self.conn.timeline().await.map_err(failed)?;
        let is_same = self.timeline == timeline;
        self.timeline = timeline;
        job.listener.hear(&if is_same {
            Event::Reconnected
        } else {
            let message = "another server was promoted in place of the one that this run began on: what is recorded there is read again";
            Event::Note { message: message.to_owned() }
        });
        Ok(is_same)
    }

    async fn connect_again(&mut self, job: &Job) -> Result<(), Error> {
        self.watcher = None;
        let until = Instant::now() + RECONNECT_FOR;
        for attempt in 1.. {
            let error = match again(&self.target, job).await {
                Ok(conn) => {
                    self.conn = conn;
                    self.limit = LockLimit::PATIENT;
                    // It may be lost again at once.
                    match self.show_presence(job).await {
                        Err(error) if failure::lost_connection(&error) => Away::Gone(error),
                        Err(error) => return Err(error),
                        Ok(()) => break,
                    }
                }
                Err(away) => away,
            };
            match error {
                Away::Elsewhere(error) => return Err(error),
                Away::Gone(error) if Instant::now() >= until => {
                    return Err(error.hint(
                        "The connection was lost. What was done is recorded: run the same command again when the server is back.",
                    ));
                }
                Away::Gone(error) => tracing::debug!(%error, attempt, "could not connect again"),
            }
            retry::pause(&job.interrupt, retry::RECONNECT, attempt).await?;
        }
        Ok(())
    }

    /// Whether the command may begin anew after an error: the connection was lost where nobody made it again.
    pub(crate) fn may_begin_anew(&mut self, error: &Error) -> bool {
        if self.gave_up || !failure::lost_connection(error) {
            return false;
        }
        self.lost += 1;
        self.lost <= RECONNECTS
    }

    /// A statement lost its connection so often that it is the likely reason: the command ends.
    pub(crate) fn give_up(&mut self) {
        self.gave_up = true;
    }

    /// Says goodbye to the server on both connections.
    pub(crate) async fn close(self) {
        self.conn.close().await;
        if let Some(watcher) = self.watcher {
            watcher.close().await;
        }
    }
}

/// Why there is no connection again.
enum Away {
    /// The server is not there, or not yet, or it is a standby that is being promoted.
    Gone(Error),
    /// What answers at the address is not the database that was lost.
    Elsewhere(Error),
}

/// Connects, and makes sure that it is the same database, and takes writes: after a fail-over, or a change of an address,
/// it can be another one.
async fn again(target: &Target, job: &Job) -> Result<Connection, Away> {
    let gone = |error| Away::Gone(failure::connecting(target, error));
    let mut conn = connect(target).await.map_err(gone)?;
    if conn.is_read_only().await.map_err(gone)? {
        return Err(Away::Gone(failure::read_only(&target.url.to_string())));
    }
    let environment = job.project.config.environment.as_deref();
    match identity::check(&mut conn, environment).await {
        Ok(()) => Ok(conn),
        Err(StateError::Database(error)) if failure::is_lost(error.kind) => Err(gone(error)),
        Err(other) => Err(Away::Elsewhere(Error::from(other).detail(
            "the connection was lost, and this is what answers at the address now; nothing was written to it",
        ))),
    }
}

/// A connection that works: its statements take as long as they need, whatever the role's own limits are; but if this
/// process stops in the middle of a transaction, the server ends that, and nobody waits for its locks any longer.
async fn connect(target: &Target) -> Result<Connection, DbError> {
    let mut conn = Connection::open(target).await?;
    let limits: &[&str] = match conn.engine() {
        Engine::Postgres => {
            &["SET statement_timeout = 0", "SET idle_in_transaction_session_timeout = '10s'"]
        }
        Engine::MariaDb => {
            &["SET SESSION max_statement_time = 0", "SET SESSION idle_transaction_timeout = 10"]
        }
        // Its max_execution_time is for SELECT alone.
        Engine::MySql => &["SET SESSION max_execution_time = 0"],
    };
    for limit in limits {
        conn.run(limit).await?;
    }
    Ok(conn)
}
