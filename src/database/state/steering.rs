//! What somebody has asked of a migration's backfills from another terminal.

use std::time::Duration;

use super::{unexpected, upsert};
use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::database::session::{Row, Value};
use crate::model::name::MigrationId;
use crate::plan::pacing::Steering;

/// The wishes about a migration: none are as nothing was set.
pub(crate) async fn steering(conn: &mut Connection, id: &MigrationId) -> Result<Steering, DbError> {
    let sql = conn.sql(
        "SELECT paused_by, share, max_rows, batch_time_ms, migration FROM {zdm}steering WHERE migration = ?",
    );
    let rows = conn.query(&sql, &[id.as_str().into()]).await?;
    rows.first().map_or(Ok(Steering::default()), read)
}

/// The wishes about every migration.
pub(crate) async fn steerings(conn: &mut Connection) -> Result<Vec<(String, Steering)>, DbError> {
    let sql = conn.sql(
        "SELECT paused_by, share, max_rows, batch_time_ms, migration FROM {zdm}steering ORDER BY migration",
    );
    let rows = conn.query(&sql, &[]).await?;
    rows.iter().map(|row| Ok((row.text(4)?, read(row)?))).collect()
}

/// Writes the wishes about a migration.
pub(crate) async fn save_steering(
    conn: &mut Connection,
    id: &MigrationId,
    steering: &Steering,
) -> Result<(), DbError> {
    let columns = ["paused_by", "share", "max_rows", "batch_time_ms"];
    let sql =
        upsert(conn.engine(), "steering", &["migration"], &[&columns[..], &["since"]].concat());
    // The last mark is the moment.
    let sql = conn.sql(&sql.replacen("?, ?)", "?, {now})", 1));
    let millis = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    let values: [Value; 5] = [
        id.as_str().into(),
        steering.paused_by.as_deref().into(),
        steering.share.map(i64::from).into(),
        steering.max_rows.map(i64::from).into(),
        steering.batch_time.map(millis).into(),
    ];
    conn.execute(&sql, &values).await?;
    Ok(())
}

fn read(row: &Row) -> Result<Steering, DbError> {
    let wrong = |column: &str| unexpected(format!("in the state of zdm: {column} of a backfill"));
    let number = |at: usize| row.opt_int(at);
    Ok(Steering {
        paused_by: row.opt_text(0)?,
        share: number(1)?.map(u8::try_from).transpose().map_err(|_wide| wrong("share"))?,
        max_rows: number(2)?.map(u32::try_from).transpose().map_err(|_wide| wrong("max_rows"))?,
        batch_time: number(3)?.map(|ms| Duration::from_millis(ms.unsigned_abs())),
    })
}
