//! Filling rows in batches over the key, each in a transaction with its checkpoint.

mod batch;
mod pace;
mod parked;
mod parts;

use std::time::Instant;

use self::batch::Slice;
use self::pace::Pace;
use self::parts::Parts;
use super::hunt::Hunt;
use super::keyset::Keyset;
use super::{Halt, Task, record};
use crate::database::error::{DbError, DbErrorKind};
use crate::database::state::checkpoints::{Checkpoint, checkpoint, save_checkpoint};
use crate::database::state::run_lock::check_run;
use crate::engine::commit::{Commit, commit_or_roll_back};
use crate::engine::failure::{is_in_the_way, is_lost};
use crate::engine::fault;
use crate::engine::lock::Patience;
use crate::engine::progress::Meter;
use crate::engine::run::Run;
use crate::engine::stop;
use crate::error::Error;
use crate::model::name::TableName;
use crate::model::step::Backfill;
use crate::plan::pacing::Batch;
use crate::sql::catalog::Table;
use crate::sql::quote;

/// Rows of the first batch, until the time of one is known.
const FIRST_ROWS: u64 = 500;

/// Fills the rows, from where an earlier run ended.
pub(super) async fn run(
    run: &mut Run<'_>,
    task: &Task<'_>,
    backfill: &Backfill,
) -> Result<(), Error> {
    if task.earlier.is_none() {
        record::intent(run, task).await?;
    }
    let (keyset, table) = prepared(run, task, &backfill.table).await?;
    let parts = Parts::of(run, &keyset, &table, backfill);
    let filling = Filling { task, keyset, set: set(run, backfill, &table), backfill, parts };
    if let Some(began) = filling.begin(run, table.estimated_rows).await? {
        let mut pace = Pace::begin(run, task, &began);
        let filled = filling.batches(run, began, &mut pace).await;
        pace.end().await;
        filled?;
        filling.once_more(run).await?;
    }
    fault::point("backfill-filled");
    record::done(run, task).await
}

/// The table as it is now, and the key over which batches go.
pub(super) async fn prepared(
    run: &mut Run<'_>,
    task: &Task<'_>,
    name: &TableName,
) -> Result<(Keyset, Table), Error> {
    let engine = run.work.conn().engine();
    let found = run.work.conn().catalog(Some(std::slice::from_ref(name))).await;
    let found = found.map_err(|error| super::failed(task, error))?;
    let Some((name, table)) = found.tables.iter().next() else {
        return Err(Error::usage(format!("table \"{name}\" does not exist")));
    };
    let keyset = Keyset::new(engine, name, table).map_err(|none| {
        Error::usage(none.to_string()).hint("Give the table a primary key in an earlier migration.")
    })?;
    Ok((keyset, table.clone()))
}

/// What stands behind SET. On MySQL and MariaDB columns with ON UPDATE are written back unchanged: they come first, so
/// that the migration's own assignment wins.
fn set(run: &mut Run<'_>, backfill: &Backfill, table: &Table) -> String {
    let engine = run.work.conn().engine();
    let kept = table.columns.iter().filter(|column| column.on_update.is_some()).map(|column| {
        let name = quote::ident(engine, &column.name);
        format!("{name} = {name}, ")
    });
    format!("{}{}", kept.collect::<String>(), backfill.set)
}

/// A backfill under way.
struct Filling<'a> {
    task: &'a Task<'a>,
    keyset: Keyset,
    set: String,
    backfill: &'a Backfill,
    /// How rows are told apart that are visited one part after the other; none: they are not.
    parts: Option<Parts>,
}

