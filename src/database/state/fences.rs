//! Fences and the gate's one row: whoever joins locks it in share mode, a gate locks it alone.

use super::{migration_id, unexpected, unknown_word};
use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::database::session::Row;
use crate::model::fence::{Fence, FenceKind, FenceStatus};
use crate::model::name::MigrationId;

/// Locks the gate's row until the end of the transaction, so that nobody joins meanwhile, and returns the epoch: how
/// often a fence was made, or lifted. It never falls.
///
/// What is read afterwards must be read by a new statement.
pub(crate) async fn lock_gate(conn: &mut Connection) -> Result<i64, DbError> {
    let sql = conn.sql("SELECT epoch FROM {zdm}gate WHERE id = 1 FOR UPDATE");
    let rows = conn.query(&sql, &[]).await?;
    rows.first().ok_or_else(|| unexpected("the gate's row is gone from the state of zdm"))?.int(0)
}

/// Raises the epoch. The gate's row must be locked.
pub(crate) async fn raise_epoch(conn: &mut Connection) -> Result<(), DbError> {
    let sql = conn.sql("UPDATE {zdm}gate SET epoch = epoch + 1 WHERE id = 1");
    conn.execute(&sql, &[]).await?;
    Ok(())
}

/// Every fence.
pub(crate) async fn fences(conn: &mut Connection) -> Result<Vec<Fence>, DbError> {
    let sql = conn.sql(
        "SELECT migration, kind, services, status, epoch, run_token, {ms:since}, knocked_by FROM {zdm}fence \
         ORDER BY migration, kind",
    );
    let rows = conn.query(&sql, &[]).await?;
    rows.iter().map(read).collect()
}

/// The fence of a migration, when there is one.
pub(crate) async fn fence(
    conn: &mut Connection,
    id: &MigrationId,
    kind: FenceKind,
) -> Result<Option<Fence>, DbError> {
    let all = fences(conn).await?;
    Ok(all.into_iter().find(|fence| fence.migration == *id && fence.kind == kind))
}

/// Writes a fence (`since` and `knocked_by` are not taken from it). The gate's row must be locked.
pub(crate) async fn insert_fence(conn: &mut Connection, fence: &Fence) -> Result<(), DbError> {
    let sql = conn.sql(
        "INSERT INTO {zdm}fence (migration, kind, services, status, epoch, run_token, since) \
         VALUES (?, ?, ?, ?, ?, ?, {now})",
    );
    let values = [
        fence.migration.as_str().into(),
        fence.kind.as_str().into(),
        fence.services.as_ref().map(|services| services.join(",")).into(),
        fence.status.as_str().into(),
        fence.epoch.into(),
        fence.run_token.as_str().into(),
    ];
    conn.execute(&sql, &values).await?;
    Ok(())
}

/// Makes a provisional fence of this epoch final. `false`: there is none.
pub(crate) async fn make_final(
    conn: &mut Connection,
    id: &MigrationId,
    kind: FenceKind,
    epoch: i64,
) -> Result<bool, DbError> {
    let sql = conn.sql(
        "UPDATE {zdm}fence SET status = 'final', since = {now} \
         WHERE migration = ? AND kind = ? AND epoch = ? AND status = 'provisional'",
    );
    let values = [id.as_str().into(), kind.as_str().into(), epoch.into()];
    Ok(conn.execute(&sql, &values).await? > 0)
}

/// Deletes a fence of this epoch. `false`: there is none. The gate's row must be locked.
pub(crate) async fn delete_fence(
    conn: &mut Connection,
    id: &MigrationId,
    kind: FenceKind,
    epoch: i64,
) -> Result<bool, DbError> {
    let sql = conn.sql("DELETE FROM {zdm}fence WHERE migration = ? AND kind = ? AND epoch = ?");
    let values = [id.as_str().into(), kind.as_str().into(), epoch.into()];
    Ok(conn.execute(&sql, &values).await? > 0)
}

fn read(row: &Row) -> Result<Fence, DbError> {
    let (kind, status) = (row.text(1)?, row.text(3)?);
    let names = |list: String| list.split(',').map(|name| name.trim().to_owned()).collect();
    Ok(Fence {
        migration: migration_id(&row.text(0)?)?,
        kind: FenceKind::parse(&kind).ok_or_else(|| unknown_word("kind of fence", &kind))?,
        services: row.opt_text(2)?.map(names),
        status: FenceStatus::parse(&status).ok_or_else(|| unknown_word("status", &status))?,
        epoch: row.int(4)?,
        run_token: row.text(5)?,
        since: row.int(6)?,
        knocked_by: row.opt_text(7)?,
    })
}
