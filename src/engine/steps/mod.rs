//! Running one step: one file for each kind.

mod alone;
mod backfill;
mod group;
mod hunt;
mod keeper;
pub(crate) mod keyset;
mod one_by_one;
mod record;
mod verify;
mod watched;

pub(crate) use one_by_one::has_effect;
pub(crate) use watched::run_without_queueing;

use super::failure::{self, Halt};
use super::gate::Passed;
use super::job::Job;
use super::lock::Patience;
use super::run::Run;
use super::stop;
use super::transition::Transition;
use crate::database::connection::Connection;
use crate::database::error::{DbError, DbErrorKind};
use crate::database::state::journal;
use crate::error::Error;
use crate::model::journal::Progress;
use crate::model::name::MigrationId;
use crate::model::phase::Phase;
use crate::model::step::{Action, Group, Step};

/// A step to run, and what changes in the journal with it.
#[derive(Debug)]
pub(crate) struct Task<'a> {
    /// Of which migration.
    pub(crate) migration: &'a MigrationId,
    /// In which phase.
    pub(crate) phase: Phase,
    /// What to do.
    pub(crate) step: &'a Step,
    /// How far an earlier run came with it.
    pub(crate) earlier: Option<Progress>,
    /// Written with its first record: the phase begins with it.
    pub(crate) enter: Option<Transition>,
    /// Written with its last record: the phase ends with it.
    pub(crate) leave: Option<Transition>,
    /// All steps of its phase: a verification that fails lets the backfills before it run again.
    pub(crate) phase_steps: &'a [Step],
    /// The gate behind which it takes the old structure away.
    pub(crate) gate: Option<&'a Passed>,
}

impl<'a> Task<'a> {
    /// Its wait for strong locks begins.
    fn patience(&self, job: &Job) -> Patience<'a> {
        Patience::new(&self.step.title, &self.step.tables, job).behind(self.gate)
    }
}

/// Runs a step to its end.
pub(crate) async fn run(run: &mut Run<'_>, task: &Task<'_>) -> Result<(), Error> {
    let engine = run.work.conn().engine();
    match &task.step.action {
        Action::Statements(group)
            if engine.is_mysql_family() && !group::is_atomic(group, engine) =>
        {
            one_by_one::run(run, task, group).await
        }
        Action::Statements(group) => group::run(run, task, group).await,
        Action::Alone(statement) if engine.is_mysql_family() => {
            let statements = vec![statement.clone()];
            let group = Group { statements, lock_tables: Vec::new(), hides: false };
            one_by_one::run(run, task, &group).await
        }
        Action::Alone(statement) => alone::run(run, task, statement).await,
        Action::Backfill(backfill) => backfill::run(run, task, backfill).await,
        Action::Verify(verify) => verify::run(run, task, verify).await,
    }
}

/// What to do after an attempt that failed.
enum After {
    /// Try again.
    Again,
    /// The answer was lost, but the journal says that it was done.
    Done,
}

/// After a failed attempt: a pause when others were in the way, a new connection when it was lost; else the end.
async fn recover(
    run: &mut Run<'_>,
    task: &Task<'_>,
    patience: &mut Patience<'_>,
    halt: Halt,
) -> Result<After, Error> {
    let error = match halt {
        Halt::Final(error) => return Err(*error),
        Halt::Database(error) => error,
    };
    if error.kind == DbErrorKind::Cancelled {
        // Cancelled on purpose is the end of the run; by somebody else, the end of the attempt.
        stop::check(&run.job.interrupt)?;
    }
    if failure::is_in_the_way(error.kind) {
        return match patience.pause(&mut run.work, run.job).await {
            Ok(()) => Ok(After::Again),
            Err(Halt::Final(error)) => Err(*error),
            Err(Halt::Database(error)) if failure::is_lost(error.kind) => {
                reconnected(run, task).await
            }
            Err(Halt::Database(error)) => Err(failed(task, error)),
        };
    }
    if failure::is_lost(error.kind) {
        if patience.may_reconnect() {
            return reconnected(run, task).await;
        }
        run.work.give_up();
    }
    Err(failed(task, error))
}

async fn reconnected(run: &mut Run<'_>, task: &Task<'_>) -> Result<After, Error> {
    run.work.reconnect(run.job).await?;
    match standing(run.work.conn(), task).await {
        Ok(Some(Progress::Done)) => Ok(After::Done),
        Ok(Some(Progress::Begun) | None) => Ok(After::Again),
        // Asked again by the next attempt.
        Err(error) if failure::is_lost(error.kind) => Ok(After::Again),
        Err(error) => Err(failed(task, error)),
    }
}

/// What the journal says of a step now. One whose phase has ended is done, even if the phase's end forgot its steps.
async fn standing(conn: &mut Connection, task: &Task<'_>) -> Result<Option<Progress>, DbError> {
    let records = journal::journal(conn).await?;
    let record = records.iter().find(|record| record.id == *task.migration);
    let has_left = |leave: &Transition| record.is_some_and(|record| record.state == leave.to);
    if task.leave.as_ref().is_some_and(has_left) {
        return Ok(Some(Progress::Done));
    }
    let step = record.and_then(|record| {
        record.steps.iter().find(|step| step.phase == task.phase && step.name == task.step.name)
    });
    Ok(step.map(|step| step.progress))
}

/// A step that failed for good.
fn failed(task: &Task<'_>, error: DbError) -> Error {
    let failed = failure::working(&task.step.title, error);
    match &task.step.origin {
        Some(origin) => failed.detail(format!("in {}, line {}", origin.file, origin.line)),
        None => failed,
    }
}
