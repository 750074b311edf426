//! Who holds or waits for what on MySQL and MariaDB: by the performance schema where it watches metadata locks, by
//! MariaDB's plugin `metadata_lock_info` where that is installed, else by guess from open transactions.

use std::time::Duration;

use crate::database::blockers::{Blocker, BlockerKind};
use crate::database::connection::Connection;
use crate::database::error::{DbError, DbErrorKind};
use crate::database::session::Row;
use crate::model::name::TableName;
use crate::model::server::Engine;

/// InnoDB tells the start of a transaction in the server's own time zone and in whole seconds.
const AGE: &str =
    "TIMESTAMPDIFF(SECOND, x.trx_started, CONVERT_TZ(UTC_TIMESTAMP(), '+00:00', 'SYSTEM')) * 1000";

/// InnoDB makes its view of transactions and row locks anew only when nobody has read it for 100 ms: whoever looks more
/// often looks at the past for ever.
const VIEW: Duration = Duration::from_millis(120);

/// Waits until the view can be a new one, as far as this connection's own looks are concerned.
async fn let_the_view_change(conn: &mut Connection) {
    if let Some(rest) = conn.looked.and_then(|looked| VIEW.checked_sub(looked.elapsed())) {
        tokio::time::sleep(rest).await;
    }
    conn.looked = Some(std::time::Instant::now());
}

/// Through what the server lets us see who holds which table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Sight {
    /// `performance_schema.metadata_locks`.
    PerformanceSchema,
    /// MariaDB's `information_schema.METADATA_LOCK_INFO`.
    Plugin,
    /// Transactions, not what they hold.
    Transactions,
    /// Not even those: the role lacks PROCESS.
    Nothing,
}

async fn sight(conn: &mut Connection) -> Result<Sight, DbError> {
    let watched = "SELECT count(*) FROM performance_schema.setup_instruments \
                   WHERE NAME = 'wait/lock/metadata/sql/mdl' AND ENABLED = 'YES' AND @@performance_schema = 1";
    if count(conn, watched).await? > 0 {
        return Ok(Sight::PerformanceSchema);
    }
    let plugin = "SELECT count(*) FROM information_schema.PLUGINS \
                  WHERE PLUGIN_NAME = 'METADATA_LOCK_INFO' AND PLUGIN_STATUS = 'ACTIVE'";
    if conn.engine() == Engine::MariaDb && count(conn, plugin).await? > 0 {
        return Ok(Sight::Plugin);
    }
    match conn.query("SELECT count(*) FROM information_schema.INNODB_TRX", &[]).await {
        Ok(_) => Ok(Sight::Transactions),
        Err(error) if error.kind == DbErrorKind::Permission => Ok(Sight::Nothing),
        Err(error) => Err(error),
    }
}

/// A count; 0 when the role may not ask, or there is no such table.
async fn count(conn: &mut Connection, sql: &str) -> Result<i64, DbError> {
    match conn.query_one(sql, &[]).await {
        Ok(row) => row.int(0),
        Err(error) if matches!(error.kind, DbErrorKind::Permission | DbErrorKind::Undefined) => {
            Ok(0)
        }
        Err(error) => Err(error),
    }
}

