//! Sizes of tables and their indexes, and counters of writes.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::database::sizes::{Sizes, Writes};
use crate::model::name::TableName;
use crate::sql::catalog::Size;

/// The sizes of all tables in the connection's database, as InnoDB's statistics know them.
pub(crate) async fn sizes(conn: &mut Connection) -> Result<Sizes, DbError> {
    let sql = r"SELECT TABLE_NAME, DATA_LENGTH, INDEX_LENGTH FROM information_schema.TABLES
                WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME NOT LIKE 'zdm\_%' AND DATA_LENGTH IS NOT NULL";
    let mut sizes = Sizes::new();
    for row in conn.query(sql, &[]).await? {
        let bytes = |column| -> Result<Option<u64>, DbError> {
            Ok(row.opt_int(column)?.and_then(|bytes| u64::try_from(bytes).ok()))
        };
        let size = Size { bytes: bytes(1)?, index_bytes: bytes(2)?, ..Size::default() };
        sizes.insert(TableName::bare(row.text(0)?), size);
    }
    Ok(sizes)
}

/// Rows written since the server's start. Empty when the Performance Schema is off, as on MariaDB by default.
pub(crate) async fn writes(conn: &mut Connection) -> Result<Writes, DbError> {
    let sql = "SELECT OBJECT_NAME, COUNT_INSERT + COUNT_UPDATE + COUNT_DELETE \
               FROM performance_schema.table_io_waits_summary_by_table \
               WHERE OBJECT_TYPE = 'TABLE' AND OBJECT_SCHEMA = DATABASE()";
    let mut rows = BTreeMap::new();
    for row in conn.query(sql, &[]).await? {
        let written = row.opt_int(1)?.and_then(|rows| u64::try_from(rows).ok()).unwrap_or(0);
        rows.insert(TableName::bare(row.text(0)?), written);
    }
    let uptime = conn.query("SHOW GLOBAL STATUS LIKE 'Uptime'", &[]).await?;
    let uptime = uptime.first().map(|row| row.opt_int(1)).transpose()?.flatten();
    let counted_for = uptime.and_then(|age| u64::try_from(age).ok()).map(Duration::from_secs);
    Ok(Writes { rows, counted_for })
}
