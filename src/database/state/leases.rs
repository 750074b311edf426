//! Leases as instances left them, for the gate and for `zdm instances`. Instances write them through functions.

use std::time::Duration;

use super::{now, unknown_word};
use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::database::session::Row;
use crate::model::lease::{Ending, Lease, parse_needs, parse_tolerates};

/// Every lease, and the moment of the look.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct LeaseView {
    /// The database's clock just before the leases were read: milliseconds since 1970.
    pub(crate) now: i64,
    /// In the order in which they joined.
    pub(crate) leases: Vec<Lease>,
}

/// Reads every lease.
///
/// The clock is read first, so that a lease that ends between the two statements counts as live. On InnoDB a plain
/// SELECT sees what had been committed at its own start only under READ COMMITTED, which every connection is set to.
pub(crate) async fn leases(conn: &mut Connection) -> Result<LeaseView, DbError> {
    let now = now(conn).await?;
    let sql = conn.sql(
        "SELECT id, service, version, instance, tolerates, needs, ending, ttl_ms, beat, {ms:joined_at}, \
         {ms:seen_at}, {ms:left_at}, knocked_epoch, role FROM {zdm}lease ORDER BY id",
    );
    let rows = conn.query(&sql, &[]).await?;
    Ok(LeaseView { now, leases: rows.iter().map(read).collect::<Result<_, _>>()? })
}

/// Deletes leases that ended longer ago than any gate asks for: their instances have left, or stopped themselves.
///
/// The last lease of each service stays, as whoever starts next is of its build; so does one that only reports and did not
/// leave, which may be somebody's still, and one whose connection is open. Returns how many went.
pub(crate) async fn prune(conn: &mut Connection, kept_for: Duration) -> Result<u64, DbError> {
    let kept_for = i64::try_from(kept_for.as_millis()).unwrap_or(i64::MAX);
    let ended_before = now(conn).await?.saturating_sub(kept_for);
    // Read first, which locks nothing: a renewal never waits for this.
    let sql = conn.sql(
        "SELECT id FROM {zdm}lease WHERE {ms:COALESCE(left_at, seen_at)} + ttl_ms < ? \
         AND (left_at IS NOT NULL OR ending = 'suspends') \
         AND id NOT IN (SELECT MAX(id) FROM {zdm}lease GROUP BY service) ORDER BY id LIMIT 10000",
    );
    let ended = conn.query(&sql, &[ended_before.into()]).await?;
    let mut ids: Vec<_> = ended.iter().map(|row| row.int(0)).collect::<Result<_, _>>()?;
    if !ids.is_empty() {
        let connected = conn.connected_leases().await?;
        ids.retain(|id| !connected.contains(id));
    }
    let mut gone = 0;
    for some in ids.chunks(500) {
        let list = some.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
        let sql = conn.sql("DELETE FROM {zdm}lease WHERE id IN (") + &list + ")";
        gone += conn.execute(&sql, &[]).await?;
    }
    Ok(gone)
}

fn read(row: &Row) -> Result<Lease, DbError> {
    let ending = row.text(6)?;
    Ok(Lease {
        id: row.int(0)?,
        service: row.text(1)?,
        version: row.text(2)?,
        instance: row.text(3)?,
        tolerates: parse_tolerates(&row.text(4)?),
        needs: parse_needs(&row.text(5)?),
        ending: Ending::parse(&ending).ok_or_else(|| unknown_word("ending", &ending))?,
        ttl: Duration::from_millis(row.int(7)?.unsigned_abs()),
        beat: row.int(8)?,
        joined_at: row.int(9)?,
        seen_at: row.int(10)?,
        left_at: row.opt_int(11)?,
        knocked_epoch: row.opt_int(12)?,
        role: row.text(13)?,
    })
}
