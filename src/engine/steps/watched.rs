//! A statement in flight, with a second connection that looks at it until it ends.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::database::connection::Connection;
use crate::database::error::{DbError, DbErrorKind};
use crate::database::session::Canceller;
use crate::engine::interrupt::Interrupt;
use crate::engine::job::Job;
use crate::engine::session::Worker;

/// A statement may wait for the definition of a table for so long: everyone who comes after waits behind it.
const WAIT: Duration = Duration::from_millis(100);

/// The closing lock of a build that took long may take longer: to lose the build would cost more.
const CLOSING_WAIT: Duration = Duration::from_secs(2);

/// How long a build must have taken to be worth that.
const LONG: Duration = Duration::from_secs(10);

/// How often to look while a statement is young, and later.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// After a cancelled statement goes on for so long, it is cancelled again.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// A wish to stop lets a statement end by itself for so long: then nothing is to be done again. And MariaDB, told to end a
/// statement while it opens a table, takes the text of the table's triggers for wrong and hands that table on to others: an
/// application's UPDATE was told 1064 (10.11). What runs for longer has opened its tables.
const GRACE: Duration = Duration::from_secs(1);

/// What a look at a statement in flight says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Look {
    /// It may go on.
    GoOn,
    /// It is to be cancelled.
    Cancel,
}

/// Looks at a statement in flight: told the second connection, the number of the first, and the statement's age.
pub(super) trait Looker {
    /// How long to wait between two looks.
    fn every(&self) -> Duration;

    /// Looks once.
    async fn look(
        &mut self,
        watcher: &mut Connection,
        backend: i64,
        age: Duration,
    ) -> Result<Look, DbError>;
}

/// MySQL and MariaDB: ends a statement that waits for the definition of a table, with
/// [`DbErrorKind::LockTimeout`] as the outcome.
pub(crate) async fn run_without_queueing(
    work: &mut Worker,
    job: &Job,
    sql: &str,
) -> Result<u64, DbError> {
    let (ran, cancelled) = run_watched(work, &job.interrupt, sql, &mut Queueing::default()).await?;
    match ran {
        Err(error) if cancelled && error.kind == DbErrorKind::Cancelled => {
            Err(DbError { kind: DbErrorKind::LockTimeout, ..error })
        }
        other => other,
    }
}

/// How long a statement has been waiting for the definition of a table.
#[derive(Default)]
struct Queueing {
    since: Option<Duration>,
}

impl Looker for Queueing {
    fn every(&self) -> Duration {
        LOOK_EVERY
    }

    async fn look(
        &mut self,
        watcher: &mut Connection,
        backend: i64,
        age: Duration,
    ) -> Result<Look, DbError> {
        if !watcher.waits_for_table(backend).await? {
            self.since = None;
            return Ok(Look::GoOn);
        }
        let since = *self.since.get_or_insert(age);
        let limit = if since >= LONG { CLOSING_WAIT } else { WAIT };
        Ok(if age.saturating_sub(since) >= limit { Look::Cancel } else { Look::GoOn })
    }
}

/// Runs a statement while a second connection looks at it. The second value says whether a look had it cancelled; a
/// wish to stop cancels it, too, if it does not end soon. Both connections are free when this returns.
pub(super) async fn run_watched(
    work: &mut Worker,
    interrupt: &Interrupt,
    sql: &str,
    looker: &mut impl Looker,
) -> Result<(Result<u64, DbError>, bool), DbError> {
    let (conn, watcher) = work.watched().await?;
    let (backend, canceller) = (conn.backend(), conn.canceller());
    let ended = CancellationToken::new();
    let statement = async {
        let ran = conn.run(sql).await;
        ended.cancel();
        ran
    };
    let watch = watch(watcher, backend, looker, &ended, interrupt);
    // Neither is ever dropped half way: each is a statement on a connection that is used again.
    let cancel = async {
        let verdict = watch.await;
        if verdict != End::Statement {
            cancel_until(&*canceller, &ended).await;
        }
        verdict
    };
    let (ran, verdict) = tokio::join!(statement, cancel);
    Ok((ran, verdict == End::Look))
}

/// Why a watch ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Statement,
    Look,
    Wish,
}

async fn watch(
    watcher: &mut Connection,
    backend: i64,
    looker: &mut impl Looker,
    ended: &CancellationToken,
    interrupt: &Interrupt,
) -> End {
    let began = Instant::now();
    let mut blind = false;
    let mut patience: Option<Instant> = None;
    loop {
        let pause = tokio::time::sleep(looker.every());
        tokio::select! {
            biased;
            () = ended.cancelled() => return End::Statement,
            () = interrupt.wait(), if patience.is_none() => {
                patience = Some(Instant::now() + GRACE);
                continue;
            }
            () = pause => {}
        }
        if patience.is_some_and(|until| Instant::now() >= until) {
            return End::Wish;
        }
        if blind {
            continue;
        }
        match looker.look(watcher, backend, began.elapsed()).await {
            Ok(Look::GoOn) => {}
            Ok(Look::Cancel) => return End::Look,
            // The server's own limit on waiting for locks still holds.
            Err(error) => {
                tracing::debug!(%error, "could not look at the statement in flight");
                blind = true;
            }
        }
    }
}

async fn cancel_until(canceller: &dyn Canceller, ended: &CancellationToken) {
    while !ended.is_cancelled() {
        if let Err(error) = canceller.cancel().await {
            tracing::debug!(%error, "could not cancel");
        }
        tokio::select! {
            () = ended.cancelled() => {}
            () = tokio::time::sleep(ASK_AGAIN) => {}
        }
    }
}
