//! What a step writes into the journal: alone, or in a transaction of its own.

use super::{After, Halt, Task, recover};
use crate::database::connection::{Connection, LockLimit};
use crate::database::error::DbError;
use crate::database::state::events::Actor;
use crate::database::state::journal::{step_begun, step_done, step_undone};
use crate::database::state::run_lock::{RunToken, check_run};
use crate::engine::commit::{Commit, commit_or_roll_back};
use crate::engine::gate::Passed;
use crate::engine::run::Run;
use crate::error::Error;
use crate::model::journal::Progress;

/// In the caller's transaction: the run lock is checked, the phase begins if it does with this step, the step begins.
pub(super) async fn begin(
    conn: &mut Connection,
    task: &Task<'_>,
    token: &RunToken,
    actor: &Actor,
) -> Result<(), DbError> {
    check_run(conn, token).await?;
    if let Some(enter) = &task.enter {
        enter.write(conn, task.migration, actor).await?;
    }
    step_begun(conn, task.migration, task.phase, task.step, token).await
}

/// In the caller's transaction: the step is done, and the phase, too, if it ends with it.
pub(super) async fn end(
    conn: &mut Connection,
    task: &Task<'_>,
    actor: &Actor,
) -> Result<(), DbError> {
    step_done(conn, task.migration, task.phase, &task.step.name).await?;
    if let Some(leave) = &task.leave {
        leave.write(conn, task.migration, actor).await?;
    }
    Ok(())
}

/// What to write in a transaction of its own.
#[derive(Clone, Copy, Debug)]
enum Entry<'a> {
    Intent,
    /// With the gate confirmed, and its fence made final.
    GatedIntent(&'a Passed),
    Done,
    Undone,
}

impl Entry<'_> {
    fn kind(self) -> Commit {
        match self {
            Self::Intent | Self::GatedIntent(_) => Commit::Intent,
            Self::Done => Commit::Done,
            Self::Undone => Commit::Undone,
        }
    }
}

/// Writes the intent of a step, in a transaction of its own.
pub(super) async fn intent(run: &mut Run<'_>, task: &Task<'_>) -> Result<(), Error> {
    write(run, task, Entry::Intent).await
}

/// Writes the intent of a step that no transaction may hold: the gate's fence becomes final with it.
pub(super) async fn final_intent(run: &mut Run<'_>, task: &Task<'_>) -> Result<(), Error> {
    write(run, task, task.gate.map_or(Entry::Intent, Entry::GatedIntent)).await
}

/// Writes that a step is done, in a transaction of its own.
pub(super) async fn done(run: &mut Run<'_>, task: &Task<'_>) -> Result<(), Error> {
    write(run, task, Entry::Done).await
}

/// Takes the intent of a step back that had no effect, so that its file can be corrected.
pub(super) async fn undone(run: &mut Run<'_>, task: &Task<'_>) -> Result<(), Error> {
    write(run, task, Entry::Undone).await
}

async fn write(run: &mut Run<'_>, task: &Task<'_>, entry: Entry<'_>) -> Result<(), Error> {
    let mut patience = task.patience(run.job);
    let mut again = false;
    loop {
        match attempt(run, task, entry, again).await {
            Ok(()) => return Ok(()),
            Err(halt) => {
                again = true;
                match recover(run, task, &mut patience, halt).await? {
                    After::Done => return Ok(()),
                    After::Again => {}
                }
            }
        }
    }
}

async fn attempt(
    run: &mut Run<'_>,
    task: &Task<'_>,
    entry: Entry<'_>,
    again: bool,
) -> Result<(), Halt> {
    if again {
        // A commit whose answer was lost may have been one.
        let standing = super::standing(run.work.conn(), task).await?;
        match (entry, standing) {
            (Entry::Intent | Entry::GatedIntent(_), Some(_))
            | (Entry::Undone, None)
            | (Entry::Done, Some(Progress::Done)) => return Ok(()),
            _ => {}
        }
    }
    run.work.limit(LockLimit::PATIENT).await?;
    let (conn, token, actor) = (run.work.conn(), &run.token, &run.actor);
    conn.begin().await?;
    let written = inside(conn, task, entry, token, actor).await;
    commit_or_roll_back(conn, entry.kind(), written).await
}

async fn inside(
    conn: &mut Connection,
    task: &Task<'_>,
    entry: Entry<'_>,
    token: &RunToken,
    actor: &Actor,
) -> Result<(), Halt> {
    if let Entry::GatedIntent(gate) = entry {
        gate.confirm(conn).await?;
        begin(conn, task, token, actor).await?;
        return Ok(gate.make_final(conn).await?);
    }
    check_run(conn, token).await?;
    match entry {
        Entry::Intent | Entry::GatedIntent(_) => begin(conn, task, token, actor).await?,
        Entry::Done => end(conn, task, actor).await?,
        Entry::Undone => step_undone(conn, task.migration, task.phase, &task.step.name).await?,
    }
    Ok(())
}
