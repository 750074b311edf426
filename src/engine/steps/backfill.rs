//! Filling rows in batches over the key, each in a transaction with its checkpoint.

use std::time::{Duration, Instant};

use super::hunt::Hunt;
use super::keyset::{Key, Keyset};
use super::{Halt, Task, record};
use crate::database::connection::LockLimit;
use crate::database::error::{DbError, DbErrorKind};
use crate::database::state::checkpoints::{Checkpoint, checkpoint, save_checkpoint};
use crate::database::state::run_lock::check_run;
use crate::engine::commit::{Commit, commit_or_roll_back};
use crate::engine::failure::{is_in_the_way, is_lost};
use crate::engine::fault;
use crate::engine::lock::Patience;
use crate::engine::progress::Meter;
use crate::engine::retry;
use crate::engine::run::Run;
use crate::engine::stop;
use crate::error::{Error, ErrorKind};
use crate::model::name::TableName;
use crate::model::step::Backfill;
use crate::plan::pacing::{self, Action, Limits, Observation, Speed, State};
use crate::sql::catalog::Table;
use crate::sql::quote;

/// Rows of the first batch, until the time of one is known.
const FIRST_ROWS: u64 = 500;

/// A batch that takes longer is ended by the server, and tried again with half its rows.
const BATCH_LIMIT: Duration = Duration::from_secs(10);

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
    let filling = Filling { task, keyset, set: set(run, backfill, &table), backfill };
    let began = filling.begin(run, table.estimated_rows).await?;
    if let Some(began) = began {
        filling.batches(run, began).await?;
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

struct Filling<'a> {
    task: &'a Task<'a>,
    keyset: Keyset,
    set: String,
    backfill: &'a Backfill,
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
        };
        conn.begin().await?;
        let written = match check_run(conn, token).await {
            Ok(()) => save_checkpoint(conn, migration, step, &first).await,
            Err(error) => Err(error),
        };
        commit_or_roll_back(conn, Commit::Checkpoint, written).await?;
        Ok(Some(first))
    }

    async fn batches(&self, run: &mut Run<'_>, began: Checkpoint) -> Result<(), Error> {
        let engine = run.work.conn().engine();
        let speed = if run.job.full_speed { Speed::Full } else { Speed::BesideTraffic };
        let limits = Limits::of(engine, speed);
        let mut at = began;
        let mut state = State::resume(&limits, small(at.batch_size));
        let mut hunt: Option<Hunt> = None;
        let title = &self.task.step.title;
        let tables = std::slice::from_ref(&self.backfill.table);
        let mut patience = Patience::new(title, tables, run.job);
        let mut meter = Meter::new(self.task.migration, title, at.rows_done, at.rows_estimate);
        while !at.done {
            stop::check(&run.job.interrupt)?;
            let began = Instant::now();
            let rows = hunt.map_or(u64::from(state.rows()), Hunt::rows);
            let seen = match self.batch(run, &at, rows).await {
                Ok(next) => {
                    let visited = next.rows_done.saturating_sub(at.rows_done);
                    at = next;
                    patience = Patience::new(title, tables, run.job);
                    meter.tell(at.rows_done, run.job);
                    if let Some(now) = hunt {
                        hunt = now.after_success(rows);
                        continue;
                    }
                    Observation::Done { rows: small(visited), took: began.elapsed() }
                }
                Err(error) if error.kind == DbErrorKind::Data => {
                    hunt = Hunt::after_refusal(rows);
                    if hunt.is_none() {
                        return Err(self.bad_row(run, &at, error).await);
                    }
                    continue;
                }
                Err(error) => self.obstacle(run, error, &mut patience, &mut at).await?,
            };
            let (next, action) = pacing::step(&limits, state, seen);
            at.batch_size = u64::from(next.rows());
            (state, hunt) = (next, None);
            match action {
                Action::Run { .. } if at.done => {}
                Action::Run { rest, .. } => retry::wait(&run.job.interrupt, rest).await?,
                // As long as patience lasts, it is begun anew.
                Action::GiveUp => state = State::resume(&limits, next.rows()),
            }
        }
        meter.end(at.rows_done, run.job);
        Ok(())
    }

    /// One batch with its checkpoint.
    async fn batch(
        &self,
        run: &mut Run<'_>,
        at: &Checkpoint,
        rows: u64,
    ) -> Result<Checkpoint, DbError> {
        run.work.limit(LockLimit::SHORT).await?;
        let conn = run.work.conn();
        // Outside of the transaction, so that it holds its locks for less time.
        let bound = self.keyset.bound(at.cursor.as_deref(), &at.upper, rows);
        let bound =
            conn.query(&bound, &[]).await?.first().map(|row| self.keyset.read(row)).transpose()?;
        let to = bound.as_ref().unwrap_or(&at.upper);
        conn.begin().await?;
        let written = self.inside(run, at, to, bound.as_ref().map(|_| rows)).await;
        commit_or_roll_back(run.work.conn(), Commit::Batch, written).await
    }

    async fn inside(
        &self,
        run: &mut Run<'_>,
        at: &Checkpoint,
        to: &Key,
        visited: Option<u64>,
    ) -> Result<Checkpoint, DbError> {
        let (conn, token) = (run.work.conn(), &run.token);
        check_run(conn, token).await?;
        if !conn.engine().is_mysql_family() {
            let limit = format!("SET LOCAL statement_timeout = {}", BATCH_LIMIT.as_millis());
            conn.run(&limit).await?;
        }
        let range = self.keyset.range(at.cursor.as_deref(), to);
        let pending = self.backfill.pending.as_ref();
        let pending = pending.map(|pending| format!(" AND ({pending}\n)")).unwrap_or_default();
        let (table, set) = (self.keyset.table(), &self.set);
        let changed =
            conn.run(&format!("UPDATE {table} SET {set}\nWHERE {range}{pending}")).await?;
        let next = Checkpoint {
            cursor: Some(to.clone()),
            rows_done: at.rows_done + visited.unwrap_or(changed),
            // No so-manieth row was found: these were the last.
            done: visited.is_none(),
            ..at.clone()
        };
        save_checkpoint(conn, self.task.migration, &self.task.step.name, &next).await?;
        Ok(next)
    }

    /// What a batch that failed means.
    async fn obstacle(
        &self,
        run: &mut Run<'_>,
        error: DbError,
        patience: &mut Patience<'_>,
        at: &mut Checkpoint,
    ) -> Result<Observation, Error> {
        if is_lost(error.kind) {
            run.work.reconnect(run.job).await?;
            // The commit whose answer was lost may have been one.
            let found =
                checkpoint(run.work.conn(), self.task.migration, &self.task.step.name).await;
            if let Some(found) = found.map_err(|error| super::failed(self.task, error))? {
                *at = Checkpoint { batch_size: at.batch_size, ..found };
            }
            return Ok(Observation::Failed { chance: rand::random() });
        }
        match error.kind {
            kind if is_in_the_way(kind) || kind == DbErrorKind::Cancelled => {
                match patience.note_now(&mut run.work, run.job).await {
                    Ok(()) => Ok(Observation::Failed { chance: rand::random() }),
                    Err(Halt::Final(error)) => Err(*error),
                    Err(Halt::Database(error)) => Err(super::failed(self.task, error)),
                }
            }
            _ => Err(super::failed(self.task, error)),
        }
    }

    /// The row behind the last good batch, by name.
    async fn bad_row(&self, run: &mut Run<'_>, at: &Checkpoint, said: DbError) -> Error {
        let table = &self.backfill.table;
        let message = format!("could not fill a row of table \"{table}\"");
        let mut error = Error::new(ErrorKind::Failed, message).hint(
            "Correct the row, or what the backfill sets, then run the same command again: it goes on from there.",
        );
        let bound = self.keyset.bound(at.cursor.as_deref(), &at.upper, 1);
        if let Ok(rows) = run.work.conn().query(&bound, &[]).await
            && let Some(Ok(key)) = rows.first().map(|row| self.keyset.read(row))
        {
            error = error.detail(format!("the row with {}", self.keyset.title(&key)));
        }
        error.caused_by(said)
    }
}

/// A number of rows as the controllers count.
fn small(rows: u64) -> u32 {
    u32::try_from(rows).unwrap_or(u32::MAX)
}
