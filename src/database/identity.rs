//! Which database this is: what a restored or cloned copy does not share.

use super::connection::Connection;
use super::error::{DbError, DbErrorKind};
use crate::model::server::Engine;

/// Which database this is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ServerIdentity {
    /// PostgreSQL: the cluster's system identifier, which a standby shares. MySQL: the server's UUID. MariaDB: its host
    /// and port, as it stores no identifier of its own.
    pub(crate) system_id: String,
    /// The database's name.
    pub(crate) database: String,
}

impl Connection {
    /// Asks the server.
    pub(crate) async fn identity(&mut self) -> Result<ServerIdentity, DbError> {
        let (system, name) = match self.engine() {
            Engine::Postgres => (
                "SELECT system_identifier::text FROM pg_control_system()",
                "SELECT current_database()",
            ),
            Engine::MySql => ("SELECT @@GLOBAL.server_uuid", "SELECT DATABASE()"),
            // Its server_uid is made from the network card, which changes with each start of a container.
            Engine::MariaDb => {
                ("SELECT CONCAT(@@GLOBAL.hostname, ':', @@GLOBAL.port)", "SELECT DATABASE()")
            }
        };
        let database = self.query_one(name, &[]).await?.opt_text(0)?.ok_or_else(no_database)?;
        let system_id = match self.query_one(system, &[]).await {
            Ok(row) => row.text(0)?,
            Err(error) if error.kind == DbErrorKind::Lost => return Err(error),
            // A hosted PostgreSQL that hides the function.
            Err(_) if self.engine() == Engine::Postgres => {
                let own = "SELECT 'database ' || oid::text FROM pg_database WHERE datname = current_database()";
                self.query_one(own, &[]).await?.text(0)?
            }
            Err(error) => return Err(error),
        };
        Ok(ServerIdentity { system_id, database })
    }

    /// PostgreSQL: the timeline that the server writes, the first eight digits of its WAL files' names. A promoted standby
    /// begins a new one. None: a standby, or a hosted server that hides its WAL.
    pub(crate) async fn timeline(&mut self) -> Result<Option<String>, DbError> {
        if self.engine() != Engine::Postgres {
            return Ok(None);
        }
        let sql = "SELECT CASE WHEN NOT pg_catalog.pg_is_in_recovery() \
                   THEN left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 8) END";
        match self.query_one(sql, &[]).await {
            Ok(row) => row.opt_text(0),
            Err(error) if matches!(error.kind, DbErrorKind::Lost | DbErrorKind::Unreachable) => {
                Err(error)
            }
            Err(error) => {
                tracing::debug!(%error, "the server does not say its timeline");
                Ok(None)
            }
        }
    }
}

fn no_database() -> DbError {
    let mut error = DbError::new(DbErrorKind::InvalidUrl, "the database URL names no database");
    error.hint = Some("Put its name at the end: mysql://user@host:3306/name.".to_owned());
    error
}
