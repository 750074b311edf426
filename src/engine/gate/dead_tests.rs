//! The fence of a gate that died holds nobody up for longer than its run lock lives: whoever meets it then lifts it.
#![expect(clippy::unwrap_used, reason = "helpers of tests do not count as tests for clippy")]

use super::server_tests::{NEW, OLD, World, each, join, try_join};
use super::*;
use crate::database::lease::{self, Joined, Renewed};
use crate::database::state;
use crate::error::ErrorKind;
use crate::model::lease::Ending;

/// A gate that was passed, and does nothing more.
async fn stuck(world: &mut World, app: &mut Connection) -> Passed {
    let new = join(app, NEW).await;
    lease::leave(app, new).await.unwrap();
    world.pass(GateKind::Contract).await.unwrap()
}

/// The run lock is renewed no more, and has expired.
async fn expire_run(world: &mut World) {
    let sql = world.conn.sql("UPDATE {zdm}run SET expires_at = {now}");
    world.conn.execute(&sql, &[]).await.unwrap();
}

async fn set_state(world: &mut World, state: &str) {
    let sql = world.conn.sql("UPDATE {zdm}migration SET state = ?");
    world.conn.execute(&sql, &[state.into()]).await.unwrap();
}

async fn old_join(app: &mut Connection) -> Joined {
    try_join(app, OLD, &[], Ending::Suspends).await
}

#[test]
fn an_old_build_that_starts_lifts_the_fence_of_a_dead_gate() {
    each(|mut world| async move {
        let mut app = world.open().await;
        let passed = stuck(&mut world, &mut app).await;
        // As long as its run lock lives, so may the gate: it is told that somebody knocked.
        let early = old_join(&mut app).await;
        assert!(matches!(early, Joined::Fencing(_)), "{early:?}");

        expire_run(&mut world).await;
        let joined = old_join(&mut app).await;
        assert!(matches!(joined, Joined::Lease { .. }), "{joined:?}");
        assert_eq!(world.fences().await, []);
        assert_eq!(world.events().await, ["gate_fenced", "gate_lifted"]);

        // The gate was not dead, and wakes. Nobody took its run lock, but the epoch is another one.
        world.conn.begin().await.unwrap();
        let late = passed.confirm(&mut world.conn).await;
        world.conn.rollback().await.unwrap();
        let Err(Unconfirmed::Refused(error)) = late else { panic!("{late:?}") };
        assert!(error.to_string().contains("behind the gate"), "{error:?}");
        let error = passed.give_up(&world.job, &mut world.conn, *error).await;
        assert_eq!(error.kind(), ErrorKind::Failed);
    });
}

#[test]
fn a_renewal_lifts_the_fence_of_a_dead_gate() {
    each(|mut world| async move {
        let mut app = world.open().await;
        let mut other = world.open().await;
        world.job.overrides = vec![
            ("leases".to_owned(), "a test".to_owned()),
            ("soak".to_owned(), "a test".to_owned()),
        ];
        let new = join(&mut other, NEW).await;
        lease::leave(&mut other, new).await.unwrap();
        // One that only reports, so that its lease outlives the gate's wait.
        let old = try_join(&mut app, OLD, &[], Ending::Reports).await;
        let Joined::Lease { id: old, .. } = old else { panic!("{old:?}") };
        let passed = world.pass(GateKind::Contract).await.unwrap();
        expire_run(&mut world).await;
        // On MySQL and MariaDB the call that lifts it is not the one that is renewed.
        let first = lease::renew(&mut app, old).await.unwrap();
        let second = lease::renew(&mut app, old).await.unwrap();
        assert!(!matches!(first, Renewed::Fenced(_)), "{first:?}");
        assert!(matches!(second, Renewed::Held { .. }), "{second:?}");
        assert_eq!(world.fences().await, []);
        let epoch = state::fences::lock_gate(&mut world.conn).await.unwrap();
        assert!(epoch > passed.fence.epoch);
    });
}

#[test]
fn the_fence_of_a_gate_that_died_in_its_contract_is_left_to_the_next_run() {
    each(|mut world| async move {
        let mut app = world.open().await;
        stuck(&mut world, &mut app).await;
        expire_run(&mut world).await;
        for state in ["contracting", "hidden", "revealing", "purging", "purged"] {
            set_state(&mut world, state).await;
            let joined = old_join(&mut app).await;
            assert!(matches!(joined, Joined::Fencing(_)), "{state}: {joined:?}");
        }
        set_state(&mut world, "migrated").await;
        let joined = old_join(&mut app).await;
        assert!(matches!(joined, Joined::Lease { .. }), "{joined:?}");
    });
}

#[test]
fn of_many_who_start_at_once_none_is_held_up_by_a_dead_gate() {
    each(|mut world| async move {
        let mut app = world.open().await;
        stuck(&mut world, &mut app).await;
        expire_run(&mut world).await;
        let mut starts = tokio::task::JoinSet::new();
        for _ in 0..50 {
            let mut conn = world.open().await;
            starts.spawn(async move { old_join(&mut conn).await });
        }
        for joined in starts.join_all().await {
            assert!(matches!(joined, Joined::Lease { .. }), "{joined:?}");
        }
        let lifted = world.events().await.into_iter().filter(|kind| kind == "gate_lifted").count();
        assert_eq!(lifted, 1);
    });
}