/// Everyone but this connection who holds a metadata lock on one of the tables, or may hold one.
pub(crate) async fn holders(
    conn: &mut Connection,
    tables: &[TableName],
) -> Result<Vec<Blocker>, DbError> {
    let_the_view_change(conn).await;
    let names: Vec<_> = tables.iter().map(|table| table.name.as_str().into()).collect();
    let marks = vec!["?"; names.len()].join(", ");
    let (sql, kind, names) = match sight(conn).await? {
        Sight::PerformanceSchema => {
            let locks = format!(
                "SELECT t.PROCESSLIST_ID AS id, m.OBJECT_NAME AS name FROM performance_schema.metadata_locks m \
                 JOIN performance_schema.threads t ON t.THREAD_ID = m.OWNER_THREAD_ID \
                 WHERE m.OBJECT_TYPE = 'TABLE' AND m.LOCK_STATUS = 'GRANTED' \
                   AND m.OBJECT_SCHEMA = DATABASE() AND m.OBJECT_NAME IN ({marks})"
            );
            (sessions_of(conn, &locks), BlockerKind::Session, names)
        }
        Sight::Plugin => {
            // The plugin tells waiting locks of nobody: all that it shows are held.
            let locks = format!(
                "SELECT THREAD_ID AS id, TABLE_NAME AS name FROM information_schema.METADATA_LOCK_INFO \
                 WHERE LOCK_TYPE = 'Table metadata lock' AND TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN ({marks})"
            );
            (sessions_of(conn, &locks), BlockerKind::Session, names)
        }
        Sight::Transactions => (transactions(conn), BlockerKind::Possible, Vec::new()),
        Sight::Nothing => return Ok(Vec::new()),
    };
    let rows = conn.query(&sql, &names).await?;
    rows.iter().map(|row| read(row, kind.clone())).collect()
}

/// Whom the backend waits for: by InnoDB for row locks; for metadata locks, whoever holds what it wants.
pub(crate) async fn blocking(conn: &mut Connection, backend: i64) -> Result<Vec<Blocker>, DbError> {
    let_the_view_change(conn).await;
    let rows = if conn.engine() == Engine::MariaDb {
        "SELECT b.trx_mysql_thread_id AS id, NULL AS name FROM information_schema.INNODB_LOCK_WAITS w \
         JOIN information_schema.INNODB_TRX r ON r.trx_id = w.requesting_trx_id AND r.trx_mysql_thread_id = ? \
         JOIN information_schema.INNODB_TRX b ON b.trx_id = w.blocking_trx_id"
    } else {
        "SELECT bt.PROCESSLIST_ID AS id, NULL AS name FROM performance_schema.data_lock_waits w \
         JOIN performance_schema.threads rt ON rt.THREAD_ID = w.REQUESTING_THREAD_ID AND rt.PROCESSLIST_ID = ? \
         JOIN performance_schema.threads bt ON bt.THREAD_ID = w.BLOCKING_THREAD_ID"
    };
    let sql = sessions_of(conn, rows);
    let found = tolerate(conn.query(&sql, &[backend.into()]).await)?;
    if !found.is_empty() {
        return found.iter().map(|row| read(row, BlockerKind::Session)).collect();
    }
    let waits = "SELECT count(*) FROM information_schema.PROCESSLIST WHERE ID = ? AND STATE LIKE 'Waiting for % lock'";
    if !conn.query_one(waits, &[backend.into()]).await?.bool(0)? {
        return Ok(Vec::new());
    }
    let (sql, kind) = match sight(conn).await? {
        Sight::PerformanceSchema => {
            let locks = "SELECT ht.PROCESSLIST_ID AS id, h.OBJECT_NAME AS name \
                 FROM performance_schema.metadata_locks w \
                 JOIN performance_schema.threads wt ON wt.THREAD_ID = w.OWNER_THREAD_ID AND wt.PROCESSLIST_ID = ? \
                 JOIN performance_schema.metadata_locks h ON h.LOCK_STATUS = 'GRANTED' \
                   AND h.OBJECT_TYPE = w.OBJECT_TYPE AND h.OBJECT_SCHEMA <=> w.OBJECT_SCHEMA \
                   AND h.OBJECT_NAME <=> w.OBJECT_NAME AND h.OWNER_THREAD_ID <> w.OWNER_THREAD_ID \
                 JOIN performance_schema.threads ht ON ht.THREAD_ID = h.OWNER_THREAD_ID \
                 WHERE w.LOCK_STATUS = 'PENDING'";
            (sessions_of(conn, locks), BlockerKind::Session)
        }
        Sight::Plugin | Sight::Transactions => {
            (format!("{} AND p.ID <> ?", transactions(conn)), BlockerKind::Possible)
        }
        Sight::Nothing => return Ok(Vec::new()),
    };
    let rows = conn.query(&sql, &[backend.into()]).await?;
    rows.iter().map(|row| read(row, kind.clone())).collect()
}

