//! An old build joins while a contract decides, many times, on real servers: never do both succeed. Beside it the obvious
//! way, to look and then to act, with which they do.
#![expect(clippy::unwrap_used, reason = "helpers of tests do not count as tests for clippy")]

use std::time::{Duration, Instant};

use super::fence::Made;
use super::server_tests::{NEW, OLD, World, each, join, try_join};
use super::*;
use crate::database::lease::{self, Joined};
use crate::database::state::fences::insert_fence;
use crate::error::ErrorKind;
use crate::model::fence::{Fence, FenceKind, FenceStatus};
use crate::model::lease::Ending;
use crate::plan::gate::SlowFacts;

/// Rounds of the real protocol.
const ROUNDS: u32 = 1500;
/// Rounds of the control.
const CONTROL_ROUNDS: u32 = 300;

/// How rounds ended.
#[derive(Default, Debug)]
struct Score {
    /// The old build joined.
    joined: u32,
    /// The gate fenced.
    fenced: u32,
    /// Both: the old structure would have gone under a live instance.
    both: u32,
}

impl Score {
    fn count(&mut self, joined: bool, fenced: bool) {
        self.joined += u32::from(joined);
        self.fenced += u32::from(fenced);
        self.both += u32::from(joined && fenced);
    }
}

/// Who begins a round later.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Late {
    Build,
    Gate,
}

/// Lets the server sleep on the connection of whoever is late, so that the rounds differ by fractions of a millisecond.
async fn sleep(conn: &mut Connection, late: Late, round: u32) {
    let is_late = round.is_multiple_of(2) == (late == Late::Build);
    let seconds = if is_late { f64::from(round / 2 % 16) * 0.0001 } else { 0.0 };
    let sleep = if conn.engine().is_mysql_family() { "sleep" } else { "pg_sleep" };
    conn.query(&format!("SELECT {sleep}({seconds:.4})"), &[]).await.unwrap();
}

/// Everything is as it was before the first round: a new build ran last, and no fence is there.
async fn clean(world: &mut World, new: i64) {
    let conn = &mut world.conn;
    let leases = conn.sql("DELETE FROM {zdm}lease WHERE id <> ?");
    // What an instance holds is the number of its lease, and a mark.
    conn.execute(&leases, &[(new >> 20).into()]).await.unwrap();
    let fences = conn.sql("DELETE FROM {zdm}fence");
    conn.execute(&fences, &[]).await.unwrap();
}

/// The lease of a new build that ran, and left.
async fn new_build_ran(app: &mut Connection) -> i64 {
    // Neither a lease nor the run lock ends within a round, or a run, on a busy machine: that would be another case.
    let ttl = app.sql("UPDATE {zdm}service SET ttl_ms = 60000");
    app.execute(&ttl, &[]).await.unwrap();
    let new = join(app, NEW).await;
    lease::leave(app, new).await.unwrap();
    new
}

#[test]
fn an_old_build_that_joins_and_a_contract_that_decides_never_both_succeed() {
    each(|mut world| async move {
        let began = Instant::now();
        let mut app = world.open().await;
        let new = new_build_ran(&mut app).await;
        let mut score = Score::default();
        for round in 0..ROUNDS {
            let (question, _) =
                ask(&world.job, &mut world.conn, &world.migration, GateKind::Contract)
                    .await
                    .unwrap();
            let gate = async {
                sleep(&mut world.conn, Late::Gate, round).await;
                fence::make(&mut world.conn, &question, &SlowFacts::default(), &[], &world.token)
                    .await
            };
            let old = async {
                sleep(&mut app, Late::Build, round).await;
                try_join(&mut app, OLD, &[], Ending::Suspends).await
            };
            let (made, joined) = tokio::join!(gate, old);
            let fenced = matches!(made.unwrap(), Made::Fenced(_));
            score.count(matches!(joined, Joined::Lease { .. }), fenced);
            clean(&mut world, new).await;
        }
        println!("{ROUNDS} rounds in {:.1?}: {score:?}", began.elapsed());
        assert_eq!(score.both, 0, "{score:?}");
        assert_eq!(score.joined + score.fenced, ROUNDS, "one of them succeeds: {score:?}");
        // Both orders were tried, or nothing was.
        assert!(score.joined > ROUNDS / 100 && score.fenced > ROUNDS / 100, "{score:?}");
    });
}

