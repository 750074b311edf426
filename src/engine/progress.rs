//! Telling how a backfill or a verification gets on.

use std::time::{Duration, Instant};

use super::event::Event;
use super::job::Job;
use crate::model::name::MigrationId;

/// How often to tell.
const EVERY: Duration = Duration::from_millis(500);

/// How much the newest reading counts in the rate.
const NEWEST: f64 = 0.3;

/// Measures the rate, pauses included, and tells it now and then.
#[derive(Debug)]
pub(crate) struct Meter<'a> {
    migration: &'a MigrationId,
    title: &'a str,
    estimate: Option<u64>,
    told_at: Instant,
    told: u64,
    rate: Option<f64>,
}

impl<'a> Meter<'a> {
    /// Begins at `rows` of about `estimate`.
    pub(crate) fn new(
        migration: &'a MigrationId,
        title: &'a str,
        rows: u64,
        estimate: Option<u64>,
    ) -> Self {
        Self { migration, title, estimate, told_at: Instant::now(), told: rows, rate: None }
    }

    /// Tells that so many rows are done, unless that was told just now.
    pub(crate) fn tell(&mut self, rows: u64, job: &Job) {
        if self.told_at.elapsed() >= EVERY {
            self.measure(rows);
            self.hear(rows, self.estimate.map(|estimate| estimate.max(rows)), job);
        }
    }

    /// Tells that these were all.
    pub(crate) fn end(&mut self, rows: u64, job: &Job) {
        self.measure(rows);
        self.hear(rows, Some(rows), job);
    }

    #[expect(clippy::cast_precision_loss, reason = "a rate is an estimate")]
    fn measure(&mut self, rows: u64) {
        let seconds = self.told_at.elapsed().as_secs_f64().max(0.001);
        let newest = rows.saturating_sub(self.told) as f64 / seconds;
        self.rate = Some(self.rate.map_or(newest, |rate| (1.0 - NEWEST) * rate + NEWEST * newest));
        (self.told, self.told_at) = (rows, Instant::now());
    }

    fn hear(&self, rows_done: u64, rows_estimate: Option<u64>, job: &Job) {
        job.listener.hear(&Event::Progress {
            migration: self.migration.clone(),
            title: self.title.to_owned(),
            rows_done,
            rows_estimate,
            rows_per_second: self.rate.unwrap_or(0.0),
        });
    }
}
