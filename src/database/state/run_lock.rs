//! The run lock: one row with a token, its owner, and when it ends. One run at a time.
//!
//! A process that stopped for longer than the lock lives finds its token gone at its next writing transaction.

use std::fmt;
use std::time::Duration;

use super::{for_share, later, unexpected};
use crate::database::connection::Connection;
use crate::database::error::{DbError, DbErrorKind};

/// The right to write to the state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct RunToken(pub(crate) String);

/// The code of the error of a run whose lock was taken over.
pub(crate) const LOST: &str = "run-lock-lost";

/// The run that has the lock. Times are milliseconds since 1970 on the database's clock.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct RunOwner {
    /// Its token.
    pub(crate) token: RunToken,
    /// Who started it.
    pub(crate) owner: String,
    /// Where.
    pub(crate) host: String,
    /// With which command.
    pub(crate) command: String,
    /// When.
    pub(crate) since: i64,
    /// How long ago that was, in milliseconds.
    pub(crate) age_ms: i64,
    /// Whether the lock has ended without having been released: the run died, or has stopped.
    pub(crate) expired: bool,
}

impl fmt::Display for RunOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { owner, host, command, age_ms, .. } = self;
        write!(f, "\"{command}\" of {owner} on {host}, for {} s", age_ms / 1000)
    }
}

/// Why the lock could not be had.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum AcquireError {
    /// Another run has it.
    #[error("another run has the lock: {0}")]
    Busy(RunOwner),
    /// The database said no.
    #[error("{0}")]
    Database(#[from] DbError),
}

/// Takes the lock for `ttl`, if nobody has it or its owner let it end.
pub(crate) async fn acquire_run(
    conn: &mut Connection,
    owner: &str,
    host: &str,
    command: &str,
    ttl: Duration,
) -> Result<RunToken, AcquireError> {
    let token = uuid::Uuid::new_v4().to_string();
    let sql = conn.sql(&format!(
        "UPDATE {{zdm}}run SET token = ?, owner = ?, host = ?, command = ?, since = {{now}}, expires_at = {} \
         WHERE id = 1 AND (token IS NULL OR expires_at <= {{now}})",
        later(conn.engine(), ttl)
    ));
    // Two tries: whoever had it may have released it between the two statements.
    for _ in 0..2 {
        let values = [token.as_str().into(), owner.into(), host.into(), command.into()];
        match conn.execute(&sql, &values).await {
            Ok(1) => return Ok(RunToken(token)),
            // Somebody holds the row: a transaction of the run that has the lock.
            Ok(_) => {}
            Err(error) if error.kind == DbErrorKind::LockTimeout => {}
            Err(error) => return Err(error.into()),
        }
        if let Some(owner) = run_owner(conn).await? {
            return Err(AcquireError::Busy(owner));
        }
    }
    Err(unexpected("the run lock could not be had, and nobody has it").into())
}

/// Lets the lock live for another `ttl`. An error when it was lost.
pub(crate) async fn renew_run(
    conn: &mut Connection,
    token: &RunToken,
    ttl: Duration,
) -> Result<(), DbError> {
    let sql = conn.sql(&format!(
        "UPDATE {{zdm}}run SET expires_at = {} WHERE id = 1 AND token = ?",
        later(conn.engine(), ttl)
    ));
    match conn.execute(&sql, &[token.0.as_str().into()]).await? {
        1 => Ok(()),
        _ => Err(lost()),
    }
}

/// Gives the lock back. Nothing happens when it was lost.
pub(crate) async fn release_run(conn: &mut Connection, token: &RunToken) -> Result<(), DbError> {
    let sql = conn.sql(
        "UPDATE {zdm}run SET token = NULL, owner = NULL, host = NULL, command = NULL, since = NULL, \
         expires_at = NULL WHERE id = 1 AND token = ?",
    );
    conn.execute(&sql, &[token.0.as_str().into()]).await?;
    Ok(())
}

/// Inside a transaction that writes: an error when the lock was lost, and from here to the end of the transaction
/// nobody can take it.
///
/// An expired lock that nobody has taken is still ours. Renewals by another connection wait for the transaction.
pub(crate) async fn check_run(conn: &mut Connection, token: &RunToken) -> Result<(), DbError> {
    let share = for_share(conn.engine());
    let sql = conn.sql(&format!("SELECT token FROM {{zdm}}run WHERE id = 1 {share}"));
    let rows = conn.query(&sql, &[]).await?;
    let held = match rows.first() {
        Some(row) => row.opt_text(0)?,
        None => None,
    };
    if held.as_deref() == Some(token.0.as_str()) { Ok(()) } else { Err(lost()) }
}

/// Who has the lock, when somebody does (it may have expired).
pub(crate) async fn run_owner(conn: &mut Connection) -> Result<Option<RunOwner>, DbError> {
    let sql = conn.sql(
        "SELECT token, owner, host, command, {ms:since}, {ms:clock.moment} - {ms:since}, \
         CASE WHEN expires_at <= clock.moment THEN 1 ELSE 0 END \
         FROM {zdm}run, (SELECT {now} AS moment) clock WHERE id = 1 AND token IS NOT NULL",
    );
    let rows = conn.query(&sql, &[]).await?;
    let owner = |row: &crate::database::session::Row| -> Result<RunOwner, DbError> {
        Ok(RunOwner {
            token: RunToken(row.text(0)?),
            owner: row.text(1)?,
            host: row.text(2)?,
            command: row.text(3)?,
            since: row.int(4)?,
            age_ms: row.int(5)?,
            expired: row.bool(6)?,
        })
    };
    rows.first().map(owner).transpose()
}

/// Another run took the lock over.
fn lost() -> DbError {
    let mut error = DbError::new(
        DbErrorKind::Other,
        "this run has lost its lock: another run took over after it had ended",
    );
    error.code = Some(LOST.to_owned());
    error.hint =
        Some("Nothing was written after that. Run the same command again to go on.".to_owned());
    error
}
