//! Replicas and slots of PostgreSQL.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use async_trait::async_trait;

use super::{NAME, Signal, furthest};
use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::plan::pacing::{Reading, Track};

/// Who follows; who only copies WAL, or takes a backup, replays nothing.
const REPLICAS: &str = "SELECT application_name, COALESCE(host(client_addr), 'this machine'), state IS NULL, \
    pg_catalog.pg_wal_lsn_diff(replay_lsn, '0/0')::bigint, \
    (extract(epoch FROM replay_lag) * 1000)::bigint \
    FROM pg_catalog.pg_stat_replication WHERE state IS NULL OR replay_lsn IS NOT NULL";

/// Slots that nobody reads, and for which the server keeps WAL all the same.
const SLOTS: &str = "SELECT slot_name, \
    (pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), restart_lsn) / 1048576)::bigint \
    FROM pg_catalog.pg_replication_slots \
    WHERE NOT active AND NOT temporary AND restart_lsn IS NOT NULL AND wal_status IS DISTINCT FROM 'lost'";

pub(super) struct Streaming {
    limit: Duration,
    ignore: Vec<String>,
    began: Instant,
    track: Track,
    /// How many there have been of each name: whoever was there must stay.
    known: BTreeMap<String, usize>,
}

impl Streaming {
    pub(super) fn new(limit: Duration, ignore: Vec<String>) -> Self {
        let (began, track, known) = (Instant::now(), Track::default(), BTreeMap::new());
        Self { limit, ignore, began, track, known }
    }

    fn is_ignored(&self, name: &str) -> bool {
        self.ignore.iter().any(|ignored| ignored == name)
    }

    /// Somebody who was there and is not any more: nobody knows how far behind they are.
    fn vanished(&mut self, now: &BTreeMap<String, usize>) -> Option<String> {
        for (name, count) in now {
            let known = self.known.entry(name.clone()).or_default();
            *known = (*known).max(*count);
        }
        let gone = self.known.iter().find(|(name, count)| now.get(*name).unwrap_or(&0) < *count);
        gone.map(|(name, _)| format!("{name} was there and is gone"))
    }
}

#[async_trait]
impl Signal for Streaming {
    async fn read(&mut self, conn: &mut Connection, _worker: i64) -> Result<Reading, DbError> {
        let leader =
            "SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), '0/0')::bigint";
        let leader = conn.query_one(leader, &[]).await?.int(0)?.unsigned_abs();
        let now = self.began.elapsed();
        self.track.note(now, leader);
        let (mut lags, mut there) = (Vec::new(), BTreeMap::new());
        for row in conn.query(REPLICAS, &[]).await? {
            let application = row.text(0)?;
            if self.is_ignored(&application) {
                continue;
            }
            if row.bool(2)? {
                let why = "the role may not see how far replicas are (GRANT pg_read_all_stats would let it)";
                return Ok(Reading::unreadable(NAME, why));
            }
            let name = format!("replica {application} at {}", row.text(1)?);
            let position = row.int(3)?.unsigned_abs();
            let told = Duration::from_millis(row.opt_int(4)?.unwrap_or(0).unsigned_abs());
            // What the server tells stands still when the replica does.
            let behind = self.track.lag(now, position);
            let lag = if position >= leader { Duration::ZERO } else { behind.max(told) };
            *there.entry(name.clone()).or_insert(0) += 1;
            lags.push((name, lag));
        }
        for row in conn.query(SLOTS, &[]).await? {
            let slot = row.text(0)?;
            if !self.is_ignored(&slot) {
                let kept = row.int(1)?;
                let words = format!(
                    "nobody reads slot {slot}, for which the server keeps {kept} MB of WAL"
                );
                return Ok(Reading::stop(NAME, Some(words)));
            }
        }
        Ok(match self.vanished(&there) {
            Some(gone) => Reading::unreadable(NAME, gone),
            None => furthest(self.limit, lags),
        })
    }
}
