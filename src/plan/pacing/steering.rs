//! What somebody has asked of a backfill from another terminal.

use std::fmt;
use std::time::Duration;

use super::Limits;

/// Wishes about the backfills of a migration; what is not set is as configured.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Steering {
    /// Who has paused it, if somebody has.
    pub(crate) paused_by: Option<String>,
    /// The share of the time in which batches run, in percent.
    pub(crate) share: Option<u8>,
    /// The largest batch.
    pub(crate) max_rows: Option<u32>,
    /// How long a batch should take.
    pub(crate) batch_time: Option<Duration>,
}

impl Limits {
    /// These limits, with what somebody has set.
    #[must_use]
    pub(crate) fn steered(self, steering: &Steering) -> Self {
        let max_rows = steering.max_rows.unwrap_or(self.max_rows).max(1);
        Self {
            duty: steering.share.map_or(self.duty, |share| f64::from(share.clamp(1, 100)) / 100.0),
            max_rows,
            min_rows: self.min_rows.min(max_rows),
            first_rows: self.first_rows.min(max_rows),
            target: steering.batch_time.unwrap_or(self.target),
            ..self
        }
    }
}

/// The pace, for people.
impl fmt::Display for Steering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = self.share.map(|share| format!("{share} % of the time"));
        let rows = self.max_rows.map(|rows| format!("at most {rows} rows a batch"));
        let time = self.batch_time.map(|time| format!("{} ms a batch", time.as_millis()));
        let said: Vec<_> = [share, rows, time].into_iter().flatten().collect();
        if said.is_empty() { f.write_str("as configured") } else { f.write_str(&said.join(", ")) }
    }
}
