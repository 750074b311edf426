//! Making and lifting a provisional fence.

use std::time::Duration;

use super::super::commit::{Commit, commit};
use super::super::failure;
use super::passed::Passed;
use super::{evidence, fence_kind, roll_back, tell};
use crate::database::connection::Connection;
use crate::database::error::{DbError, DbErrorKind};
use crate::database::state::fences::{delete_fence, fence, insert_fence, lock_gate, raise_epoch};
use crate::database::state::run_lock::{RunToken, check_run};
use crate::error::Error;
use crate::model::fence::{Fence, FenceStatus};
use crate::plan::gate::{Question, SlowFacts, Verdict, decide};

/// How often the gate's row is asked for before it counts as busy: whoever joins holds it for a moment.
const TRIES: u32 = 5;

/// What became of a fence.
pub(super) enum Made {
    /// It is up, and its commit was acknowledged.
    Fenced(Box<Passed>),
    /// An earlier run made it final: the gate was passed then.
    Already(Box<Passed>),
    /// Somebody is in the way after all. There is no fence.
    Refused(Verdict),
}

/// Makes a provisional fence, unless the evidence speaks against it.
///
/// One transaction: the gate's row is locked, so that nobody joins; then the evidence is read by new statements.
pub(super) async fn make(
    conn: &mut Connection,
    question: &Question,
    slow: &SlowFacts,
    overrides: &[(String, String)],
    token: &RunToken,
) -> Result<Made, Error> {
    let mut tries = 0;
    loop {
        tries += 1;
        match try_make(conn, question, slow, overrides, token).await {
            Ok(made) => return Ok(made),
            Err(error) => {
                let error = roll_back(conn, error).await;
                let may_pass =
                    matches!(error.kind, DbErrorKind::LockTimeout | DbErrorKind::Deadlock);
                if !may_pass || tries == TRIES {
                    return Err(failure::working("make the gate's fence", error));
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn try_make(
    conn: &mut Connection,
    question: &Question,
    slow: &SlowFacts,
    overrides: &[(String, String)],
    token: &RunToken,
) -> Result<Made, DbError> {
    let (id, kind) = (&question.migration, fence_kind(question.kind));
    conn.begin().await?;
    check_run(conn, token).await?;
    let epoch = lock_gate(conn).await? + 1;
    let facts = evidence::gather(conn, question, slow).await?;
    let own = Fence {
        migration: id.clone(),
        kind,
        services: question.concerned.clone(),
        status: FenceStatus::Provisional,
        epoch,
        run_token: token.0.clone(),
        since: facts.now,
        knocked_by: None,
    };
    let passed = |fence| {
        Box::new(Passed::new(question.clone(), fence, facts.clone(), token.clone(), overrides))
    };
    match fence(conn, id, kind).await? {
        None => {}
        Some(found) if found.status == FenceStatus::Final => {
            conn.rollback().await?;
            return Ok(Made::Already(passed(found)));
        }
        // Of a run that is dead: this one has the run lock.
        Some(found) => {
            delete_fence(conn, id, kind, found.epoch).await?;
        }
    }
    let report = decide(question, &facts, overrides);
    let verdict = report.verdict();
    if verdict != Verdict::Clear {
        conn.rollback().await?;
        return Ok(Made::Refused(verdict));
    }
    raise_epoch(conn).await?;
    insert_fence(conn, &own).await?;
    for source in &report.sources {
        if let (Some(reason), false) = (&source.overridden, source.verdict == Verdict::Clear) {
            let message = format!("{} was overridden: {reason}", source.source);
            tell(conn, id, "gate_overridden", &message).await?;
        }
    }
    tell(conn, id, "gate_fenced", &format!("provisional fence, epoch {epoch}")).await?;
    commit(conn, Commit::Fence).await?;
    Ok(Made::Fenced(passed(own)))
}

/// Lifts a provisional fence of one's own, and raises the epoch. `false`: it was not there any more.
pub(super) async fn lift(conn: &mut Connection, own: &Fence, why: &str) -> Result<bool, DbError> {
    match try_lift(conn, own, why).await {
        Ok(lifted) => Ok(lifted),
        Err(error) => Err(roll_back(conn, error).await),
    }
}

async fn try_lift(conn: &mut Connection, own: &Fence, why: &str) -> Result<bool, DbError> {
    conn.begin().await?;
    lock_gate(conn).await?;
    let found = fence(conn, &own.migration, own.kind).await?;
    let is_own = |found: Fence| {
        found.epoch == own.epoch
            && found.run_token == own.run_token
            && found.status == FenceStatus::Provisional
    };
    let lifted = found.is_some_and(is_own);
    if lifted {
        delete_fence(conn, &own.migration, own.kind, own.epoch).await?;
        raise_epoch(conn).await?;
        let message = format!("fence of epoch {} lifted: {why}", own.epoch);
        tell(conn, &own.migration, "gate_lifted", &message).await?;
    }
    commit(conn, Commit::LiftedFence).await?;
    Ok(lifted)
}
