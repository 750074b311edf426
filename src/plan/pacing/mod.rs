//! How many rows the next batch has, how long to rest before it, and whether it may run at all.
//!
//! Two controllers, one pure function. The *size* holds the time of a batch at a target: that time alone sets what other
//! clients wait for a row (measured: their worst latency is the batch's time). The *pace* leaves the server a share of
//! the time, less of it as a signal comes near its limit, none beyond it. Time and chance are arguments.

mod follow;
mod load;
mod steering;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub(crate) use follow::Track;
pub(crate) use load::{Load, Reading, Value};
pub(crate) use steering::Steering;

use crate::model::server::Engine;

/// From this share of a signal's limit on, batches rest longer.
const EASY: f64 = 0.5;

/// After a stop every signal must be below this share of its limit ...
const CALM: f64 = 0.8;

/// ... in so many readings in a row.
const CALM_READINGS: u8 = 2;

/// What the controllers hold to.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Limits {
    /// How long a batch should take.
    pub(crate) target: Duration,
    /// The smallest batch, in rows.
    pub(crate) min_rows: u32,
    /// The largest.
    pub(crate) max_rows: u32,
    /// The first.
    pub(crate) first_rows: u32,
    /// The share of the time in which batches run, above 0 and up to 1.
    pub(crate) duty: f64,
    /// What is left of it when a signal is at its limit.
    pub(crate) least_duty: f64,
}

/// Whether others work on the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Speed {
    /// They do: half of the time is theirs.
    BesideTraffic,
    /// Nobody minds: `--full-speed`.
    Full,
}

/// What the controllers remember.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct State {
    /// Rows of the next batch.
    rows: u32,
    /// Rows a second, smoothed; none before the first batch.
    rate: Option<f64>,
    /// Failures since the last success.
    failures: u32,
    /// How long to rest before the next batch.
    owed: Duration,
    /// Calm readings that are still wanted before batches go on; none are when nothing had stopped them.
    wanted: u8,
}

/// What became of the last batch.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Batch {
    /// There was none since the last step.
    None,
    /// It was committed.
    Done {
        /// How many keys it went over.
        rows: u32,
        /// How long it took, from its first statement to its commit.
        took: Duration,
    },
    /// It was rolled back for a reason that may pass: a lock, a deadlock, a time limit.
    Failed {
        /// From 0 up to 1, drawn by the caller.
        chance: f64,
    },
}

/// What is known when a step is decided.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Observation {
    /// What became of the last batch.
    pub(crate) batch: Batch,
    /// What the signals say.
    pub(crate) load: Load,
    /// Whether somebody has paused the backfill.
    pub(crate) paused: bool,
}

/// What to do next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Action {
    /// Run a batch of so many keys from where the last one ended (or, failed, began).
    Run {
        /// How many keys.
        rows: u32,
    },
    /// Rest so long, holding nothing, then ask again.
    Rest(Duration),
    /// Hold nothing, read the signals again, then ask again.
    Stay,
}

impl Limits {
    /// The measured optimum: 100 ms on PostgreSQL; on InnoDB small batches cost nothing, and large ones stall others at
    /// the commit.
    pub(crate) fn of(engine: Engine, speed: Speed) -> Self {
        let target = if engine.is_mysql_family() { 35 } else { 100 };
        Self {
            target: Duration::from_millis(target),
            min_rows: 100,
            max_rows: 50_000,
            first_rows: 500,
            duty: match speed {
                Speed::BesideTraffic => 0.5,
                Speed::Full => 1.0,
            },
            least_duty: 0.1,
        }
    }

    /// The share of the time in which batches run when the signal that is nearest to its limit is at `share` of it.
    fn duty_at(&self, share: f64) -> f64 {
        let way = ((share - EASY) / (1.0 - EASY)).clamp(0.0, 1.0);
        self.duty - way * (self.duty - self.least_duty.min(self.duty))
    }
}

