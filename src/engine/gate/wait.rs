//! The wait behind a provisional fence.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::super::event::Event;
use super::super::job::Job;
use super::super::{failure, retry};
use super::passed::Passed;
use super::{Looking, compare, evidence, refusal, tell};
use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::database::state::fences::fence;
use crate::error::Error;
use crate::plan::gate::{self, SlowFacts, Verdict, Watch};
use crate::plan::migration::Migration;

/// How often knocks and beats are looked at.
const POLL: Duration = Duration::from_millis(200);
/// What is done beside the wait.
#[derive(Debug, Default)]
pub(super) struct Beside {
    /// Rows are compared: the wait does not end before.
    pub(super) is_comparing: AtomicBool,
    /// One of them is wrong: there is nothing left to wait for.
    pub(super) has_differences: AtomicBool,
}

/// How often listeners hear how long it still takes.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// Why a wait ended early.
#[derive(Debug)]
pub(super) enum End {
    /// The evidence changed.
    Refused(Verdict),
    /// The database said no.
    Database(DbError),
    /// The run was asked to stop.
    Stopped(Error),
}

/// Waits, and looks once more at what is too slow to be looked at while it waits.
pub(super) async fn wait_and_look_again(
    job: &Job,
    conn: &mut Connection,
    migration: &Migration,
    passed: &mut Passed,
) -> Result<(), End> {
    let question = passed.question.clone();
    let looking = Looking { job, migration, question: &question };
    compare::behind_fence(conn, looking, passed).await?;
    let slow = evidence::gather_slow(conn, looking).await.map_err(End::Stopped)?;
    passed.then.slow = SlowFacts { verification: passed.then.slow.verification.take(), ..slow };
    check(conn, passed).await
}

/// Waits until nobody can be left who was told before the fence that it may serve on, looking all the time.
///
/// Begins when the fence's commit has been acknowledged; counted by this process's own clock. What is done
/// beside it ends it late, or early.
pub(super) async fn wait(
    job: &Job,
    conn: &mut Connection,
    passed: &Passed,
    beside: &Beside,
) -> Result<(), End> {
    let began = Instant::now();
    let total = gate::wait(&passed.question, &passed.then);
    let mut told: Option<Instant> = None;
    loop {
        // Taken before the look, so that the last look is after the whole wait.
        let rest = total.saturating_sub(began.elapsed());
        check(conn, passed).await?;
        let is_done = rest.is_zero() && !beside.is_comparing.load(Ordering::SeqCst);
        if is_done || beside.has_differences.load(Ordering::SeqCst) {
            return Ok(());
        }
        if told.is_none_or(|at| at.elapsed() >= TELL_EVERY) {
            told = Some(Instant::now());
            let migration = passed.question.migration.clone();
            job.listener.hear(&Event::GateWaits { migration, remaining: rest });
        }
        let pause = if rest.is_zero() { POLL } else { rest.min(POLL) };
        retry::wait(&job.interrupt, pause).await.map_err(End::Stopped)?;
    }
}

/// Whether a gate that has fenced may go on, as things are now.
pub(super) async fn check(conn: &mut Connection, passed: &Passed) -> Result<(), End> {
    let seen = async {
        let own = &passed.fence;
        let found = fence(conn, &own.migration, own.kind).await?;
        Ok((found, evidence::gather(conn, &passed.question, &passed.then.slow).await?))
    };
    let (found, now) = seen.await.map_err(End::Database)?;
    let facts = (&passed.then, &now);
    match gate::watch(&passed.question, &passed.fence, found.as_ref(), facts, &passed.overrides) {
        Watch::GoOn => Ok(()),
        Watch::Abort(verdict) => Err(End::Refused(verdict)),
    }
}

impl End {
    /// Lifts the fence, and returns the error for the user.
    pub(super) async fn after_lifting(
        self,
        job: &Job,
        conn: &mut Connection,
        passed: &Passed,
    ) -> Error {
        let (why, error) = match self {
            Self::Refused(verdict) => {
                let question = &passed.question;
                let error = refusal::refused(question.kind, &question.migration, &verdict);
                let seen = passed.then.slow.verification.as_ref();
                let error = compare::until_corrected(error, seen);
                let why = error.detail.join("; ");
                let told = tell(conn, &question.migration, "gate_refused", &why).await;
                if let Err(second) = told {
                    tracing::warn!(error = %second, "could not record the gate's refusal");
                }
                (why, error)
            }
            Self::Database(error) => {
                (error.to_string(), failure::working("watch the gate's evidence", error))
            }
            Self::Stopped(error) => (error.to_string(), error),
        };
        passed.lift_for(job, conn, &why, error).await
    }
}
