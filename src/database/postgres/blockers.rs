//! Who holds or waits for what, by `pg_locks` and `pg_stat_activity`.

use std::time::Duration;

use crate::database::blockers::{Blocker, BlockerKind};
use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::database::session::Row;
use crate::model::name::TableName;
use crate::model::server::Engine;
use crate::sql::quote;

/// What is told of a session `a` or a prepared transaction `p`, in the order of [`read`].
const TOLD: &str = "a.pid, coalesce(a.usename, p.owner)::text, a.application_name, \
    coalesce(a.client_hostname, a.client_addr::text), \
    (extract(epoch FROM clock_timestamp() - coalesce(p.prepared, a.xact_start)) * 1000)::bigint, \
    a.state, a.query, a.backend_type, p.gid";

/// Everyone but this connection with a granted lock on one of the tables: a strong lock waits for each of them.
pub(crate) async fn holders(
    conn: &mut Connection,
    tables: &[TableName],
) -> Result<Vec<Blocker>, DbError> {
    let mut oids = Vec::new();
    for table in tables {
        let name = quote::table(Engine::Postgres, table);
        let row = conn.query_one("SELECT to_regclass(?)::oid", &[name.into()]).await?;
        oids.extend(row.opt_int(0)?.map(|oid| oid.to_string()));
    }
    if oids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT {TOLD}, string_agg(DISTINCT c.relname, ', ' ORDER BY c.relname) \
         FROM pg_locks l JOIN pg_class c ON c.oid = l.relation \
         LEFT JOIN pg_stat_activity a ON a.pid = l.pid \
         LEFT JOIN pg_locks own ON l.pid IS NULL AND own.pid IS NULL AND own.locktype = 'transactionid' \
           AND own.virtualtransaction = l.virtualtransaction \
         LEFT JOIN pg_prepared_xacts p ON p.transaction = own.transactionid \
         WHERE l.locktype = 'relation' AND l.granted AND l.relation IN ({}) \
           AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
           AND l.pid IS DISTINCT FROM pg_backend_pid() \
         GROUP BY a.pid, a.usename, p.owner, a.application_name, a.client_hostname, a.client_addr, p.prepared, \
           a.xact_start, a.state, a.query, a.backend_type, p.gid \
         ORDER BY coalesce(p.prepared, a.xact_start) NULLS FIRST",
        oids.join(", ")
    );
    conn.query(&sql, &[]).await?.iter().map(read).collect()
}

/// Whom the server itself says that the backend waits for.
pub(crate) async fn blocking(conn: &mut Connection, backend: i64) -> Result<Vec<Blocker>, DbError> {
    // A prepared transaction shows as pid 0; which one it is, its locks tell.
    let sql = format!(
        "SELECT {TOLD}, NULL::text FROM (SELECT DISTINCT unnest(pg_blocking_pids(?::int)) AS pid) b \
         LEFT JOIN pg_stat_activity a ON a.pid = b.pid \
         LEFT JOIN pg_prepared_xacts p ON b.pid = 0 AND p.transaction IN ( \
           SELECT own.transactionid FROM pg_locks own JOIN pg_locks held ON own.pid IS NULL \
             AND own.locktype = 'transactionid' AND own.virtualtransaction = held.virtualtransaction \
           JOIN pg_locks wanted ON wanted.pid = ?::int AND NOT wanted.granted AND held.granted AND held.pid IS NULL \
             AND held.locktype = wanted.locktype AND held.relation IS NOT DISTINCT FROM wanted.relation \
             AND held.transactionid IS NOT DISTINCT FROM wanted.transactionid)"
    );
    conn.query(&sql, &[backend.into(), backend.into()]).await?.iter().map(read).collect()
}

/// Sessions of other roles hide their age and statement from a role without `pg_read_all_stats`.
pub(crate) async fn blind_spots(conn: &mut Connection) -> Result<Vec<String>, DbError> {
    let sql = "SELECT pg_has_role('pg_read_all_stats', 'USAGE')";
    if conn.query_one(sql, &[]).await?.bool(0)? {
        return Ok(Vec::new());
    }
    let text = "The age and the statements of other roles' sessions cannot be seen: GRANT pg_read_all_stats to the role.";
    Ok(vec![text.to_owned()])
}

fn read(row: &Row) -> Result<Blocker, DbError> {
    let query = row.opt_text(6)?;
    let kind = match (row.opt_text(8)?, row.opt_text(7)?.as_deref()) {
        (Some(name), _) => BlockerKind::Prepared(name),
        (None, Some("autovacuum worker")) => {
            // The words are the server's own, in no language but this.
            let urgent =
                query.as_ref().is_some_and(|query| query.contains("(to prevent wraparound)"));
            if urgent {
                BlockerKind::AutovacuumToPreventWraparound
            } else {
                BlockerKind::Autovacuum
            }
        }
        (None, _) => BlockerKind::Session,
    };
    let age = row.opt_int(4)?.map(|age| Duration::from_millis(age.try_into().unwrap_or(0)));
    Ok(Blocker {
        kind,
        backend: row.opt_int(0)?,
        user: row.opt_text(1)?,
        application: row.opt_text(2)?,
        host: row.opt_text(3)?,
        age,
        state: row.opt_text(5)?,
        query,
        tables: row.opt_text(9)?.into_iter().collect(),
    })
}
