//! What a run wants to know about its connections and its server: is it alive, is it waiting, can it write.
//!
//! The run lock itself is a row (`state::run_lock`); a session lock is only the quick way to notice a death, and
//! decides nothing that a transaction relies on.

use super::connection::Connection;
use super::error::DbError;
use crate::model::name::TableName;
use crate::sql::quote;

/// What a session lock stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Presence {
    /// The connection that renews the run lock.
    Run,
    /// The connection that does a run's work. The server frees it only after the connection's last statement.
    Work,
}

impl Connection {
    /// Tries to take a session lock of this database, without waiting; held until the connection ends. Taking it
    /// twice is harmless.
    pub(crate) async fn try_presence(&mut self, presence: Presence) -> Result<bool, DbError> {
        let (number, name) = words(presence);
        // The first key is "zdm" in ASCII. Advisory locks are the database's own on PostgreSQL; GET_LOCK is the
        // server's on MySQL and MariaDB, and its names have at most 64 characters.
        let sql = if self.engine().is_mysql_family() {
            format!("SELECT GET_LOCK(CONCAT('zdm.{name}.', LEFT(SHA2(DATABASE(), 256), 32)), 0)")
        } else {
            format!("SELECT pg_catalog.pg_try_advisory_lock(8021101, {number})::int")
        };
        Ok(self.query_one(&sql, &[]).await?.opt_int(0)? == Some(1))
    }

    /// Gives a session lock back, once.
    pub(crate) async fn end_presence(&mut self, presence: Presence) -> Result<(), DbError> {
        let (number, name) = words(presence);
        let sql = if self.engine().is_mysql_family() {
            format!("SELECT RELEASE_LOCK(CONCAT('zdm.{name}.', LEFT(SHA2(DATABASE(), 256), 32)))")
        } else {
            format!("SELECT pg_catalog.pg_advisory_unlock(8021101, {number})::int")
        };
        self.query(&sql, &[]).await.map(drop)
    }

    /// Whether the connection that holds a session lock runs nothing: its process has stopped, or lost its way to the
    /// server. Also when nobody holds it by now.
    pub(crate) async fn presence_is_idle(&mut self, presence: Presence) -> Result<bool, DbError> {
        let (number, name) = words(presence);
        let sql = if self.engine().is_mysql_family() {
            format!(
                "SELECT count(*) FROM information_schema.PROCESSLIST WHERE COMMAND <> 'Sleep' AND ID = \
                 IS_USED_LOCK(CONCAT('zdm.{name}.', LEFT(SHA2(DATABASE(), 256), 32)))"
            )
        } else {
            format!(
                "SELECT count(*) FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid \
                 WHERE l.locktype = 'advisory' AND l.granted AND l.classid = 8021101 AND l.objid = {number} \
                 AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()) \
                 AND COALESCE(a.state, '') NOT LIKE 'idle%'"
            )
        };
        Ok(!self.query_one(&sql, &[]).await?.bool(0)?)
    }

    /// The server's number for this connection as it says it now: behind a pooler that changes with every
    /// transaction, and is not [`Connection::backend`]'s.
    pub(crate) async fn backend_now(&mut self) -> Result<i64, DbError> {
        let sql = if self.engine().is_mysql_family() {
            "SELECT CONNECTION_ID()"
        } else {
            "SELECT pg_catalog.pg_backend_pid()::bigint"
        };
        self.query_one(sql, &[]).await?.int(0)
    }

    /// Whether row security hides rows of a table from this connection's role (PostgreSQL). One that is not there hides
    /// nothing.
    pub(crate) async fn hides_rows(&mut self, table: &TableName) -> Result<bool, DbError> {
        if self.engine().is_mysql_family() {
            return Ok(false);
        }
        let sql = "SELECT COALESCE(pg_catalog.row_security_active(pg_catalog.to_regclass(?)::oid), false)::int";
        let name = quote::table(self.engine(), table);
        self.query_one(sql, &[name.into()]).await?.bool(0)
    }

    /// How many sessions wait for a lock that another one holds, or for one that it waits for itself. MySQL and MariaDB:
    /// how many wait for a row, whoever holds it; their tables of who waits for whom show the past to who looks often.
    pub(crate) async fn waiters_behind(&mut self, backend: i64) -> Result<u64, DbError> {
        let waiters = if self.engine().is_mysql_family() {
            let sql = "SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'";
            self.query_one(sql, &[]).await?.int(1)?
        } else {
            // Whom a session waits for is asked of those alone that wait: it is a look at all locks.
            let sql = "SELECT count(*) FROM (SELECT DISTINCT pid FROM pg_catalog.pg_locks WHERE NOT granted) waiting \
                       WHERE ?::bigint = ANY(pg_catalog.pg_blocking_pids(pid))";
            self.query_one(sql, &[backend.into()]).await?.int(0)?
        };
        Ok(waiters.unsigned_abs())
    }

    /// Whether another connection of MySQL or MariaDB waits for a lock on a table's definition, or on a whole table.
    pub(crate) async fn waits_for_table(&mut self, backend: i64) -> Result<bool, DbError> {
        let sql = "SELECT count(*) FROM information_schema.PROCESSLIST \
                   WHERE ID = ? AND STATE LIKE 'Waiting for % lock'";
        self.query_one(sql, &[backend.into()]).await?.bool(0)
    }
}

fn words(presence: Presence) -> (u8, &'static str) {
    match presence {
        Presence::Run => (1, "run"),
        Presence::Work => (2, "work"),
    }
}
