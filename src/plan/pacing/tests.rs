//! The properties that hold whatever a server does, on a clock that a test turns.

use proptest::prelude::*;

use super::*;

/// A server that takes `fixed` seconds a batch and `each` seconds a row, and a clock.
struct Server {
    fixed: f64,
    each: f64,
    load: Load,
    paused: bool,
    worked: Duration,
    rested: Duration,
    /// Sizes and times of the batches.
    batches: Vec<(u32, Duration)>,
}

impl Server {
    fn new(fixed: f64, each: f64) -> Self {
        let (worked, rested, batches) = (Duration::ZERO, Duration::ZERO, Vec::new());
        Self { fixed, each, load: Load::NONE, paused: false, worked, rested, batches }
    }

    fn took(&self, rows: u32) -> Duration {
        Duration::from_secs_f64(self.fixed + self.each * f64::from(rows))
    }

    fn seen(&self, batch: Batch) -> Observation {
        Observation { batch, load: self.load, paused: self.paused }
    }

    /// Does what a step says, up to the end of the next batch, or until it says to stay.
    fn next(&mut self, limits: &Limits, state: State) -> (State, Batch) {
        let mut state = state;
        loop {
            let (next, action) = step(limits, state, self.seen(Batch::None));
            state = next;
            match action {
                Action::Run { rows } => {
                    let took = self.took(rows);
                    self.worked += took;
                    self.batches.push((rows, took));
                    return (state, Batch::Done { rows, took });
                }
                Action::Rest(rest) => self.rested += rest,
                Action::Stay => return (state, Batch::None),
            }
        }
    }

    /// Runs so many batches.
    fn run(&mut self, limits: &Limits, mut state: State, batches: usize) -> State {
        for _ in 0..batches {
            let (next, batch) = self.next(limits, state);
            let (next, action) = step(limits, next, self.seen(batch));
            if let Action::Rest(rest) = action {
                self.rested += rest;
            }
            state = next;
        }
        state
    }
}

fn limits() -> Limits {
    Limits::of(Engine::Postgres, Speed::BesideTraffic)
}

fn any_load() -> impl Strategy<Value = Load> {
    prop_oneof![Just(Load::Unknown), (0.0..2.0_f64).prop_map(Load::Share)]
}

fn any_batch() -> impl Strategy<Value = Batch> {
    prop_oneof![
        Just(Batch::None),
        (0.0..1.0_f64).prop_map(|chance| Batch::Failed { chance }),
        (0_u32..60_000, 0_u64..10_000_000)
            .prop_map(|(rows, micros)| Batch::Done { rows, took: Duration::from_micros(micros) }),
    ]
}

fn any_seen() -> impl Strategy<Value = Observation> {
    (any_batch(), any_load(), any::<bool>()).prop_map(|(batch, load, paused)| Observation {
        batch,
        load,
        paused,
    })
}

proptest! {
    /// Property 1.
    #[test]
    fn the_size_stays_within_its_bounds(all in prop::collection::vec(any_seen(), 0..60)) {
        let limits = limits();
        let mut state = State::start(&limits);
        for seen in all {
            let (next, action) = step(&limits, state, seen);
            prop_assert!((limits.min_rows..=limits.max_rows).contains(&next.rows()));
            match action {
                Action::Run { rows } => prop_assert_eq!(rows, next.rows()),
                // A batch of ten seconds at a tenth of the time.
                Action::Rest(rest) => prop_assert!(rest <= Duration::from_secs(91)),
                Action::Stay => {}
            }
            state = next;
        }
    }

    /// Property 2.
    #[test]
    fn a_steady_server_is_met_at_the_target(each in 1e-5..1e-3_f64) {
        let limits = limits();
        let mut server = Server::new(0.001, each);
        let state = server.run(&limits, State::start(&limits), 10);
        let (time, target) = (server.took(state.rows()).as_secs_f64(), limits.target.as_secs_f64());
        let is_at_bound = state.rows() == limits.max_rows || state.rows() == limits.min_rows;
        prop_assert!(is_at_bound || (time - target).abs() <= 0.2 * target, "{}", time);
    }

    /// Property 3.
    #[test]
    fn a_server_that_slows_down_at_once_is_believed_at_once(each in 1e-5..1e-4_f64) {
        let limits = limits();
        let mut server = Server::new(0.001, each);
        let state = server.run(&limits, State::start(&limits), 20);
        let before = state.rows();
        server.each *= 10.0;
        let state = server.run(&limits, state, 1);
        prop_assert!(state.rows() <= before / 2 + 1);
        let state = server.run(&limits, state, 2);
        let time = server.took(state.rows());
        prop_assert!(time <= limits.target * 2 || state.rows() == limits.min_rows);
    }

    /// Property 4.
    #[test]
    fn no_batch_runs_at_a_limit_or_in_the_dark_or_while_it_is_paused(
        all in prop::collection::vec(any_seen(), 0..60)
    ) {
        let limits = limits();
        let mut state = State::start(&limits);
        let mut calm_since_stop = CALM_READINGS;
        for seen in all {
            let (next, action) = step(&limits, state, seen);
            match seen.load {
                Load::Share(share) if share < CALM => {
                    calm_since_stop = (calm_since_stop + 1).min(CALM_READINGS);
                }
                Load::Share(share) if share < 1.0 && calm_since_stop == CALM_READINGS => {}
                _ => calm_since_stop = 0,
            }
            let may_run = !seen.paused && calm_since_stop == CALM_READINGS;
            prop_assert_eq!(action == Action::Stay, !may_run, "{:?}", seen);
            state = next;
        }
    }

    /// Property 5: a checkpoint is all that survives; the size in it is one that the limits allow.
    #[test]
    fn every_row_is_visited_once_whatever_dies(
        all in 1_u64..200_000,
        deaths in prop::collection::vec((any::<bool>(), 1_usize..8), 0..20),
    ) {
        let limits = limits();
        let (mut cursor, mut counted, mut kept) = (0_u64, 0_u64, limits.first_rows);
        let mut deaths = deaths.into_iter();
        while cursor < all {
            let (before_commit, lives) = deaths.next().unwrap_or((false, usize::MAX));
            let mut server = Server::new(0.001, 1e-5);
            let mut state = State::resume(&limits, kept);
            for life in 0..lives {
                let (next, batch) = server.next(&limits, state);
                let Batch::Done { rows, .. } = batch else { panic!("nothing stops it") };
                if before_commit && life + 1 == lives {
                    break;
                }
                // One transaction: rows, count, cursor and size.
                let visited = u64::from(rows).min(all - cursor);
                (cursor, counted) = (cursor + visited, counted + visited);
                (state, _) = step(&limits, next, server.seen(batch));
                kept = state.rows();
                if cursor == all {
                    break;
                }
            }
        }
        prop_assert_eq!(counted, all);
    }

    /// Property 6.
    #[test]
    fn the_share_of_the_time_is_what_was_asked(
        percent in 5_u8..=100,
        load in 0.0..0.5_f64,
        each in 1e-5..1e-4_f64,
    ) {
        let steering = Steering { share: Some(percent), ..Steering::default() };
        let limits = limits().steered(&steering);
        let mut server = Server::new(0.002, each);
        server.load = Load::Share(load);
        server.run(&limits, State::start(&limits), 100);
        let share = server.worked.as_secs_f64() / (server.worked + server.rested).as_secs_f64();
        prop_assert!((share - f64::from(percent) / 100.0).abs() < 0.01, "{}", share);
    }

    #[test]
    fn what_somebody_sets_holds_at_once(rows in 1_u32..1_000, millis in 5_u64..1_000) {
        let steering = Steering {
            max_rows: Some(rows),
            batch_time: Some(Duration::from_millis(millis)),
            ..Steering::default()
        };
        let free = limits();
        let mut server = Server::new(0.0001, 1e-6);
        let state = server.run(&free, State::start(&free), 20);
        let limits = free.steered(&steering);
        server.batches.clear();
        server.run(&limits, state, 5);
        prop_assert!(server.batches.iter().all(|(asked, _)| *asked <= rows));
    }
}

