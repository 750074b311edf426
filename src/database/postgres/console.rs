//! pgbouncer's admin console: it speaks the simple protocol alone, and knows SHOW.

#[cfg(feature = "postgres")]
use std::collections::BTreeMap;

#[cfg(feature = "postgres")]
use super::connect::open_console;
use crate::database::address::Address;
use crate::database::error::DbError;
use crate::database::sessions::Console;
use crate::database::target::Target;

/// Asks what it knows of databases, clients and servers.
#[cfg(feature = "postgres")]
pub(crate) async fn console(target: &Target, address: &Address) -> Result<Console, DbError> {
    let session = open_console(target, address).await?;
    let databases = named(session.show("SHOW DATABASES").await?);
    let clients = named(session.show("SHOW CLIENTS").await?);
    let servers = named(session.show("SHOW SERVERS").await?);
    Ok(Console { databases, clients, servers })
}

/// Only what speaks to PostgreSQL can ask it.
#[cfg(not(feature = "postgres"))]
pub(crate) async fn console(_target: &Target, _address: &Address) -> Result<Console, DbError> {
    let message = "this build of zdm cannot speak to pgbouncer: it lacks the feature postgres";
    Err(DbError::new(crate::database::error::DbErrorKind::Unsupported, message))
}

#[cfg(feature = "postgres")]
fn named(rows: Vec<Vec<(String, String)>>) -> Vec<BTreeMap<String, String>> {
    rows.into_iter().map(|row| row.into_iter().collect()).collect()
}
