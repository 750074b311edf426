//! One batch, with its checkpoint.

use std::time::Duration;

use super::Filling;
use super::pace::Pace;
use super::parts::Parts;
use crate::database::connection::{Connection, LockLimit};
use crate::database::error::DbError;
use crate::database::state::checkpoints::{Checkpoint, Window, save_checkpoint};
use crate::database::state::run_lock::check_run;
use crate::engine::commit::{Commit, commit_or_roll_back};
use crate::engine::run::Run;
use crate::engine::steps::keyset::Key;

/// A batch that takes longer is ended by the server, and tried again with half its rows.
const BATCH_LIMIT: Duration = Duration::from_secs(10);

/// Which rows a batch has.
#[derive(Clone, Copy, Debug)]
pub(super) enum Slice<'a> {
    /// The next so many.
    Rows(u64),
    /// The next part of a window that has so many rows in each part.
    Part(&'a Parts, u64),
}

/// What a batch does, and the checkpoint after it.
struct Cut {
    /// The rows.
    condition: String,
    /// The checkpoint, but for what the batch changes.
    next: Checkpoint,
    /// How many rows it visits, when that is known before.
    visited: Option<u64>,
}

impl Filling<'_> {
    /// Runs one batch, while the signals are looked at that only a batch shows.
    pub(super) async fn batch(
        &self,
        run: &mut Run<'_>,
        at: &Checkpoint,
        slice: Slice<'_>,
        pace: &mut Pace<'_>,
    ) -> Result<Checkpoint, DbError> {
        run.work.limit(LockLimit::SHORT).await?;
        // Outside of the transaction, so that it holds its locks for less time.
        let cut = match slice {
            Slice::Rows(rows) => self.rows(run.work.conn(), at, rows).await?,
            Slice::Part(parts, rows) => self.part(run.work.conn(), at, (parts, rows)).await?,
        };
        let worker = run.work.conn().backend();
        pace.watching(worker, async {
            run.work.conn().begin().await?;
            let written = self.inside(run, cut).await;
            commit_or_roll_back(run.work.conn(), Commit::Batch, written).await
        })
        .await
    }

    /// The next rows behind the cursor, up to the end of a window that has been begun.
    async fn rows(
        &self,
        conn: &mut Connection,
        at: &Checkpoint,
        rows: u64,
    ) -> Result<Cut, DbError> {
        let end = at.window.as_ref().map_or(&at.upper, |window| &window.to);
        let bound = self.bound(conn, at, end, rows).await?;
        let to = bound.as_ref().unwrap_or(end);
        let range = self.keyset.range(at.cursor.as_deref(), to);
        let left = at.window.as_ref().zip(self.parts.as_ref());
        let left = left.map(|(window, parts)| format!(" AND {}", parts.from(window.part)));
        Ok(Cut {
            condition: format!("{range}{}", left.unwrap_or_default()),
            next: past(at, to),
            // Of a window some rows were counted with the parts that are done.
            visited: bound.as_ref().filter(|_| at.window.is_none()).map(|_| rows),
        })
    }

    /// The next part of the window that has been begun, or the first of a new one.
    async fn part(
        &self,
        conn: &mut Connection,
        at: &Checkpoint,
        (parts, rows): (&Parts, u64),
    ) -> Result<Cut, DbError> {
        let (window, is_full) = if let Some(window) = &at.window {
            (window.clone(), false)
        } else {
            let all = rows.saturating_mul(Parts::COUNT.into());
            let bound = self.bound(conn, at, &at.upper, all).await?;
            let is_full = bound.is_some();
            (Window { to: bound.unwrap_or_else(|| at.upper.clone()), part: 0 }, is_full)
        };
        let range = self.keyset.range(at.cursor.as_deref(), &window.to);
        let condition = format!("{range} AND {}", parts.only(window.part));
        let part = window.part + 1;
        let next = if part < Parts::COUNT {
            Checkpoint { window: Some(Window { part, ..window }), ..at.clone() }
        } else {
            past(at, &window.to)
        };
        Ok(Cut { condition, next, visited: is_full.then_some(rows) })
    }

    /// The last of so many keys behind the cursor; none: fewer are left up to `end`.
    pub(super) async fn bound(
        &self,
        conn: &mut Connection,
        at: &Checkpoint,
        end: &Key,
        rows: u64,
    ) -> Result<Option<Key>, DbError> {
        let sql = self.keyset.bound(at.cursor.as_deref(), end, rows);
        let found = conn.query(&sql, &[]).await?;
        found.first().map(|row| self.keyset.read(row)).transpose()
    }

    async fn inside(&self, run: &mut Run<'_>, cut: Cut) -> Result<Checkpoint, DbError> {
        let (conn, token) = (run.work.conn(), &run.token);
        check_run(conn, token).await?;
        let changed = self.update(conn, &cut.condition).await?;
        let rows_done = cut.next.rows_done + cut.visited.unwrap_or(changed);
        let next = Checkpoint { rows_done, ..cut.next };
        save_checkpoint(conn, self.task.migration, &self.task.step.name, &next).await?;
        Ok(next)
    }

    /// Fills the rows that meet a condition and still need it.
    pub(super) async fn update(
        &self,
        conn: &mut Connection,
        condition: &str,
    ) -> Result<u64, DbError> {
        if !conn.engine().is_mysql_family() {
            let limit = format!("SET LOCAL statement_timeout = {}", BATCH_LIMIT.as_millis());
            conn.run(&limit).await?;
        }
        let pending = self.backfill.pending.as_ref();
        let pending = pending.map(|pending| format!(" AND ({pending}\n)")).unwrap_or_default();
        let (table, set) = (self.keyset.table(), &self.set);
        conn.run(&format!("UPDATE {table} SET {set}\nWHERE {condition}{pending}")).await
    }
}

/// The checkpoint when everything up to a key is done.
pub(super) fn past(at: &Checkpoint, to: &Key) -> Checkpoint {
    let is_in = at.window.as_ref().filter(|window| window.to != *to);
    Checkpoint {
        cursor: Some(to.clone()),
        window: is_in.cloned(),
        done: *to == at.upper,
        ..at.clone()
    }
}
