//! A number that travels to replicas (MySQL, MariaDB): how late it comes there is how far behind they are.

use crate::database::connection::Connection;
use crate::database::error::DbError;

/// Counts up, and returns the number.
pub(crate) async fn beat(conn: &mut Connection) -> Result<u64, DbError> {
    let sql = conn.sql(
        "INSERT INTO {zdm}heartbeat (id, beat) VALUES (1, 1) ON DUPLICATE KEY UPDATE beat = beat + 1",
    );
    conn.execute(&sql, &[]).await?;
    last_beat(conn).await
}

/// The number as it has come here; 0 before the first.
pub(crate) async fn last_beat(conn: &mut Connection) -> Result<u64, DbError> {
    let sql = conn.sql("SELECT beat FROM {zdm}heartbeat WHERE id = 1");
    let rows = conn.query(&sql, &[]).await?;
    Ok(rows.first().map(|row| row.int(0)).transpose()?.unwrap_or(0).unsigned_abs())
}
