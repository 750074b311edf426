//! PostgreSQL: one statement that no transaction may hold, such as CREATE INDEX CONCURRENTLY.
//!
//! It waits for old transactions by its nature, and holds up no reads or writes while it does: so it gets the whole
//! `--lock-wait`, and says for whom it waits.

use std::time::Duration;

use super::watched::{Look, Looker, run_watched};
use super::{After, Halt, Task, record, recover};
use crate::database::connection::{Connection, LockLimit};
use crate::database::error::{DbError, DbErrorKind};
use crate::engine::failure::{is_in_the_way, is_lost};
use crate::engine::fault;
use crate::engine::job::Job;
use crate::engine::lock::Patience;
use crate::engine::run::Run;
use crate::engine::stop;
use crate::error::{Error, ErrorKind};
use crate::model::server::Engine;
use crate::model::step::{Probe, Statement};
use crate::sql::quote;

/// Runs the statement; an invalid index that a failure leaves is dropped, and built again by the next try.
pub(super) async fn run(
    run: &mut Run<'_>,
    task: &Task<'_>,
    statement: &Statement,
) -> Result<(), Error> {
    let mut again = task.earlier.is_some();
    if !again {
        record::final_intent(run, task).await?;
    }
    let mut patience = task.patience(run.job);
    loop {
        stop::check(&run.job.interrupt)?;
        let halt = match attempt(run, task, statement, &mut patience, again).await {
            Ok(()) => break,
            Err(halt) => halt,
        };
        if let Halt::Database(error) = &halt {
            clean_up(run, task, statement, error).await?;
            if is_in_the_way(error.kind) && patience.is_over() {
                return Err(patience.busy(&mut run.work).await);
            }
        }
        again = true;
        match recover(run, task, &mut patience, halt).await? {
            After::Again => {}
            After::Done => return Ok(()),
        }
    }
    record::done(run, task).await
}

async fn attempt(
    run: &mut Run<'_>,
    task: &Task<'_>,
    statement: &Statement,
    patience: &mut Patience<'_>,
    again: bool,
) -> Result<(), Halt> {
    if again {
        match statement.done {
            Probe::Repeatable => {}
            _ => match run.work.conn().holds(&statement.done).await? {
                Some(true) => return Ok(()),
                Some(false) => drop_invalid(run, statement).await?,
                None => return Err(unknown(task, statement).into()),
            },
        }
    }
    run.work.limit(LockLimit(run.job.lock_wait)).await?;
    let mut looker = Waiting { patience, job: run.job };
    fault::point("statement-before");
    let (ran, _) =
        run_watched(&mut run.work, &run.job.interrupt, &statement.sql, &mut looker).await?;
    ran?;
    fault::point("statement-after");
    // CREATE INDEX IF NOT EXISTS is content with an invalid index of that name.
    if run.work.conn().holds(&statement.done).await? == Some(false) {
        let message = "the statement ended well, but its effect is not there";
        return Err(DbError::new(DbErrorKind::Serialization, message).into());
    }
    Ok(())
}

/// Says for whom the statement waits.
struct Waiting<'a, 'b> {
    patience: &'a mut Patience<'b>,
    job: &'a Job,
}

impl Looker for Waiting<'_, '_> {
    fn every(&self) -> Duration {
        Duration::from_millis(500)
    }

    async fn look(
        &mut self,
        watcher: &mut Connection,
        backend: i64,
        _age: Duration,
    ) -> Result<Look, DbError> {
        let blockers = watcher.blocking(backend).await?;
        if !blockers.is_empty() {
            self.patience.note(&blockers, self.job);
        }
        Ok(Look::GoOn)
    }
}

/// After a failure: no invalid index is left to slow down writes, and a step that had no effect can be corrected.
async fn clean_up(
    run: &mut Run<'_>,
    task: &Task<'_>,
    statement: &Statement,
    error: &DbError,
) -> Result<(), Error> {
    let next_run_cleans = is_lost(error.kind) || run.job.interrupt.raised().is_some();
    if next_run_cleans {
        return Ok(());
    }
    // An index that was there before is not ours to drop.
    if error.kind != DbErrorKind::Duplicate
        && let Err(also) = drop_invalid(run, statement).await
    {
        tracing::debug!(%also, "could not drop the invalid index");
        return Ok(());
    }
    if is_in_the_way(error.kind) || error.kind == DbErrorKind::Cancelled {
        return Ok(());
    }
    record::undone(run, task).await
}

async fn drop_invalid(run: &mut Run<'_>, statement: &Statement) -> Result<(), DbError> {
    let Probe::Index { table, index, present: true } = &statement.done else { return Ok(()) };
    if run.work.conn().holds(&statement.done).await? != Some(false) {
        return Ok(());
    }
    let schema = table.schema.as_deref();
    let index = quote::ident(Engine::Postgres, index);
    let name = schema.map_or_else(
        || index.clone(),
        |schema| format!("{}.{index}", quote::ident(Engine::Postgres, schema)),
    );
    run.work.limit(LockLimit::PATIENT).await?;
    fault::point("invalid-index-before");
    run.work.conn().run(&format!("DROP INDEX CONCURRENTLY IF EXISTS {name}")).await?;
    fault::point("invalid-index-after");
    Ok(())
}

fn unknown(task: &Task<'_>, statement: &Statement) -> Error {
    let message = format!(
        "cannot tell whether a statement took effect before the last run ended: {}",
        task.step.title
    );
    Error::new(ErrorKind::Failed, message).detail(statement.sql.clone()).hint(
        "Look whether it did. A statement that may run twice (IF NOT EXISTS) needs no such care.",
    )
}