/// Property 7: the same happenings, the same trace. A change of the controllers shows here.
#[test]
fn the_trace_of_a_day_is_always_the_same() {
    let limits = limits();
    let mut server = Server::new(0.002, 2e-5);
    let mut state = State::start(&limits);
    let mut trace = Vec::new();
    for turn in 0..12 {
        server.each = if turn >= 6 { 2e-4 } else { 2e-5 };
        server.load = match turn {
            8 => Load::Share(0.75),
            9 => Load::Share(1.3),
            _ => Load::NONE,
        };
        server.paused = turn == 4;
        let (next, batch) = server.next(&limits, state);
        let (next, action) = step(&limits, next, server.seen(batch));
        let done = matches!(batch, Batch::Done { .. }).then(|| server.batches.last().unwrap());
        let done = done.map_or("stays".to_owned(), |(rows, took)| {
            format!("{rows} rows in {} ms", took.as_millis())
        });
        let then = match action {
            Action::Rest(rest) => format!("rest {} ms", rest.as_millis()),
            Action::Run { rows } => format!("run {rows}"),
            Action::Stay => "stay".to_owned(),
        };
        trace.push(format!("{done}, {then}"));
        state = next;
    }
    insta::assert_snapshot!(trace.join("\n"));
}

#[test]
fn half_of_the_time_is_left_to_others_and_more_near_a_limit() {
    let (beside, full) = (limits(), Limits::of(Engine::MariaDb, Speed::Full));
    let percent = |limits: Limits, share| format!("{:.0}", limits.duty_at(share) * 100.0);
    assert_eq!([0.0, 0.5, 0.75, 1.0].map(|share| percent(beside, share)), ["50", "50", "30", "10"]);
    assert_eq!([0.0, 0.75].map(|share| percent(full, share)), ["100", "55"]);
}

#[test]
fn a_batch_that_fails_is_made_smaller_and_tried_ever_less_often() {
    let limits = limits();
    let mut state = State::start(&limits);
    let mut sizes = Vec::new();
    for _ in 0..8 {
        let (next, action) = step(&limits, state, Batch::Failed { chance: 0.5 }.alone());
        let Action::Rest(rest) = action else { panic!("{action:?}") };
        sizes.push((next.rows(), rest.as_millis()));
        state = next;
    }
    let rests = [100, 200, 400, 800, 1600, 2500, 2500, 2500];
    let rows = [250, 125, 100, 100, 100, 100, 100, 100];
    assert_eq!(sizes, rows.into_iter().zip(rests).collect::<Vec<_>>());
}

#[test]
fn one_signal_that_cannot_be_read_makes_the_load_unknown() {
    let low = Reading::of("active_sessions", (1, 10), "one".to_owned());
    let high = Reading::of("lock_waiters", (3, 5), "three".to_owned());
    let dark = Reading::unreadable("file", "no right");
    assert_eq!(Load::of(&[]), Load::NONE);
    assert_eq!(Load::of(&[low.clone(), high.clone()]), Load::Share(0.6));
    assert_eq!(Load::of(&[low, dark.clone(), high]), Load::Unknown);
    assert_eq!(dark.to_string(), "signal file cannot be read: no right");
    let nothing = Reading::of("lock_waiters", (1, 0), String::new());
    assert!(matches!(Load::of(&[nothing]), Load::Share(share) if share >= 1.0));
}
