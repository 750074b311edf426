//! Checkpoints of backfills: written in the transaction of the batch that they describe.

use std::num::TryFromIntError;

use super::{unexpected, upsert};
use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::database::session::{Row, Value};
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
    /// Whether every row has been visited.
    pub(crate) done: bool,
    /// Behind the cursor and up to this key, only the rows of some parts are left to do.
    pub(crate) window: Option<Window>,
}

/// A range whose rows are done in parts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Window {
    /// Its last key.
    pub(crate) to: Vec<String>,
    /// The first part that is not done.
    pub(crate) part: u8,
}

/// What of a checkpoint others see, who are not at work on it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Standing {
    /// Of which migration.
    pub(crate) migration: String,
    /// Of which step.
    pub(crate) step: String,
    /// How far it is.
    pub(crate) checkpoint: Checkpoint,
    /// Why no batch ran when that was written.
    pub(crate) waits_for: Option<String>,
}

const COLUMNS: &str =
    "upper_key, cursor_key, rows_done, rows_estimate, batch_size, done, window_key, window_part";

/// The checkpoint of a step, when it has one.
pub(crate) async fn checkpoint(
    conn: &mut Connection,
    id: &MigrationId,
    step: &str,
) -> Result<Option<Checkpoint>, DbError> {
    let sql = conn
        .sql(&format!("SELECT {COLUMNS} FROM {{zdm}}backfill WHERE migration = ? AND step = ?"));
    let rows = conn.query(&sql, &[id.as_str().into(), step.into()]).await?;
    rows.first().map(read).transpose()
}

/// Every checkpoint.
pub(crate) async fn checkpoints(conn: &mut Connection) -> Result<Vec<Standing>, DbError> {
    let sql = conn.sql(&format!(
        "SELECT {COLUMNS}, migration, step, waits_for FROM {{zdm}}backfill ORDER BY migration, step"
    ));
    let rows = conn.query(&sql, &[]).await?;
    let standing = |row: &Row| -> Result<Standing, DbError> {
        let (migration, step, waits_for) = (row.text(8)?, row.text(9)?, row.opt_text(10)?);
        Ok(Standing { migration, step, checkpoint: read(row)?, waits_for })
    };
    rows.iter().map(standing).collect()
}

/// Writes why no batch of a step runs; the next checkpoint takes it away.
pub(crate) async fn save_wait(
    conn: &mut Connection,
    (id, step): (&MigrationId, &str),
    reason: Option<&str>,
) -> Result<(), DbError> {
    let sql = conn.sql("UPDATE {zdm}backfill SET waits_for = ? WHERE migration = ? AND step = ?");
    conn.execute(&sql, &[reason.into(), id.as_str().into(), step.into()]).await?;
    Ok(())
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
        &[
            "upper_key",
            "cursor_key",
            "rows_done",
            "rows_estimate",
            "batch_size",
            "done",
            "window_key",
            "window_part",
            "waits_for",
        ],
    ));
    let window = checkpoint.window.as_ref();
    let values = [
        id.as_str().into(),
        step.into(),
        write_key(&checkpoint.upper)?.into(),
        checkpoint.cursor.as_deref().map(write_key).transpose()?.into(),
        number(checkpoint.rows_done).into(),
        checkpoint.rows_estimate.map(number).into(),
        number(checkpoint.batch_size).into(),
        i64::from(checkpoint.done).into(),
        window.map(|window| write_key(&window.to)).transpose()?.into(),
        i64::from(window.map_or(0, |window| window.part)).into(),
        Value::Null,
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

/// Forgets all that is known of the backfills of a migration: a rollback is done.
pub(crate) async fn forget_checkpoints(
    conn: &mut Connection,
    id: &MigrationId,
) -> Result<(), DbError> {
    for table in ["backfill", "parked", "steering"] {
        let sql = conn.sql(&format!("DELETE FROM {{zdm}}{table} WHERE migration = ?"));
        conn.execute(&sql, &[id.as_str().into()]).await?;
    }
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
        window: match row.opt_text(6)? {
            Some(to) => Some(Window {
                to: read_key(&to)?,
                part: u8::try_from(row.int(7)?).map_err(|_large: TryFromIntError| {
                    unexpected("the checkpoint of a backfill has no such part")
                })?,
            }),
            None => None,
        },
    })
}

pub(super) fn read_key(text: &str) -> Result<Vec<String>, DbError> {
    serde_json::from_str(text)
        .map_err(|error| unexpected(format!("in the checkpoint of a backfill: {error}")))
}

pub(super) fn write_key(key: &[String]) -> Result<String, DbError> {
    serde_json::to_string(key)
        .map_err(|error| unexpected(format!("the checkpoint of a backfill: {error}")))
}

/// A count, as the state holds it.
fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
