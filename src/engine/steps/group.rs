//! Statements in one transaction with their journal row: everything on PostgreSQL that a transaction may hold, and
//! changes of rows alone on MySQL and MariaDB.

use super::{After, Halt, Task, record, recover};
use crate::database::connection::LockLimit;
use crate::database::error::DbError;
use crate::engine::commit::{Commit, commit_or_roll_back};
use crate::engine::fault;
use crate::engine::lock::Patience;
use crate::engine::run::Run;
use crate::engine::stop::{self, cancellable};
use crate::error::Error;
use crate::model::phase::Phase;
use crate::model::server::Engine;
use crate::model::step::{Group, Probe};
use crate::sql::change::Change;
use crate::sql::span::Span;
use crate::sql::understand;

/// Whether the statements, and their journal row, can be undone together.
pub(super) fn is_atomic(group: &Group, engine: Engine) -> bool {
    if !engine.is_mysql_family() {
        return true;
    }
    // DDL commits what is open; what is not understood may.
    let changes_rows = |change: &Change| {
        matches!(change, Change::Update { .. } | Change::Delete { .. } | Change::Insert { .. })
    };
    group.lock_tables.is_empty()
        && group.statements.iter().all(|statement| {
            let located = understand(&statement.sql, Span::whole(&statement.sql), engine);
            !located.is_empty() && located.iter().all(|located| changes_rows(&located.change))
        })
}

/// Runs the statements and their journal row in one transaction, as often as it takes.
pub(super) async fn run(run: &mut Run<'_>, task: &Task<'_>, group: &Group) -> Result<(), Error> {
    let mut patience = task.patience(run.job);
    loop {
        stop::check(&run.job.interrupt)?;
        match attempt(run, task, group, &mut patience).await {
            Ok(()) => break,
            Err(halt) => match recover(run, task, &mut patience, halt).await? {
                After::Again => {}
                After::Done => break,
            },
        }
    }
    Ok(())
}

async fn attempt(
    run: &mut Run<'_>,
    task: &Task<'_>,
    group: &Group,
    patience: &mut Patience<'_>,
) -> Result<(), Halt> {
    patience.look(&mut run.work, run.job).await?;
    run.work.limit(LockLimit::SHORT).await?;
    run.work.conn().begin().await?;
    let written = inside(run, task, group).await;
    commit_or_roll_back(run.work.conn(), Commit::Step, written).await
}

async fn inside(run: &mut Run<'_>, task: &Task<'_>, group: &Group) -> Result<(), Halt> {
    let (conn, interrupt) = (run.work.conn(), &run.job.interrupt);
    if let Some(gate) = task.gate {
        gate.confirm(conn).await?;
    }
    record::begin(conn, task, &run.token, &run.actor).await?;
    for statement in &group.statements {
        if is_reversal(task.phase) && reversed_already(conn, &statement.done).await? {
            continue;
        }
        fault::point("statement-before");
        let canceller = conn.canceller();
        let (ran, _) = cancellable(conn.run(&statement.sql), &*canceller, interrupt.wait()).await;
        ran?;
        fault::point("statement-after");
    }
    if let Some(gate) = task.gate {
        gate.make_final(conn).await?;
    }
    record::end(conn, task, &run.actor).await?;
    Ok(())
}

/// Whether a phase takes back what others did, perhaps only in part.
pub(super) fn is_reversal(phase: Phase) -> bool {
    matches!(phase, Phase::Rollback | Phase::Reveal)
}

/// Whether there is nothing (more) to take back.
async fn reversed_already(
    conn: &mut crate::database::connection::Connection,
    probe: &Probe,
) -> Result<bool, DbError> {
    match probe {
        Probe::Repeatable | Probe::Undecidable => Ok(false),
        _ => Ok(conn.holds(probe).await? == Some(true)),
    }
}
