//! A gate that was passed: the right to take the old structure away, as long as nothing happens.

use super::super::failure;
use super::super::job::Job;
use super::wait::{End, check};
use super::{fence, hard, refusal, tell};
use crate::database::connection::Connection;
use crate::database::error::{DbError, DbErrorKind};
use crate::database::state::error::StateError;
use crate::database::state::fences::{self, lock_gate, make_final};
use crate::database::state::identity;
use crate::database::state::run_lock::{RunToken, check_run};
use crate::error::Error;
use crate::model::fence::{Fence, FenceStatus};
use crate::plan::gate::{Facts, Question};

/// How many connections to try for lifting a fence.
const LIFT_TRIES: u32 = 3;

/// A gate that was passed. It must end in [`Self::make_final`] or [`Self::give_up`]; if the process dies before, the next
/// command's `lift_dead` ends it.
#[derive(Debug)]
pub(crate) struct Passed {
    /// What was asked.
    pub(super) question: Question,
    /// The fence that is up.
    pub(super) fence: Fence,
    /// What was seen when it was made.
    pub(super) then: Facts,
    /// The run that made it.
    pub(super) token: RunToken,
    /// Sources that do not count, with reasons.
    pub(super) overrides: Vec<(String, String)>,
}

/// Why the old structure must not be taken away now. The caller rolls its transaction back.
#[derive(Debug)]
pub(crate) enum Unconfirmed {
    /// The database said no; another try may help.
    Database(DbError),
    /// The gate is not passed any more: give it up.
    Refused(Box<Error>),
}

impl From<DbError> for Unconfirmed {
    fn from(error: DbError) -> Self {
        Self::Database(error)
    }
}

impl Passed {
    pub(super) fn new(
        question: Question,
        fence: Fence,
        then: Facts,
        token: RunToken,
        overrides: &[(String, String)],
    ) -> Self {
        Self { question, fence, then, token, overrides: overrides.to_vec() }
    }

    /// Inside the transaction that takes the old structure away, before anything else: checks the run lock, the server,
    /// epoch, fence and evidence, and keeps everybody from joining until the transaction ends.
    pub(crate) async fn confirm(&self, conn: &mut Connection) -> Result<(), Unconfirmed> {
        check_run(conn, &self.token).await?;
        match identity::check(conn, None).await {
            Ok(()) => {}
            Err(StateError::Database(error)) => return Err(error.into()),
            Err(other) => return Err(Unconfirmed::Refused(Box::new(other.into()))),
        }
        let epoch = lock_gate(conn).await?;
        if self.is_final() {
            return Ok(());
        }
        if epoch != self.fence.epoch {
            let message = format!("epoch {epoch} is not that of the gate, {}", self.fence.epoch);
            let error = DbError::new(DbErrorKind::Other, message);
            let error = failure::working("go on behind the gate", error);
            return Err(Unconfirmed::Refused(Box::new(error)));
        }
        self.still_holds(conn).await
    }

    /// Whether nothing has happened since: no knock, no sign of an old instance, the fence in its place.
    ///
    /// To be asked while the contract waits for a lock, at least as often as once in a few seconds.
    pub(crate) async fn still_holds(&self, conn: &mut Connection) -> Result<(), Unconfirmed> {
        if self.is_final() {
            return Ok(());
        }
        match check(conn, self).await {
            Ok(()) => Ok(()),
            Err(End::Database(error)) => Err(error.into()),
            Err(End::Refused(verdict)) => {
                let question = &self.question;
                let error = refusal::refused(question.kind, &question.migration, &verdict);
                Err(Unconfirmed::Refused(Box::new(error)))
            }
            Err(End::Stopped(error)) => Err(Unconfirmed::Refused(Box::new(error))),
        }
    }

    /// In the same transaction as [`Self::confirm`], at its end: from its commit on, whoever is turned away does not
    /// start, or drains and exits.
    pub(crate) async fn make_final(&self, conn: &mut Connection) -> Result<(), DbError> {
        if self.is_final() {
            return Ok(());
        }
        let Fence { migration, kind, epoch, .. } = &self.fence;
        if !make_final(conn, migration, *kind, *epoch).await? {
            // A commit whose answer was lost may have made it final.
            let found = fences::fence(conn, migration, *kind).await?;
            let is_own = |found: &Fence| found.epoch == *epoch && found.run_token == self.token.0;
            if found.is_some_and(|found| found.status == FenceStatus::Final && is_own(&found)) {
                return Ok(());
            }
            let message = format!("the fence for {migration} is not there any more");
            return Err(DbError::new(DbErrorKind::Other, message));
        }
        tell(conn, migration, "gate_final", &format!("fence of epoch {epoch} is final")).await
    }

    /// Inside a transaction of its own, after another tool has taken the old structure away: the fence becomes final,
    /// whatever the evidence says by now. `false`: somebody has lifted it meanwhile.
    pub(crate) async fn settle(&self, conn: &mut Connection) -> Result<bool, DbError> {
        check_run(conn, &self.token).await?;
        let epoch = lock_gate(conn).await?;
        if self.is_final() {
            return Ok(true);
        }
        if epoch != self.fence.epoch {
            return Ok(false);
        }
        self.make_final(conn).await?;
        Ok(true)
    }

    /// Lifts the fence, because the old structure was not taken away, and returns `error` for the user. A fence that is
    /// final already stays.
    pub(crate) async fn give_up(self, job: &Job, conn: &mut Connection, error: Error) -> Error {
        if self.is_final() {
            return error;
        }
        let why = error.to_string();
        self.lift_for(job, conn, &why, error).await
    }

    /// Lifts the fence on this connection or, when it fails, on new ones; says so in the error when it cannot.
    pub(super) async fn lift_for(
        &self,
        job: &Job,
        conn: &mut Connection,
        why: &str,
        mut error: Error,
    ) -> Error {
        let mut lifted = fence::lift(conn, &self.fence, why).await;
        let mut other = None;
        for _ in 1..LIFT_TRIES {
            if lifted.is_ok() {
                break;
            }
            lifted = match Connection::open(&job.target).await {
                Ok(opened) => fence::lift(other.insert(opened), &self.fence, why).await,
                Err(error) => Err(error),
            };
        }
        match lifted {
            Ok(_) => {
                let conn = other.as_mut().unwrap_or(conn);
                match hard::give_back(job, conn, &self.token).await {
                    Ok(roles) => refusal::note_logins(job, &roles),
                    Err(second) => {
                        error.detail.push(second.to_string());
                        error.detail.extend(second.detail);
                    }
                }
                refusal::without_fence(error)
            }
            Err(second) => {
                error.detail.push(format!(
                    "the provisional fence for {} could not be lifted ({second}); the next command of zdm lifts it",
                    self.fence.migration
                ));
                error
            }
        }
    }

    fn is_final(&self) -> bool {
        self.fence.status == FenceStatus::Final
    }
}
