//! Checkpoints of backfills: written in the transaction of the batch that they describe.

use super::{unexpected, upsert};
use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::database::session::Row;
use crate::model::name::MigrationId;

/// How far a backfill is. Keys are texts, one a column of the table's key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Checkpoint {
    /// The last row that is its task: fixed when it began.
    pub(crate) upper: Vec<String>,
    /// The last row that it has done; none: it has not begun.
    pub(crate) cursor: Option<Vec<String>>,
    /// Rows that it has changed.
    pub(crate) rows_done: u64,
    /// Rows that it is likely to visit in all.
    pub(crate) rows_estimate: Option<u64>,
    /// Rows of the next batch.
    pub(crate) batch_size: u64,
    /// Whether every row is done.
    pub(crate) done: bool,
}

/// The checkpoint of a step, when it has one.
pub(crate) async fn checkpoint(
    conn: &mut Connection,
    id: &MigrationId,
    step: &str,
) -> Result<Option<Checkpoint>, DbError> {
    let sql = conn.sql(
        "SELECT upper_key, cursor_key, rows_done, rows_estimate, batch_size, done FROM {zdm}backfill \
         WHERE migration = ? AND step = ?",
    );
    let rows = conn.query(&sql, &[id.as_str().into(), step.into()]).await?;
    rows.first().map(read).transpose()
}

/// Every checkpoint: migration, step, how far.
pub(crate) async fn checkpoints(
    conn: &mut Connection,
) -> Result<Vec<(String, String, Checkpoint)>, DbError> {
    let sql = conn.sql(
        "SELECT upper_key, cursor_key, rows_done, rows_estimate, batch_size, done, migration, step \
         FROM {zdm}backfill ORDER BY migration, step",
    );
    let rows = conn.query(&sql, &[]).await?;
    rows.iter().map(|row| Ok((row.text(6)?, row.text(7)?, read(row)?))).collect()
}

/// Writes the checkpoint of a step.
pub(crate) async fn save_checkpoint(
    conn: &mut Connection,
    id: &MigrationId,
    step: &str,
    checkpoint: &Checkpoint,
) -> Result<(), DbError> {
    let sql = conn.sql(&upsert(
        conn.engine(),
        "backfill",
        &["migration", "step"],
        &["upper_key", "cursor_key", "rows_done", "rows_estimate", "batch_size", "done"],
    ));
    let values = [
        id.as_str().into(),
        step.into(),
        write_key(&checkpoint.upper)?.into(),
        checkpoint.cursor.as_deref().map(write_key).transpose()?.into(),
        number(checkpoint.rows_done).into(),
        checkpoint.rows_estimate.map(number).into(),
        number(checkpoint.batch_size).into(),
        i64::from(checkpoint.done).into(),
    ];
    conn.execute(&sql, &values).await?;
    Ok(())
}

/// Forgets the checkpoint of a step, so that it begins anew.
pub(crate) async fn forget_checkpoint(
    conn: &mut Connection,
    id: &MigrationId,
    step: &str,
) -> Result<(), DbError> {
    let sql = conn.sql("DELETE FROM {zdm}backfill WHERE migration = ? AND step = ?");
    conn.execute(&sql, &[id.as_str().into(), step.into()]).await?;
    Ok(())
}

/// Forgets the checkpoints of a migration: a rollback is done.
pub(crate) async fn forget_checkpoints(
    conn: &mut Connection,
    id: &MigrationId,
) -> Result<(), DbError> {
    let sql = conn.sql("DELETE FROM {zdm}backfill WHERE migration = ?");
    conn.execute(&sql, &[id.as_str().into()]).await?;
    Ok(())
}

fn read(row: &Row) -> Result<Checkpoint, DbError> {
    Ok(Checkpoint {
        upper: read_key(&row.text(0)?)?,
        cursor: row.opt_text(1)?.as_deref().map(read_key).transpose()?,
        rows_done: row.int(2)?.unsigned_abs(),
        rows_estimate: row.opt_int(3)?.map(i64::unsigned_abs),
        batch_size: row.int(4)?.unsigned_abs(),
        done: row.bool(5)?,
    })
}

fn read_key(text: &str) -> Result<Vec<String>, DbError> {
    serde_json::from_str(text)
        .map_err(|error| unexpected(format!("in the checkpoint of a backfill: {error}")))
}

fn write_key(key: &[String]) -> Result<String, DbError> {
    serde_json::to_string(key)
        .map_err(|error| unexpected(format!("the checkpoint of a backfill: {error}")))
}

/// A count, as the state holds it.
fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
