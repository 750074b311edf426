//! What the state remembers of how a database began: what stood in it, and which migrations `zdm up` has begun.

use std::collections::BTreeSet;

use super::identity::{FIRST_SEEN, recorded};
use super::unexpected;
use crate::database::connection::Connection;
use crate::database::error::DbError;

/// The kind of the event by which `zdm up` begins a migration.
pub(crate) const UP: &str = "up";

/// The kind of the event by which a copy was taken for a database of its own.
pub(super) const ADOPTED: &str = "adopted";

/// How a database began, as its events tell.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Newness {
    /// Tables, views and sequences that stood in it when zdm first wrote to it; none: nobody wrote it down, or the state
    /// came from another database.
    pub(crate) objects: Option<u64>,
    /// The names of the migrations that `zdm up` has begun.
    pub(crate) begun_by_up: BTreeSet<String>,
    /// The services whose instances have reported, ever.
    pub(crate) reported: Vec<String>,
    /// The environment that the state was made for.
    pub(crate) environment: Option<String>,
}

/// Reads it. The state must be there.
pub(crate) async fn newness(conn: &mut Connection) -> Result<Newness, DbError> {
    let sql = conn
        .sql("SELECT kind, migration, detail FROM {zdm}event WHERE kind IN (?, ?, ?) ORDER BY id");
    let mut newness = Newness::default();
    let mut counts = Vec::new();
    let mut is_copy = false;
    for row in conn.query(&sql, &[FIRST_SEEN.into(), UP.into(), ADOPTED.into()]).await? {
        match row.text(0)?.as_str() {
            FIRST_SEEN => counts.push(objects(&row.opt_text(2)?.unwrap_or_default())?),
            UP => newness.begun_by_up.extend(row.opt_text(1)?),
            _ => is_copy = true,
        }
    }
    // Whoever deletes the identity by hand lets it be recorded again: what was there then counts as well.
    newness.objects = if is_copy { None } else { counts.into_iter().max() };
    let sql = conn.sql("SELECT DISTINCT service FROM {zdm}lease ORDER BY service");
    for row in conn.query(&sql, &[]).await? {
        newness.reported.push(row.text(0)?);
    }
    newness.environment = recorded(conn).await?.and_then(|(_, _, environment)| environment);
    Ok(newness)
}

fn objects(detail: &str) -> Result<u64, DbError> {
    let parsed: Result<serde_json::Value, _> = serde_json::from_str(detail);
    parsed.ok().and_then(|detail| detail.get("objects")?.as_u64()).ok_or_else(|| {
        unexpected(format!("in the state of zdm: the event {FIRST_SEEN} says \"{detail}\""))
    })
}