/// Looks for a fence, then writes its lease: what a heartbeat table invites to.
async fn naive_join(conn: &mut Connection) -> bool {
    let fences = conn.sql("SELECT migration FROM {zdm}fence");
    if !conn.query(&fences, &[]).await.unwrap().is_empty() {
        return false;
    }
    let lease = conn.sql(
        "INSERT INTO {zdm}lease (service, version, instance, tolerates, needs, ending, ttl_ms, beat, joined_at, seen_at) \
         VALUES ('api', '41', 'web-1', '', '', 'suspends', 60000, 0, {now}, {now})",
    );
    conn.execute(&lease, &[]).await.unwrap();
    true
}

/// Looks at the leases, then acts.
async fn naive_gate(world: &mut World) -> bool {
    let (question, facts) =
        ask(&world.job, &mut world.conn, &world.migration, GateKind::Contract).await.unwrap();
    if decide(&question, &facts, &[]).verdict() != Verdict::Clear {
        return false;
    }
    let fence = Fence {
        migration: question.migration,
        kind: FenceKind::Tolerate,
        services: None,
        status: FenceStatus::Provisional,
        epoch: 1,
        run_token: world.token.0.clone(),
        since: 0,
        knocked_by: None,
    };
    insert_fence(&mut world.conn, &fence).await.unwrap();
    true
}

#[test]
fn looking_and_then_acting_lets_both_succeed() {
    each(|mut world| async move {
        let began = Instant::now();
        let mut app = world.open().await;
        let new = new_build_ran(&mut app).await;
        let mut score = Score::default();
        for round in 0..CONTROL_ROUNDS {
            let old = async {
                sleep(&mut app, Late::Build, round).await;
                naive_join(&mut app).await
            };
            let gate = async {
                sleep(&mut world.conn, Late::Gate, round).await;
                naive_gate(&mut world).await
            };
            let (fenced, joined) = tokio::join!(gate, old);
            score.count(joined, fenced);
            clean(&mut world, new).await;
        }
        println!("{CONTROL_ROUNDS} rounds in {:.1?}: {score:?}", began.elapsed());
        assert!(score.both > 0, "the rounds do not race: {score:?}");
    });
}

#[test]
fn an_old_start_and_a_gate_at_the_same_moment_never_both_succeed() {
    each(|mut world| async move {
        let mut app = world.open().await;
        let (mut both, mut passes) = (0, 0);
        let mut alone = Duration::ZERO;
        for round in 0..40_u32 {
            let new = join(&mut app, NEW).await;
            lease::leave(&mut app, new).await.unwrap();
            if round == 0 {
                let begun = Instant::now();
                let passed = world.pass(GateKind::Contract).await.unwrap();
                alone = begun.elapsed();
                let error = Error::new(ErrorKind::Busy, "the first round");
                passed.give_up(&world.job, &mut world.conn, error).await;
            }
            // From the gate's begin to well behind its end, however fast the machine is.
            let race = async {
                tokio::time::sleep(alone * round / 20).await;
                try_join(&mut app, OLD, &[], Ending::Suspends).await
            };
            let (result, joined) = tokio::join!(world.pass(GateKind::Contract), race);
            if let Ok(passed) = result {
                passes += 1;
                let confirmed = passed.still_holds(&mut world.conn).await;
                let is_in = matches!(joined, Joined::Lease { .. });
                both += i32::from(confirmed.is_ok() && is_in);
                let error = Error::new(ErrorKind::Busy, "the next round");
                passed.give_up(&world.job, &mut world.conn, error).await;
            }
            if let Joined::Lease { id, .. } = joined {
                lease::leave(&mut app, id).await.unwrap();
            }
            assert_eq!(world.fences().await, []);
        }
        assert!(passes > 0 && both == 0, "{both} of {passes} that passed");
    });
}
