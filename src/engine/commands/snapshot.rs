//! `zdm snapshot`: what a plan wants to know of a database. Only reads, with the rights of an ordinary role.

use std::time::{Duration, Instant};

use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::database::sizes::{raise_rates, written_between};
use crate::database::snapshot::Snapshot;
use crate::database::state::install::open_for_reading;
use crate::database::target::Target;
use crate::engine::{failure, open};
use crate::error::Error;
use crate::plan::history::History;
use crate::sql::catalog::Catalog;

/// A snapshot, and what it lacks.
#[derive(Debug)]
pub(crate) struct Taken {
    /// The snapshot.
    pub(crate) snapshot: Snapshot,
    /// What could not be read, in sentences.
    pub(crate) notes: Vec<String>,
}

/// Takes one. Writes are counted for `sample`; the rate since the server began to count is taken when it is higher.
pub(crate) async fn snapshot(
    target: &Target,
    environment: Option<&str>,
    sample: Duration,
) -> Result<Taken, Error> {
    let opened = Connection::open(target).await;
    let mut conn = opened.map_err(|error| failure::connecting(target, error))?;
    let mut notes = Vec::new();
    let history = history(&mut conn, environment, &mut notes).await;
    let read = tables(&mut conn, sample, &mut notes).await;
    let catalog = read.map_err(|error| failure::working("read the schema", error))?;
    let server = conn.server();
    conn.close().await;
    let taken_at = chrono::Utc::now().timestamp_millis();
    Ok(Taken { snapshot: Snapshot { server, taken_at, catalog, history }, notes })
}

/// What has run. A role that may not see the state, or a copy of the database, is no reason to have no sizes.
async fn history(
    conn: &mut Connection,
    environment: Option<&str>,
    notes: &mut Vec<String>,
) -> Option<History> {
    let read = match open_for_reading(conn, environment).await {
        Ok(false) => Ok(History::default()),
        Ok(true) => open::history(conn).await,
        Err(error) => Err(error.into()),
    };
    match read {
        Ok(history) => Some(history),
        Err(error) => {
            notes.push(format!(
                "the state could not be read ({error}): a plan of this snapshot shows every migration as pending"
            ));
            None
        }
    }
}

async fn tables(
    conn: &mut Connection,
    sample: Duration,
    notes: &mut Vec<String>,
) -> Result<Catalog, DbError> {
    let mut catalog = conn.catalog(None).await?;
    conn.measure(&mut catalog).await?;
    let before = conn.writes().await?;
    let Some(before) = before.filter(|_| !sample.is_zero()) else {
        if !catalog.tables.is_empty() && !sample.is_zero() {
            notes.push("the server does not count writes, or not for this role".to_owned());
        }
        return Ok(catalog);
    };
    let began = Instant::now();
    tokio::time::sleep(sample).await;
    if let Some(after) = conn.writes().await? {
        raise_rates(&mut catalog, &written_between(&before, &after), began.elapsed());
    }
    Ok(catalog)
}
