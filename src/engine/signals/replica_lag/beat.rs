//! Replicas of MySQL and MariaDB: a number is counted up on the primary, and looked for on each of them.

use std::time::{Duration, Instant};

use async_trait::async_trait;

use super::{NAME, Signal, furthest};
use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::database::state::heartbeat::{beat, last_beat};
use crate::engine::job::Address;
use crate::plan::pacing::{Reading, Track};

pub(super) struct Beat {
    limit: Duration,
    began: Instant,
    track: Track,
    replicas: Vec<Replica>,
}

struct Replica {
    address: Address,
    conn: Option<Connection>,
}

impl Beat {
    pub(super) fn new(limit: Duration, replicas: Vec<Address>) -> Self {
        let one = |address: Address| Replica { address, conn: None };
        let replicas = replicas.into_iter().map(one).collect();
        Self { limit, began: Instant::now(), track: Track::default(), replicas }
    }
}

impl Replica {
    async fn last_beat(&mut self) -> Result<u64, String> {
        let open = self.conn.take().filter(|conn| !conn.is_closed());
        let conn = if let Some(conn) = open {
            conn
        } else {
            let target = self.address.target()?;
            Connection::open(target).await.map_err(|error| error.to_string())?
        };
        last_beat(self.conn.insert(conn)).await.map_err(|error| error.to_string())
    }
}

#[async_trait]
impl Signal for Beat {
    async fn read(&mut self, conn: &mut Connection, _worker: i64) -> Result<Reading, DbError> {
        let number = beat(conn).await?;
        self.track.note(self.began.elapsed(), number);
        let mut lags = Vec::new();
        for replica in &mut self.replicas {
            let name = format!("replica {}", replica.address);
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
