//! What tells a backfill that others need the server: one file a signal, and a line in the registry.
//!
//! Invariant: a signal that cannot be read is a reading, too, and stops the backfill; `plan::pacing` decides.

mod active_sessions;
mod archiver;
mod command;
mod file;
mod freeze;
mod lock_waiters;
mod query;
mod replica_lag;

use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::failure::is_lost;
use super::job::{Address, Job};
use crate::config::SignalsConfig;
use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::database::target::Target;
use crate::model::server::Engine;
use crate::plan::pacing::Reading;

/// No look may hold up a backfill for longer.
const LOOK_LIMIT: Duration = Duration::from_secs(5);

/// A kind of signal.
pub(crate) struct Kind {
    /// As zdm.toml calls it.
    name: &'static str,
    /// The signal, when the settings want it and the server has it.
    make: fn(&Wanted<'_>) -> Option<Box<dyn Signal>>,
}

/// All of them, in alphabetical order.
const ALL: &[Kind] = &[
    active_sessions::KIND,
    archiver::KIND,
    command::KIND,
    file::KIND,
    freeze::KIND,
    lock_waiters::KIND,
    query::KIND,
    replica_lag::KIND,
];

/// What is known when signals are made.
pub(crate) struct Wanted<'a> {
    config: &'a SignalsConfig,
    replicas: &'a [Address],
    engine: Engine,
}

/// Something that is looked at between two batches, or in one.
#[async_trait]
pub(crate) trait Signal: Send {
    /// Whether there is only something to see while a batch runs.
    fn is_of_batches(&self) -> bool {
        false
    }

    /// Looks. `worker` is the server's number for the connection that runs batches.
    async fn read(&mut self, conn: &mut Connection, worker: i64) -> Result<Reading, DbError>;
}

/// The signals of a backfill, and what they said last.
pub(crate) struct Signals {
    target: Target,
    conn: Option<Connection>,
    all: Vec<One>,
}

struct One {
    name: &'static str,
    signal: Box<dyn Signal>,
    last: Option<Reading>,
}

impl Signals {
    /// Those that the job's settings want.
    pub(crate) fn of(job: &Job, engine: Engine) -> Self {
        let config = &job.project.config.backfill.signals;
        let wanted = Wanted { config, replicas: &job.elsewhere.replicas, engine };
        let one = |kind: &Kind| {
            let signal = (kind.make)(&wanted)?;
            Some(One { name: kind.name, signal, last: None })
        };
        Self { target: job.target.clone(), conn: None, all: ALL.iter().filter_map(one).collect() }
    }

    /// What they said last.
    pub(crate) fn readings(&self) -> Vec<Reading> {
        self.all.iter().filter_map(|one| one.last.clone()).collect()
    }

    /// Looks at all of them; while batches run, what only a batch shows is looked at by [`Self::look_during`].
    pub(crate) async fn look(&mut self, worker: i64, when: When) {
        self.connect().await;
        for one in &mut self.all {
            if when == When::BetweenBatches && one.signal.is_of_batches() && one.last.is_some() {
                continue;
            }
            one.last = Some(one.look(self.conn.as_mut(), worker).await);
        }
    }

    /// While a batch runs, looks every now and then at what only a batch shows. The worst counts.
    pub(crate) async fn look_during(
        &mut self,
        worker: i64,
        every: Duration,
        ended: &CancellationToken,
    ) {
        let mut looks = 0;
        loop {
            tokio::select! {
                biased;
                () = ended.cancelled() => break,
                () = tokio::time::sleep(every) => {}
            }
            self.connect().await;
            looks += 1;
            for one in self.all.iter_mut().filter(|one| one.signal.is_of_batches()) {
                let now = one.look(self.conn.as_mut(), worker).await;
                one.last = match one.last.take() {
                    Some(before) if looks > 1 => Some(worse(before, now)),
                    _ => Some(now),
                };
            }
        }
        if looks == 0 {
            // The batch was over before anybody could have waited for long.
            for one in self.all.iter_mut().filter(|one| one.signal.is_of_batches()) {
                one.last = Some(Reading::stop(one.name, None));
            }
        }
    }

    async fn connect(&mut self) {
        if self.conn.as_ref().is_some_and(|conn| !conn.is_closed()) {
            return;
        }
        self.conn = match open(&self.target).await {
            Ok(conn) => Some(conn),
            Err(error) => {
                tracing::debug!(%error, "no connection for the signals");
                None
            }
        };
    }

    /// Says goodbye to the server.
    pub(crate) async fn close(self) {
        if let Some(conn) = self.conn {
            conn.close().await;
        }
    }
}

/// Since when there is something to see.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum When {
    /// Batches run, one after the other.
    BetweenBatches,
    /// None runs.
    Staying,
}

impl One {
    async fn look(&mut self, conn: Option<&mut Connection>, worker: i64) -> Reading {
        let Some(conn) = conn else {
            return Reading::unreadable(self.name, "there is no connection to the server for it");
        };
        match self.signal.read(conn, worker).await {
            Ok(reading) => reading,
            Err(error) if is_lost(error.kind) => {
                Reading::unreadable(self.name, "the connection was lost")
            }
            Err(error) => Reading::unreadable(self.name, error.to_string()),
        }
    }
}

/// The worse of two readings.
fn worse(one: Reading, other: Reading) -> Reading {
    use crate::plan::pacing::Value;
    match (&one.value, &other.value) {
        (Value::Unreadable(_), _) => one,
        (_, Value::Unreadable(_)) => other,
        (Value::Share(before, _), Value::Share(now, _)) => {
            if before >= now {
                one
            } else {
                other
            }
        }
    }
}

/// A connection whose statements end by themselves.
async fn open(target: &Target) -> Result<Connection, DbError> {
    let mut conn = Connection::open(target).await?;
    let limit = match conn.engine() {
        Engine::Postgres => format!("SET statement_timeout = {}", LOOK_LIMIT.as_millis()),
        Engine::MariaDb => format!("SET SESSION max_statement_time = {}", LOOK_LIMIT.as_secs()),
        Engine::MySql => {
            format!("SET SESSION max_execution_time = {}", LOOK_LIMIT.as_millis())
        }
    };
    conn.run(&limit).await?;
    Ok(conn)
}
