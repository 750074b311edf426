//! Accounts that have lost their login to a hard fence. They get it back when the fence is gone.

use super::fences::fences;
use super::{migration_id, unknown_word};
use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::database::session::{Row, Value};
use crate::model::fence::{Fence, FenceKind};
use crate::model::name::MigrationId;

/// An account that has lost its login, or is about to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct TakenLogin {
    /// The role.
    pub(crate) role: String,
    /// The host of the account (MySQL, MariaDB); else empty.
    pub(crate) host: String,
    /// By whose gate.
    pub(crate) migration: MigrationId,
    /// By which of its gates.
    pub(crate) kind: FenceKind,
}

impl TakenLogin {
    fn is_of(&self, fence: &Fence) -> bool {
        fence.migration == self.migration && fence.kind == self.kind
    }
}

/// Every one of them.
pub(crate) async fn taken_logins(conn: &mut Connection) -> Result<Vec<TakenLogin>, DbError> {
    let sql = "SELECT role, host, migration, kind FROM {zdm}taken_login ORDER BY 1, 2, 3, 4";
    let sql = conn.sql(sql);
    conn.query(&sql, &[]).await?.iter().map(read).collect()
}

/// Writes down that an account is about to lose its login; harmless when it is written already.
pub(crate) async fn insert_taken_login(
    conn: &mut Connection,
    taken: &TakenLogin,
) -> Result<(), DbError> {
    delete_taken_login(conn, taken).await?;
    let sql = "INSERT INTO {zdm}taken_login (role, host, migration, kind) VALUES (?, ?, ?, ?)";
    let sql = conn.sql(sql);
    conn.execute(&sql, &values(taken)).await?;
    Ok(())
}

/// Forgets it.
pub(crate) async fn delete_taken_login(
    conn: &mut Connection,
    taken: &TakenLogin,
) -> Result<(), DbError> {
    let sql =
        "DELETE FROM {zdm}taken_login WHERE role = ? AND host = ? AND migration = ? AND kind = ?";
    let sql = conn.sql(sql);
    conn.execute(&sql, &values(taken)).await?;
    Ok(())
}

/// Those whose fence is gone, and those that another fence keeps.
pub(crate) async fn without_and_with_fence(
    conn: &mut Connection,
) -> Result<(Vec<TakenLogin>, Vec<TakenLogin>), DbError> {
    let taken = taken_logins(conn).await?;
    if taken.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let fences = fences(conn).await?;
    Ok(taken.into_iter().partition(|one| !fences.iter().any(|fence| one.is_of(fence))))
}

fn read(row: &Row) -> Result<TakenLogin, DbError> {
    let kind = row.text(3)?;
    Ok(TakenLogin {
        role: row.text(0)?,
        host: row.text(1)?,
        migration: migration_id(&row.text(2)?)?,
        kind: FenceKind::parse(&kind).ok_or_else(|| unknown_word("kind of fence", &kind))?,
    })
}

fn values(taken: &TakenLogin) -> [Value; 4] {
    [
        taken.role.as_str().into(),
        taken.host.as_str().into(),
        taken.migration.as_str().into(),
        taken.kind.as_str().into(),
    ]
}
