//! The calls. Each is one statement outside a transaction.

use std::collections::BTreeSet;

use super::outcome::{Joined, Renewed};
use crate::database::connection::Connection;
use crate::database::error::{DbError, DbErrorKind};
use crate::database::session::{Row, Value};
use crate::model::lease::{Ending, Need, Reached, list_needs, list_tolerates};
use crate::model::name::MigrationId;
use crate::model::server::Engine;

/// What an instance says of itself when it joins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Report {
    /// The service.
    pub(crate) service: String,
    /// The build's version, for people.
    pub(crate) version: String,
    /// The instance's name, for people.
    pub(crate) instance: String,
    /// The migrations whose contract it survives.
    pub(crate) tolerates: BTreeSet<MigrationId>,
    /// The migrations that it cannot run without.
    pub(crate) needs: Vec<Need>,
    /// How the lease ends.
    pub(crate) ending: Ending,
}

/// Why a call had no outcome.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum LeaseError {
    /// The functions are not in the database.
    #[error("zdm's state is not in this database: run zdm expand first")]
    NotInstalled,
    /// The role may not call them. MySQL and MariaDB say so, too, of what is not there at all.
    #[error(
        "the role may not call zdm's functions ({0}): name it under roles of the service in zdm.toml, and run zdm expand"
    )]
    NotAllowed(DbError),
    /// The database, or the way to it, said no.
    #[error("{0}")]
    Database(DbError),
    /// An answer that this zdm does not understand: it grants nothing.
    #[error("cannot understand the answer \"{0}\" of zdm's functions")]
    Answer(String),
}

impl From<DbError> for LeaseError {
    fn from(error: DbError) -> Self {
        match error.kind {
            DbErrorKind::Undefined => Self::NotInstalled,
            DbErrorKind::Permission => Self::NotAllowed(error),
            _ => Self::Database(error),
        }
    }
}

/// Asks for a lease.
pub(crate) async fn join(
    connection: &mut Connection,
    report: &Report,
) -> Result<Joined, LeaseError> {
    let parameters = [
        report.service.as_str().into(),
        report.version.as_str().into(),
        report.instance.as_str().into(),
        list_tolerates(&report.tolerates).into(),
        list_needs(&report.needs).into(),
        report.ending.as_str().into(),
    ];
    let sql = match connection.engine() {
        Engine::Postgres => {
            "SELECT outcome, lease, ttl_ms, detail FROM zdm.join_v1(?, ?, ?, ?, ?, ?)"
        }
        Engine::MySql | Engine::MariaDb => "CALL zdm_join_v1(?, ?, ?, ?, ?, ?)",
    };
    Joined::read(&call(connection, sql, &parameters).await?)
}

/// Renews a lease.
pub(crate) async fn renew(connection: &mut Connection, lease: i64) -> Result<Renewed, LeaseError> {
    let sql = match connection.engine() {
        Engine::Postgres => "SELECT outcome, ttl_ms, detail FROM zdm.renew_v1(?)",
        Engine::MySql | Engine::MariaDb => "CALL zdm_renew_v1(?)",
    };
    Renewed::read(&call(connection, sql, &[lease.into()]).await?)
}

/// Ends a lease. One that has ended already is no error.
pub(crate) async fn leave(connection: &mut Connection, lease: i64) -> Result<(), LeaseError> {
    let sql = match connection.engine() {
        Engine::Postgres => "SELECT outcome FROM zdm.leave_v1(?)",
        Engine::MySql | Engine::MariaDb => "CALL zdm_leave_v1(?)",
    };
    call(connection, sql, &[lease.into()]).await.map(drop)
}

/// How far a migration is. None: not expanded.
pub(crate) async fn reached(
    connection: &mut Connection,
    migration: &MigrationId,
) -> Result<Option<Reached>, LeaseError> {
    let sql = match connection.engine() {
        Engine::Postgres => "SELECT zdm.reached_v1(?)",
        Engine::MySql | Engine::MariaDb => "CALL zdm_reached_v1(?)",
    };
    let row = call(connection, sql, &[migration.as_str().into()]).await?;
    let Some(word) = row.opt_text(0)? else { return Ok(None) };
    Reached::parse(&word).map(Some).ok_or(LeaseError::Answer(word))
}

async fn call(
    connection: &mut Connection,
    sql: &str,
    parameters: &[Value],
) -> Result<Row, LeaseError> {
    let rows = connection.query(sql, parameters).await?;
    rows.into_iter().next().ok_or_else(|| LeaseError::Answer("(no row)".to_owned()))
}
