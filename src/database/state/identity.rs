//! Which database the state belongs to: a restored or cloned copy brings the state along, but not the identity.

use super::error::StateError;
use super::events::{Actor, NewEvent, append_event};
use super::newness::ADOPTED;
use super::promotion;
use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::database::identity::ServerIdentity;

/// The kind of the event that says what stood in the database when zdm first wrote to it.
pub(super) const FIRST_SEEN: &str = "first_seen";

/// Records the identity of the database, when none is recorded, and what stands in it by then.
pub(super) async fn record(
    conn: &mut Connection,
    environment: Option<&str>,
) -> Result<(), DbError> {
    if recorded(conn).await?.is_some() {
        return Ok(());
    }
    let (found, objects) = (conn.identity().await?, conn.count_objects().await?);
    let timeline = conn.timeline().await?;
    conn.begin().await?;
    match write(conn, found, (objects, timeline), environment).await {
        Ok(()) => conn.commit().await,
        Err(error) => {
            // The first error counts; a connection that cannot roll back is closed, which rolls back.
            drop(conn.rollback().await);
            Err(error)
        }
    }
}

async fn write(
    conn: &mut Connection,
    found: ServerIdentity,
    (objects, timeline): (u64, Option<String>),
    environment: Option<&str>,
) -> Result<(), DbError> {
    // Many may come here at once: the first one writes the row.
    let insert = if conn.engine().is_mysql_family() { "INSERT IGNORE" } else { "INSERT" };
    let ignore = if conn.engine().is_mysql_family() { "" } else { "ON CONFLICT (id) DO NOTHING" };
    let sql = conn.sql(&format!(
        "{insert} INTO {{zdm}}identity (id, system_id, database_name, environment, created_at, zdm_version) \
         VALUES (1, ?, ?, ?, {{now}}, ?) {ignore}"
    ));
    let values = [
        found.system_id.into(),
        found.database.into(),
        environment.into(),
        env!("CARGO_PKG_VERSION").into(),
    ];
    if conn.execute(&sql, &values).await? == 0 {
        return Ok(());
    }
    let message = match objects {
        0 => "zdm wrote to this database for the first time: it was empty".to_owned(),
        count => format!(
            "zdm wrote to this database for the first time: it held {count} tables, views and sequences"
        ),
    };
    let more = promotion::detail(timeline.as_deref());
    let comma = if more.is_empty() { "" } else { "," };
    let detail = format!("{{\"objects\":{objects}{comma}{more}}}");
    let kind = FIRST_SEEN;
    let event = NewEvent { migration: None, kind, message: &message, detail: Some(&detail) };
    append_event(conn, &Actor::here(), &event).await
}

/// Compares the recorded identity with the database's own. No record: nothing to compare.
pub(crate) async fn check(
    conn: &mut Connection,
    environment: Option<&str>,
) -> Result<(), StateError> {
    let Some((system_id, database, recorded_environment)) = recorded(conn).await? else {
        return Ok(());
    };
    let found = conn.identity().await?;
    let mut differences = Vec::new();
    if system_id != found.system_id {
        differences
            .push(format!("it was made on server {system_id}, this is server {}", found.system_id));
    }
    if database != found.database {
        differences.push(format!(
            "it was made in database \"{database}\", this is database \"{}\"",
            found.database
        ));
    }
    if let (Some(recorded), Some(now)) = (recorded_environment, environment)
        && recorded != now
    {
        differences
            .push(format!("it was made for environment \"{recorded}\", this is for \"{now}\""));
    }
    if differences.is_empty() { Ok(()) } else { Err(StateError::Copy { differences }) }
}

/// Takes the state for this database's own, and its environment for this one. Leases stay: whoever reports here goes on.
/// The run lock of the original is given back. Returns what was done.
pub(crate) async fn adopt(
    conn: &mut Connection,
    environment: Option<&str>,
    actor: &Actor,
) -> Result<String, DbError> {
    let found = conn.identity().await?;
    let timeline = conn.timeline().await?;
    conn.begin().await?;
    match rewrite(conn, (found, timeline), environment, actor).await {
        Ok(words) => conn.commit().await.map(|()| words),
        Err(error) => {
            // The first error counts; a connection that cannot roll back is closed, which rolls back.
            drop(conn.rollback().await);
            Err(error)
        }
    }
}

async fn rewrite(
    conn: &mut Connection,
    (found, timeline): (ServerIdentity, Option<String>),
    environment: Option<&str>,
    actor: &Actor,
) -> Result<String, DbError> {
    // Rows are locked in the order of every transaction that writes: the run's first.
    let release = conn.sql(
        "UPDATE {zdm}run SET token = NULL, owner = NULL, host = NULL, command = NULL, since = NULL, expires_at = NULL",
    );
    conn.run(&release).await?;
    let words = match recorded(conn).await? {
        Some((system, database, _)) => format!(
            "took the state of database \"{database}\" on server {system} for that of database \"{}\" on server {}",
            found.database, found.system_id
        ),
        None => format!("took the state for that of database \"{}\"", found.database),
    };
    let sql = conn.sql(
        "UPDATE {zdm}identity SET system_id = ?, database_name = ?, environment = ? WHERE id = 1",
    );
    let values = [found.system_id.into(), found.database.into(), environment.into()];
    conn.execute(&sql, &values).await?;
    let detail = format!("{{{}}}", promotion::detail(timeline.as_deref()));
    let event = NewEvent { migration: None, kind: ADOPTED, message: &words, detail: Some(&detail) };
    append_event(conn, actor, &event).await?;
    Ok(words)
}

/// Server, database and environment in which the state was made.
pub(super) async fn recorded(
    conn: &mut Connection,
) -> Result<Option<(String, String, Option<String>)>, DbError> {
    let sql =
        conn.sql("SELECT system_id, database_name, environment FROM {zdm}identity WHERE id = 1");
    let rows = conn.query(&sql, &[]).await?;
    rows.first().map(|row| Ok((row.text(0)?, row.text(1)?, row.opt_text(2)?))).transpose()
}