impl Filling<'_> {
    /// The checkpoint from which to go on: the upper key is fixed the first time. None: there are no rows.
    async fn begin(
        &self,
        run: &mut Run<'_>,
        estimate: Option<u64>,
    ) -> Result<Option<Checkpoint>, Error> {
        let failed = |error| super::failed(self.task, error);
        loop {
            match self.first_checkpoint(run, estimate).await {
                Ok(found) => return Ok(found),
                Err(error) if is_lost(error.kind) => run.work.reconnect(run.job).await?,
                Err(error) => return Err(failed(error)),
            }
        }
    }

    async fn first_checkpoint(
        &self,
        run: &mut Run<'_>,
        estimate: Option<u64>,
    ) -> Result<Option<Checkpoint>, DbError> {
        let (migration, step) = (self.task.migration, self.task.step.name.as_str());
        let (conn, token) = (run.work.conn(), &run.token);
        if let Some(found) = checkpoint(conn, migration, step).await? {
            return Ok(Some(found));
        }
        let Some(last) =
            conn.query(&self.keyset.last(), &[]).await?.first().map(|row| self.keyset.read(row))
        else {
            return Ok(None);
        };
        let first = Checkpoint {
            upper: last?,
            cursor: None,
            rows_done: 0,
            rows_estimate: estimate,
            batch_size: FIRST_ROWS,
            done: false,
            window: None,
        };
        conn.begin().await?;
        let written = match check_run(conn, token).await {
            Ok(()) => save_checkpoint(conn, migration, step, &first).await,
            Err(error) => Err(error),
        };
        commit_or_roll_back(conn, Commit::Checkpoint, written).await?;
        Ok(Some(first))
    }

    async fn batches(
        &self,
        run: &mut Run<'_>,
        began: Checkpoint,
        pace: &mut Pace<'_>,
    ) -> Result<(), Error> {
        let mut at = began;
        let mut hunt: Option<Hunt> = None;
        let title = &self.task.step.title;
        let tables = std::slice::from_ref(&self.backfill.table);
        let mut patience = Patience::new(title, tables, run.job);
        let mut meter = Meter::new(self.task.migration, title, at.rows_done, at.rows_estimate);
        let mut last = Batch::None;
        while !at.done {
            stop::check(&run.job.interrupt)?;
            let rows = u64::from(pace.next(run, last).await?);
            at.batch_size = rows;
            let rows = hunt.map_or(rows, Hunt::rows);
            let slice = match &self.parts {
                Some(parts) if parts.helps && hunt.is_none() && !pace.is_failing() => {
                    Slice::Part(parts, rows)
                }
                _ => Slice::Rows(rows),
            };
            let began = Instant::now();
            last = match self.batch(run, &at, slice, pace).await {
                Ok(next) => {
                    at = next;
                    patience = Patience::new(title, tables, run.job);
                    meter.tell(at.rows_done, run.job);
                    // What a search for a bad row takes says nothing of the next batch.
                    let searches = hunt.is_some();
                    hunt = hunt.and_then(|now| now.after_success(rows));
                    let done = Batch::Done { rows: small(rows), took: began.elapsed() };
                    if searches { Batch::None } else { done }
                }
                Err(error) if error.kind == DbErrorKind::Data => {
                    hunt = Hunt::after_refusal(rows);
                    if hunt.is_none() {
                        at = self.leave_out(run, at, error).await?;
                    }
                    Batch::None
                }
                Err(error) => {
                    hunt = None;
                    self.obstacle(run, error, &mut patience, &mut at).await?
                }
            };
        }
        meter.end(at.rows_done, run.job);
        Ok(())
    }

    /// What a batch that failed means.
    async fn obstacle(
        &self,
        run: &mut Run<'_>,
        error: DbError,
        patience: &mut Patience<'_>,
        at: &mut Checkpoint,
    ) -> Result<Batch, Error> {
        if is_lost(error.kind) {
            run.work.reconnect(run.job).await?;
            // The commit whose answer was lost may have been one.
            let found =
                checkpoint(run.work.conn(), self.task.migration, &self.task.step.name).await;
            if let Some(found) = found.map_err(|error| super::failed(self.task, error))? {
                *at = Checkpoint { batch_size: at.batch_size, ..found };
            }
            return Ok(Batch::Failed { chance: rand::random() });
        }
        match error.kind {
            kind if is_in_the_way(kind) || kind == DbErrorKind::Cancelled => {
                match patience.note_now(&mut run.work, run.job).await {
                    Ok(()) => Ok(Batch::Failed { chance: rand::random() }),
                    Err(Halt::Final(error)) => Err(*error),
                    Err(Halt::Database(error)) => Err(super::failed(self.task, error)),
                }
            }
            _ => Err(super::failed(self.task, error)),
        }
    }
}

/// A number of rows as the controllers count.
fn small(rows: u64) -> u32 {
    u32::try_from(rows).unwrap_or(u32::MAX)
}
