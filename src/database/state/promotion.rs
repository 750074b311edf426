//! When this server took the place of another one: what was committed last there may never have come here, leases too.

use super::identity::FIRST_SEEN;
use super::newness::ADOPTED;
use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::database::state::events::{Actor, NewEvent, append_event};

/// The kind of the event by which a run found another history of the server than the run before.
const PROMOTED: &str = "server_promoted";

/// The server's history, for an event's detail.
pub(super) fn detail(timeline: Option<&str>) -> String {
    timeline.map_or_else(String::new, |timeline| format!("\"timeline\":\"{timeline}\""))
}

/// Writes down that a standby was promoted since the last run; says whether it was. Only PostgreSQL tells: elsewhere
/// another server is another identity, which somebody must adopt.
pub(crate) async fn note(conn: &mut Connection, actor: &Actor) -> Result<bool, DbError> {
    let Some(timeline) = conn.timeline().await? else { return Ok(false) };
    let sql =
        conn.sql("SELECT detail FROM {zdm}event WHERE kind IN (?, ?, ?) ORDER BY id DESC LIMIT 1");
    let rows = conn.query(&sql, &[FIRST_SEEN.into(), PROMOTED.into(), ADOPTED.into()]).await?;
    let last = rows.first().map(|row| row.opt_text(0)).transpose()?.flatten().unwrap_or_default();
    let own = detail(Some(&timeline));
    if last.contains(&own) || !last.contains("\"timeline\"") {
        return Ok(false);
    }
    let message = "another server was promoted since the last run: a gate waits a lease for instances that it does not know";
    let detail = format!("{{{own}}}");
    let event = NewEvent { migration: None, kind: PROMOTED, message, detail: Some(&detail) };
    append_event(conn, actor, &event).await?;
    Ok(true)
}

/// When that was seen last: milliseconds since 1970. None: never.
pub(crate) async fn last(conn: &mut Connection) -> Result<Option<i64>, DbError> {
    let sql =
        conn.sql("SELECT {ms:at} FROM {zdm}event WHERE kind IN (?, ?) ORDER BY id DESC LIMIT 1");
    let rows = conn.query(&sql, &[PROMOTED.into(), ADOPTED.into()]).await?;
    rows.first().map(|row| row.int(0)).transpose()
}
