//! How many rows the next batch has, and how long to rest before it.
//!
//! Two controllers, one pure function. The *size* holds the time of a batch at a target: that time alone sets what other
//! clients wait for a row (measured: their worst latency is the batch's time). The *pace* leaves the server a share of
//! the time. Time and chance are arguments.

use std::time::Duration;

use crate::model::server::Engine;

/// Failures in a row at which a batch of the smallest size is given up.
const MAX_TRIES: u32 = 6;

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
}

/// What became of the last batch.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Observation {
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

/// What to do next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Action {
    /// Rest, holding nothing, then run a batch of so many keys from where the last one ended (or, failed, began).
    Run {
        /// How long to rest.
        rest: Duration,
        /// How many keys.
        rows: u32,
    },
    /// The smallest batch has failed too often.
    GiveUp,
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
        }
    }
}

impl State {
    /// Before the first batch.
    pub(crate) fn start(limits: &Limits) -> Self {
        Self { rows: limits.first_rows, rate: None, failures: 0 }
    }

    /// Goes on with a size that an earlier run had reached.
    pub(crate) fn resume(limits: &Limits, rows: u32) -> Self {
        let rows = rows.clamp(limits.min_rows, limits.max_rows);
        Self { rows, rate: None, failures: 0 }
    }

    /// Rows of the next batch: kept in the checkpoint.
    pub(crate) fn rows(&self) -> u32 {
        self.rows
    }
}

/// The next size and rest after what became of the last batch.
pub(crate) fn step(limits: &Limits, state: State, seen: Observation) -> (State, Action) {
    match seen {
        Observation::Done { rows, took } => done(limits, state, rows, took),
        Observation::Failed { chance } => failed(limits, state, chance),
    }
}

fn done(limits: &Limits, state: State, rows: u32, took: Duration) -> (State, Action) {
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
    let next = whole(next, limits);
    let rest = took.mul_f64(((1.0 - limits.duty) / limits.duty).clamp(0.0, 100.0));
    let state = State { rows: next, rate: Some(rate), failures: 0 };
    (state, Action::Run { rest, rows: next })
}

fn failed(limits: &Limits, state: State, chance: f64) -> (State, Action) {
    let failures = state.failures + 1;
    if failures > MAX_TRIES && state.rows <= limits.min_rows {
        return (State { failures, ..state }, Action::GiveUp);
    }
    let rows = whole(f64::from(state.rows) / 2.0, limits);
    // Full jitter: clients that collided once do not meet again.
    let longest = (0.1 * 2_f64.powi(i32::try_from(failures).unwrap_or(6).min(6))).min(5.0);
    let rest = Duration::from_secs_f64(longest * chance.clamp(0.0, 1.0));
    (State { rows, rate: state.rate, failures }, Action::Run { rest, rows })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value has been clamped to a range of u32"
)]
fn whole(rows: f64, limits: &Limits) -> u32 {
    rows.round().clamp(f64::from(limits.min_rows), f64::from(limits.max_rows)) as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A server that takes `fixed` seconds a batch and `each` seconds a row.
    fn took(fixed: f64, each: f64, rows: u32) -> Duration {
        Duration::from_secs_f64(fixed + each * f64::from(rows))
    }

    fn run(limits: &Limits, state: State, fixed: f64, each: f64) -> (State, Duration, Duration) {
        let time = took(fixed, each, state.rows());
        let (next, action) =
            step(limits, state, Observation::Done { rows: state.rows(), took: time });
        let Action::Run { rest, .. } = action else { panic!("it gave up") };
        (next, time, rest)
    }

    fn limits() -> Limits {
        Limits::of(Engine::Postgres, Speed::BesideTraffic)
    }

    proptest! {
        #[test]
        fn the_size_stays_within_its_bounds(
            batches in prop::collection::vec((any::<bool>(), 0_u32..60_000, 0_u64..10_000_000, 0.0..1.0_f64), 0..60)
        ) {
            let limits = limits();
            let mut state = State::start(&limits);
            for (fails, rows, micros, chance) in batches {
                let seen = if fails {
                    Observation::Failed { chance }
                } else {
                    Observation::Done { rows, took: Duration::from_micros(micros) }
                };
                let (next, action) = step(&limits, state, seen);
                prop_assert!((limits.min_rows..=limits.max_rows).contains(&next.rows()));
                if let Action::Run { rest, rows } = action {
                    prop_assert_eq!(rows, next.rows());
                    prop_assert!(rest <= Duration::from_secs(10));
                }
                state = next;
            }
        }

        #[test]
        fn a_steady_server_is_met_at_the_target(each in 3e-6..3e-4_f64) {
            let limits = limits();
            let mut state = State::start(&limits);
            for _ in 0..20 {
                state = run(&limits, state, 0.001, each).0;
            }
            let time = took(0.001, each, state.rows()).as_secs_f64();
            let target = limits.target.as_secs_f64();
            let is_at_bound = state.rows() == limits.max_rows || state.rows() == limits.min_rows;
            prop_assert!(is_at_bound || (time - target).abs() <= 0.2 * target, "{}", time);
        }

        #[test]
        fn a_server_that_slows_down_at_once_is_believed_at_once(each in 1e-5..1e-4_f64) {
            let limits = limits();
            let mut state = State::start(&limits);
            for _ in 0..20 {
                state = run(&limits, state, 0.001, each).0;
            }
            let before = state.rows();
            let (next, ..) = run(&limits, state, 0.001, each * 10.0);
            prop_assert!(next.rows() <= before / 2 + 1);
            state = next;
            for _ in 0..3 {
                state = run(&limits, state, 0.001, each * 10.0).0;
            }
            let time = took(0.001, each * 10.0, state.rows());
            prop_assert!(time <= limits.target * 2 || state.rows() == limits.min_rows);
        }
    }

    #[test]
    fn half_of_the_time_is_left_to_others() {
        let limits = limits();
        let (mut state, mut worked, mut rested) =
            (State::start(&limits), Duration::ZERO, Duration::ZERO);
        for _ in 0..100 {
            let (next, time, rest) = run(&limits, state, 0.002, 1e-5);
            (state, worked, rested) = (next, worked + time, rested + rest);
        }
        assert!((rested.as_secs_f64() / worked.as_secs_f64() - 1.0).abs() < 0.01);
        let full = Limits::of(Engine::MariaDb, Speed::Full);
        assert_eq!(run(&full, State::start(&full), 0.002, 1e-5).2, Duration::ZERO);
    }

    #[test]
    fn a_batch_that_fails_is_made_smaller_and_given_up_in_the_end() {
        let limits = limits();
        let mut state = State::start(&limits);
        let mut sizes = Vec::new();
        loop {
            let (next, action) = step(&limits, state, Observation::Failed { chance: 0.5 });
            state = next;
            match action {
                Action::Run { rows, .. } => sizes.push(rows),
                Action::GiveUp => break,
            }
        }
        assert_eq!(sizes, [250, 125, 100, 100, 100, 100]);
    }
}
