//! The gate before contract, and before a rollback that live instances could notice.
//!
//! How a command uses it, with the run lock held:
//!
//! 1. [`lift_dead`] at its start: ends what a gate that died left behind (as do `join_v1` and `renew_v1`, for whoever is
//!    held up by it, once its run lock has expired and if its contract has not begun);
//! 2. [`pass`]: looks, compares the rows that were filled, fences, waits and compares again; then takes login and
//!    sessions from old releases, where a service has a hard fence. An error (exit 4 or 5) leaves no fence.
//!    [`await_clear`] before it, and before the run lock is taken, is `--wait`: it looks again and again, holding
//!    nothing;
//! 3. in the transaction that takes the old structure away: [`Passed::confirm`] first, [`Passed::make_final`] last. On
//!    MySQL and MariaDB, where DDL commits by itself, that transaction is one on a second connection, open from before
//!    the first to after the last statement: it holds the gate's row, so that nobody joins meanwhile;
//! 4. whatever keeps it from getting there: [`Passed::give_up`]. Between tries for a lock, [`Passed::still_holds`]: an
//!    old instance that knocks while the contract waits must not run into its deadline;
//! 5. [`remove`] at the end of a rollback or reveal, in its last transaction;
//! 6. [`give_back`] when a fence was lifted, and at the beginning and the end of a run: whose fence is gone may log in
//!    again.
//!
//! For a rollback, 3 is the transaction in which the state becomes `rolling_back`.
//!
//! Every fence, lift, refusal and override is an event. Decisions are those of `plan::gate`.

mod compare;
mod dead;
#[cfg(all(test, feature = "cli", feature = "postgres", feature = "mysql"))]
mod dead_tests;
mod fence;
mod hard;
#[cfg(test)]
mod model_tests;
mod passed;
#[cfg(all(test, feature = "cli", feature = "postgres", feature = "mysql"))]
mod race_tests;
mod refusal;
#[cfg(all(test, feature = "cli", feature = "postgres", feature = "mysql"))]
mod server_tests;
mod wait;

pub(crate) use dead::{lift_dead, remove};
pub(crate) use hard::give_back;
pub(crate) use passed::{Passed, Unconfirmed};
pub(crate) use refusal::note_logins;

use std::time::{Duration, Instant};

use super::evidence::{self, Looking};
use super::job::Job;
use super::retry;
use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::database::state::events::{Actor, NewEvent, append_event};
use crate::database::state::journal::state_of;
use crate::database::state::now;
use crate::database::state::run_lock::RunToken;
use crate::error::Error;
use crate::model::fence::FenceKind;
use crate::model::name::MigrationId;
use crate::plan::gate::hard_fence::Cut;
use crate::plan::gate::{Facts, GateKind, GateReport, Question, Verdict, decide, source_names};
use crate::plan::migration::Migration;

/// How long to pause between two looks of `--wait`: a look is two short queries.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What every source says now. Changes nothing; advice, as long as no fence is up.
pub(crate) async fn look(
    job: &Job,
    conn: &mut Connection,
    migration: &Migration,
    kind: GateKind,
) -> Result<GateReport, Error> {
    refusal::check_overrides(&job.overrides)?;
    let (question, mut facts) = ask(job, conn, migration, kind).await?;
    let report = decide(&question, &facts, &job.overrides);
    if report.verdict() != Verdict::Clear {
        return Ok(report);
    }
    let looking = Looking { job, migration, question: &question };
    facts.slow.verification = compare::for_advice(conn, looking).await?;
    Ok(decide(&question, &facts, &job.overrides))
}

/// `--wait`: looks again and again, holding nothing, until the gate is clear, or `until` has come, or a retry cannot
/// help.
pub(crate) async fn await_clear(
    job: &Job,
    conn: &mut Connection,
    migration: &Migration,
    kind: GateKind,
    until: Instant,
) -> Result<(), Error> {
    refusal::check_overrides(&job.overrides)?;
    let mut told = Vec::new();
    loop {
        let (question, facts) = ask(job, conn, migration, kind).await?;
        let verdict = decide(&question, &facts, &job.overrides).verdict();
        let Verdict::Blocked { reasons, retry_after } = &verdict else {
            return refusal::unless_clear(kind, &migration.id, &verdict);
        };
        let rest = until.saturating_duration_since(Instant::now());
        if rest.is_zero() {
            return refusal::unless_clear(kind, &migration.id, &verdict);
        }
        if told != *reasons {
            told.clone_from(reasons);
            refusal::note(job, format!("waits for {}: {}", migration.id, reasons.join("; ")));
        }
        let pause = retry_after.unwrap_or(LOOK_EVERY).clamp(Duration::from_secs(1), LOOK_EVERY);
        retry::wait(&job.interrupt, pause.min(rest)).await?;
    }
}

