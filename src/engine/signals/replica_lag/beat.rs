//! Replicas of MySQL and MariaDB: a number is counted up on the primary, and looked for on each of them.

use std::time::{Duration, Instant};

use async_trait::async_trait;

use super::{NAME, Signal, furthest};
use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::database::state::heartbeat::{beat, last_beat};
use crate::database::target::Target;
use crate::plan::pacing::{Reading, Track};

pub(super) struct Beat {
    limit: Duration,
    began: Instant,
    track: Track,
    replicas: Vec<Replica>,
}

struct Replica {
    target: Target,
    conn: Option<Connection>,
}

impl Beat {
    pub(super) fn new(limit: Duration, replicas: &[Target]) -> Self {
        let one = |target: &Target| Replica { target: target.clone(), conn: None };
        let replicas = replicas.iter().map(one).collect();
        Self { limit, began: Instant::now(), track: Track::default(), replicas }
    }
}

impl Replica {
    async fn last_beat(&mut self) -> Result<u64, DbError> {
        let conn = match self.conn.take().filter(|conn| !conn.is_closed()) {
            Some(conn) => conn,
            None => Connection::open(&self.target).await?,
        };
        last_beat(self.conn.insert(conn)).await
    }
}

#[async_trait]
impl Signal for Beat {
    async fn read(&mut self, conn: &mut Connection, _worker: i64) -> Result<Reading, DbError> {
        let number = beat(conn).await?;
        self.track.note(self.began.elapsed(), number);
        let mut lags = Vec::new();
        for replica in &mut self.replicas {
            let name = format!("replica {}", replica.target.url);
            match replica.last_beat().await {
                Ok(seen) => lags.push((name, self.track.lag(self.began.elapsed(), seen))),
                Err(error) => {
                    let why = format!("could not ask {name}: {error}");
                    return Ok(Reading::unreadable(NAME, why));
                }
            }
        }
        Ok(furthest(self.limit, lags))
    }
}
