//! Rows that a backfill could not fill: left out by name, so that the rest can go on.

use super::checkpoints::{read_key, write_key};
use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::database::session::Row;
use crate::model::name::MigrationId;

/// A row that could not be filled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Parked {
    /// Its number.
    pub(crate) id: i64,
    /// Of which migration.
    pub(crate) migration: String,
    /// Of which step.
    pub(crate) step: String,
    /// Its key.
    pub(crate) key: Vec<String>,
    /// What the database said.
    pub(crate) error: String,
}

/// Leaves a row out.
pub(crate) async fn park(
    conn: &mut Connection,
    (id, step): (&MigrationId, &str),
    key: &[String],
    error: &str,
) -> Result<(), DbError> {
    let sql = conn.sql(
        "INSERT INTO {zdm}parked (migration, step, row_key, error, since) VALUES (?, ?, ?, ?, {now})",
    );
    let values = [id.as_str().into(), step.into(), write_key(key)?.into(), error.into()];
    conn.execute(&sql, &values).await?;
    Ok(())
}

/// Every row that is left out, the first of each step first.
pub(crate) async fn parked(conn: &mut Connection) -> Result<Vec<Parked>, DbError> {
    let sql = conn.sql(
        "SELECT id, migration, step, row_key, error FROM {zdm}parked ORDER BY migration, step, id",
    );
    conn.query(&sql, &[]).await?.iter().map(read).collect()
}

/// The rows of a step that are left out.
pub(crate) async fn parked_in(
    conn: &mut Connection,
    (id, step): (&MigrationId, &str),
) -> Result<Vec<Parked>, DbError> {
    let sql = conn.sql(
        "SELECT id, migration, step, row_key, error FROM {zdm}parked WHERE migration = ? AND step = ? ORDER BY id",
    );
    conn.query(&sql, &[id.as_str().into(), step.into()]).await?.iter().map(read).collect()
}

/// A row is filled, or needs it no longer.
pub(crate) async fn unpark(conn: &mut Connection, parked: i64) -> Result<(), DbError> {
    let sql = conn.sql("DELETE FROM {zdm}parked WHERE id = ?");
    conn.execute(&sql, &[parked.into()]).await?;
    Ok(())
}

/// What the database says of a row now.
pub(crate) async fn park_again(
    conn: &mut Connection,
    parked: i64,
    error: &str,
) -> Result<(), DbError> {
    let sql = conn.sql("UPDATE {zdm}parked SET error = ? WHERE id = ?");
    conn.execute(&sql, &[error.into(), parked.into()]).await?;
    Ok(())
}

fn read(row: &Row) -> Result<Parked, DbError> {
    Ok(Parked {
        id: row.int(0)?,
        migration: row.text(1)?,
        step: row.text(2)?,
        key: read_key(&row.text(3)?)?,
        error: row.text(4)?,
    })
}
