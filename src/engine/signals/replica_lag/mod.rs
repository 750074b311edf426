//! How far replicas are behind: those of PostgreSQL, and its replication slots, as the server tells; those of MySQL and
//! MariaDB by a row that travels to them.

mod beat;
mod streaming;

use std::time::Duration;

use super::{Kind, Signal};
use crate::engine::job::Address;
use crate::plan::pacing::Reading;

pub(super) const KIND: Kind = Kind {
    name: NAME,
    make: |wanted| {
        let limit = wanted.config.replica_lag?;
        if wanted.engine.is_mysql_family() {
            let ignore = &wanted.config.ignore;
            let watched =
                wanted.replicas.iter().filter(|replica| !ignore.contains(&replica.place()));
            let watched: Vec<Address> = watched.cloned().collect();
            return (!watched.is_empty())
                .then(|| Box::new(beat::Beat::new(limit, watched)) as Box<dyn Signal>);
        }
        Some(Box::new(streaming::Streaming::new(limit, wanted.config.ignore.clone())))
    },
};

const NAME: &str = "replica_lag";

/// The follower that is furthest behind.
fn furthest(limit: Duration, lags: Vec<(String, Duration)>) -> Reading {
    let Some((name, lag)) = lags.into_iter().max_by_key(|(_, lag)| *lag) else {
        return Reading::stop(NAME, None);
    };
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let words =
        format!("{name} is {:.1} s behind (limit {} s)", lag.as_secs_f64(), limit.as_secs_f64());
    Reading::of(NAME, (millis(lag), millis(limit)), words)
}
