//! The session lock of a lease: it lives as long as the instance's connection, and needs no clock.

use crate::database::connection::Connection;
use crate::database::error::DbError;

/// What an instance holds is its lease's number times this, and a random mark.
const MARKS: i64 = 1 << 20;
/// The first key of PostgreSQL's locks; 8021101 are those of runs.
const NAMESPACE: i32 = 8_021_102;

impl Connection {
    /// Takes the lock of a lease, as `join_v1` named it, and lets the server notice within minutes when the network has
    /// lost the connection.
    pub(crate) async fn hold_lease(&mut self, lease: i64) -> Result<(), DbError> {
        let lease = lease / MARKS;
        if self.engine().is_mysql_family() {
            // A connection that is renewed four times a lease is never silent for so long.
            self.run("SET SESSION wait_timeout = 600").await?;
            let sql =
                "SELECT GET_LOCK(CONCAT('zdm.lease.', ?, '.', LEFT(SHA2(DATABASE(), 256), 32)), 0)";
            return self.query(sql, &[lease.into()]).await.map(drop);
        }
        let sql = format!(
            "SELECT pg_catalog.pg_try_advisory_lock_shared({NAMESPACE}, {})::int, \
             set_config('tcp_keepalives_idle', '30', false), set_config('tcp_keepalives_interval', '10', false), \
             set_config('tcp_keepalives_count', '3', false)",
            key(lease)
        );
        self.query(&sql, &[]).await.map(drop)
    }

    /// The leases whose lock is held.
    #[cfg(feature = "engine")]
    pub(crate) async fn connected_leases(
        &mut self,
    ) -> Result<std::collections::BTreeSet<i64>, DbError> {
        let sql = if self.engine().is_mysql_family() {
            "SELECT id FROM {zdm}lease WHERE left_at IS NULL \
             AND IS_USED_LOCK(CONCAT('zdm.lease.', id, '.', LEFT(SHA2(DATABASE(), 256), 32))) IS NOT NULL"
                .to_owned()
        } else {
            format!(
                "SELECT s.id FROM {{zdm}}lease s JOIN pg_catalog.pg_locks l ON l.locktype = 'advisory' AND l.granted \
                 AND l.classid::bigint = {NAMESPACE} AND l.objsubid = 2 AND l.objid::bigint = s.id % {} \
                 AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()) \
                 WHERE s.left_at IS NULL",
                i32::MAX
            )
        };
        let sql = self.sql(&sql);
        self.query(&sql, &[]).await?.iter().map(|row| row.int(0)).collect()
    }
}

fn key(lease: i64) -> i64 {
    lease % i64::from(i32::MAX)
}
