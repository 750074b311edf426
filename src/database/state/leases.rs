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