impl State {
    /// Before the first batch.
    pub(crate) fn start(limits: &Limits) -> Self {
        Self::resume(limits, limits.first_rows)
    }

    /// Goes on with a size that an earlier run had reached.
    pub(crate) fn resume(limits: &Limits, rows: u32) -> Self {
        let rows = rows.clamp(limits.min_rows, limits.max_rows);
        Self { rows, rate: None, failures: 0, owed: Duration::ZERO, wanted: 0 }
    }

    /// Rows of the next batch: kept in the checkpoint.
    pub(crate) fn rows(&self) -> u32 {
        self.rows
    }

    /// Whether the last batches failed.
    pub(crate) fn is_failing(&self) -> bool {
        self.failures > 0
    }
}

impl Batch {
    /// A batch that nobody but its own time steers: of a verification, which locks nothing.
    pub(crate) fn alone(self) -> Observation {
        Observation { batch: self, load: Load::NONE, paused: false }
    }
}

/// The next size, and what to do after what was seen.
pub(crate) fn step(limits: &Limits, state: State, seen: Observation) -> (State, Action) {
    let state = match seen.batch {
        Batch::None => state,
        Batch::Done { rows, took } => done(limits, state, (rows, took), seen.load),
        Batch::Failed { chance } => failed(limits, state, chance),
    };
    let state = State { wanted: wanted(state.wanted, seen.load), ..state };
    if seen.paused || state.wanted > 0 {
        return (state, Action::Stay);
    }
    if !state.owed.is_zero() {
        return (State { owed: Duration::ZERO, ..state }, Action::Rest(state.owed));
    }
    // What somebody has set since the last batch holds at once.
    let rows = state.rows.clamp(limits.min_rows, limits.max_rows);
    (State { rows, ..state }, Action::Run { rows })
}

/// How many calm readings are still wanted: one at its limit, or one that could not be made, stops.
fn wanted(before: u8, load: Load) -> u8 {
    match load {
        Load::Unknown => CALM_READINGS,
        Load::Share(share) if share >= 1.0 => CALM_READINGS,
        Load::Share(share) if share < CALM => before.saturating_sub(1),
        Load::Share(_) if before > 0 => CALM_READINGS,
        Load::Share(_) => 0,
    }
}

fn done(limits: &Limits, state: State, (rows, took): (u32, Duration), load: Load) -> State {
    let (seconds, target) = (took.as_secs_f64().max(1e-6), limits.target.as_secs_f64());
    let now = f64::from(rows.max(1)) / seconds;
    let asked = f64::from(state.rows);
    let smoothed = state.rate.map_or(now, |rate| 0.7 * rate + 0.3 * now);
    // A batch that took far too long is believed at once.
    let (next, rate) = if seconds > 5.0 * target {
        (asked / 10.0, now)
    } else if seconds > 2.0 * target {
        (asked / 2.0, now)
    } else {
        ((smoothed * target).clamp(asked / 2.0, asked * 1.5), smoothed)
    };
    let duty = limits.duty_at(load.share());
    let owed = took.mul_f64(((1.0 - duty) / duty).clamp(0.0, 100.0));
    State { rows: whole(next, limits), rate: Some(rate), failures: 0, owed, ..state }
}

fn failed(limits: &Limits, state: State, chance: f64) -> State {
    let failures = state.failures.saturating_add(1);
    let rows = whole(f64::from(state.rows) / 2.0, limits);
    // Full jitter: clients that collided once do not meet again.
    let longest = (0.1 * 2_f64.powi(i32::try_from(failures).unwrap_or(6).min(6))).min(5.0);
    let owed = Duration::from_secs_f64(longest * chance.clamp(0.0, 1.0));
    State { rows, failures, owed, ..state }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value has been clamped to a range of u32"
)]
fn whole(rows: f64, limits: &Limits) -> u32 {
    rows.round().clamp(f64::from(limits.min_rows), f64::from(limits.max_rows)) as u32
}