/// Passes the gate once: look, fence, wait, verify. An error leaves no fence behind.
pub(crate) async fn pass(
    job: &Job,
    conn: &mut Connection,
    migration: &Migration,
    kind: GateKind,
    token: &RunToken,
) -> Result<Passed, Error> {
    refusal::check_overrides(&job.overrides)?;
    // The cheap refusal, and the most common one: nobody is held up by it.
    let (question, mut facts) = ask(job, conn, migration, kind).await?;
    let verdict = decide(&question, &facts, &job.overrides).verdict();
    if verdict != Verdict::Clear {
        return refusal::refuse(conn, kind, &migration.id, &verdict).await;
    }
    // Whole tables are read only when nothing else is in the way.
    let looking = Looking { job, migration, question: &question };
    facts.slow.verification = compare::before_fence(conn, looking).await?;
    facts.now = now(conn).await.map_err(refusal::could_not_look)?;
    let verdict = decide(&question, &facts, &job.overrides).verdict();
    if verdict != Verdict::Clear {
        let refused = refusal::refuse(conn, kind, &migration.id, &verdict).await;
        let seen = facts.slow.verification.as_ref();
        return refused.map_err(|error| compare::until_corrected(error, seen));
    }
    match fence::make(conn, &question, &facts.slow, &job.overrides, token).await? {
        fence::Made::Refused(verdict) => refusal::refuse(conn, kind, &migration.id, &verdict).await,
        fence::Made::Already(passed) => Ok(*passed),
        fence::Made::Fenced(mut passed) => {
            // From here on whoever leaves without having passed lifts the fence.
            let mut waited = wait::wait_and_look_again(job, conn, migration, &mut passed).await;
            if waited.is_ok() {
                waited = hard::cut(job, conn, &mut passed).await;
            }
            if let Err(end) = waited {
                return Err(end.after_lifting(job, conn, &passed).await);
            }
            Ok(*passed)
        }
    }
}

/// The question, and what every source sees now.
async fn ask(
    job: &Job,
    conn: &mut Connection,
    migration: &Migration,
    kind: GateKind,
) -> Result<(Question, Facts), Error> {
    let state = state_of(conn, &migration.id).await.map_err(refusal::could_not_look)?;
    let mut question = Question::new(kind, migration, state, &job.project.config);
    if job.overrides.iter().any(|(source, _)| source == "hard_fence") {
        question.cut = Cut::Overridden;
    }
    let looking = Looking { job, migration, question: &question };
    let slow = evidence::gather_slow(conn, looking).await?;
    let seen = async {
        let facts = evidence::gather(conn, &question, &slow).await?;
        Ok((question, facts))
    };
    seen.await.map_err(refusal::could_not_look)
}

/// The fence that a gate makes.
fn fence_kind(kind: GateKind) -> FenceKind {
    match kind {
        GateKind::Contract => FenceKind::Tolerate,
        GateKind::Rollback => FenceKind::Withdraw,
    }
}

/// Writes an event about a migration's gate.
async fn tell(
    conn: &mut Connection,
    migration: &MigrationId,
    kind: &str,
    message: &str,
) -> Result<(), DbError> {
    let event = NewEvent { migration: Some(migration), kind, message, detail: None };
    append_event(conn, &Actor::here(), &event).await
}

/// Rolls back what a failed transaction left open, and returns its error.
async fn roll_back<E>(conn: &mut Connection, error: E) -> E {
    if let Err(second) = conn.rollback().await {
        // A connection that cannot roll back is closed, which does the same.
        tracing::debug!(error = %second, "could not roll back");
    }
    error
}

/// Whether a name is that of a source that can be overridden.
fn is_source(name: &str) -> bool {
    source_names().contains(&name)
}
