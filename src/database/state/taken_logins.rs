//! Roles that have lost their login to a hard fence. They get it back when the fence is gone.

use super::fences::fences;
use super::migration_id;
use super::unknown_word;
use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::model::fence::FenceKind;
use crate::model::name::MigrationId;

/// A role that has lost its login, or is about to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct TakenLogin {
    /// The role.
    pub(crate) role: String,
    /// By whose gate.
    pub(crate) migration: MigrationId,
    /// By which of its gates.
    pub(crate) kind: FenceKind,
}

/// Every one of them.
pub(crate) async fn taken_logins(conn: &mut Connection) -> Result<Vec<TakenLogin>, DbError> {
    let sql = conn.sql("SELECT role, migration, kind FROM {zdm}taken_login ORDER BY 1, 2, 3");
    let rows = conn.query(&sql, &[]).await?;
    let read = |row: &crate::database::session::Row| {
        let kind = row.text(2)?;
        Ok(TakenLogin {
            role: row.text(0)?,
            migration: migration_id(&row.text(1)?)?,
            kind: FenceKind::parse(&kind).ok_or_else(|| unknown_word("kind of fence", &kind))?,
        })
    };
    rows.iter().map(read).collect()
}

/// Writes down that a role is about to lose its login; harmless when it is written already.
pub(crate) async fn insert_taken_login(
    conn: &mut Connection,
    taken: &TakenLogin,
) -> Result<(), DbError> {
    delete_taken_login(conn, taken).await?;
    let sql = conn.sql("INSERT INTO {zdm}taken_login (role, migration, kind) VALUES (?, ?, ?)");
    conn.execute(&sql, &values(taken)).await?;
    Ok(())
}

/// Forgets it.
pub(crate) async fn delete_taken_login(
    conn: &mut Connection,
    taken: &TakenLogin,
) -> Result<(), DbError> {
    let sql =
        conn.sql("DELETE FROM {zdm}taken_login WHERE role = ? AND migration = ? AND kind = ?");
    conn.execute(&sql, &values(taken)).await?;
    Ok(())
}

/// Those whose fence is gone.
pub(crate) async fn without_fence(conn: &mut Connection) -> Result<Vec<TakenLogin>, DbError> {
    let mut taken = taken_logins(conn).await?;
    if taken.is_empty() {
        return Ok(taken);
    }
    let fences = fences(conn).await?;
    taken.retain(|one| {
        !fences.iter().any(|fence| fence.migration == one.migration && fence.kind == one.kind)
    });
    Ok(taken)
}

fn values(taken: &TakenLogin) -> [crate::database::session::Value; 3] {
    [taken.role.as_str().into(), taken.migration.as_str().into(), taken.kind.as_str().into()]
}