/// What the server does not tell this connection.
pub(crate) async fn blind_spots(conn: &mut Connection) -> Result<Vec<String>, DbError> {
    let text = match sight(conn).await? {
        Sight::PerformanceSchema | Sight::Plugin => return Ok(Vec::new()),
        Sight::Transactions if conn.engine() == Engine::MariaDb => {
            "Which session holds which table cannot be seen, only which transactions are open: \
             INSTALL SONAME 'metadata_lock_info' shows it."
        }
        Sight::Transactions => {
            "Which session holds which table cannot be seen, only which transactions are open: it takes SELECT on \
             performance_schema, and its instrument wait/lock/metadata/sql/mdl enabled."
        }
        Sight::Nothing => {
            "Other users' transactions and locks cannot be seen: GRANT PROCESS to the user."
        }
    };
    Ok(vec![text.to_owned()])
}

/// The sessions of a list of `id` and `name`, in the order of [`read`].
fn sessions_of(conn: &Connection, locks: &str) -> String {
    let (application, attributes) = application(conn);
    format!(
        "SELECT p.ID, p.USER, {application}, p.HOST, {AGE}, p.COMMAND, p.STATE, p.INFO, \
           GROUP_CONCAT(DISTINCT l.name ORDER BY l.name SEPARATOR ', '), p.TIME * 1000 \
         FROM ({locks}) l JOIN information_schema.PROCESSLIST p ON p.ID = l.id \
         LEFT JOIN information_schema.INNODB_TRX x ON x.trx_mysql_thread_id = p.ID {attributes} \
         WHERE p.ID <> CONNECTION_ID() \
         GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 10"
    )
}

/// Everyone in this database with an open transaction.
fn transactions(conn: &Connection) -> String {
    let (application, attributes) = application(conn);
    format!(
        "SELECT p.ID, p.USER, {application}, p.HOST, {AGE}, p.COMMAND, p.STATE, p.INFO, NULL, p.TIME * 1000 \
         FROM information_schema.INNODB_TRX x JOIN information_schema.PROCESSLIST p ON p.ID = x.trx_mysql_thread_id \
         {attributes} WHERE p.ID <> CONNECTION_ID() AND p.DB = DATABASE()"
    )
}

/// MariaDB shows connection attributes in its performance schema alone, which is off by default there.
fn application(conn: &Connection) -> (&'static str, &'static str) {
    if conn.engine() == Engine::MariaDb {
        return ("NULL", "");
    }
    let attributes = "LEFT JOIN performance_schema.session_connect_attrs n \
                      ON n.PROCESSLIST_ID = p.ID AND n.ATTR_NAME = 'program_name'";
    ("n.ATTR_VALUE", attributes)
}

/// No rows where the role may not look.
fn tolerate(answer: Result<Vec<Row>, DbError>) -> Result<Vec<Row>, DbError> {
    match answer {
        Err(error) if matches!(error.kind, DbErrorKind::Permission | DbErrorKind::Undefined) => {
            Ok(Vec::new())
        }
        answer => answer,
    }
}

fn read(row: &Row, kind: BlockerKind) -> Result<Blocker, DbError> {
    let sleeps = row.opt_text(5)?.as_deref() == Some("Sleep");
    // Without a transaction of InnoDB's (LOCK TABLES), a lock is at least as old as the session has been as it is.
    let age = row.opt_int(4)?.or(row.opt_int(9)?);
    let state = if sleeps { Some("idle in transaction".to_owned()) } else { row.opt_text(6)? };
    Ok(Blocker {
        kind,
        backend: row.opt_int(0)?,
        user: row.opt_text(1)?,
        application: row.opt_text(2)?,
        host: row.opt_text(3)?,
        age: age.map(|age| Duration::from_millis(age.try_into().unwrap_or(0))),
        state,
        query: row.opt_text(7)?,
        tables: row.opt_text(8)?.into_iter().collect(),
    })
}
