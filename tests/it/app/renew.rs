//! Serving, being turned away, serving again.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use zdm::app::{Readiness, StopReason};

use super::{
    PATIENCE, TTL, api, fence, install, join, run, unfence, until, until_renewed, value, wait,
};
use crate::support;

#[test]
fn a_lease_is_renewed_several_times_in_its_time() {
    support::each(|db| {
        install(db);
        let instance = join(api(&db.url)).unwrap();
        let began = Instant::now();
        for _ in 0..3 {
            until_renewed(db);
        }
        assert!(began.elapsed() < 3 * TTL, "{:?}", began.elapsed());
        assert!(instance.ready());
    });
}

#[test]
fn under_a_provisional_fence_an_instance_knocks_and_serves_on_until_its_deadline() {
    support::each(|db| {
        install(db);
        let instance = join(api(&db.url)).unwrap();
        until_renewed(db);
        fence(db, "0002_b", "tolerate", "provisional");
        let fenced = Instant::now();
        let beats = value(db, "SELECT beat FROM zdm_lease");
        until("a knock", || {
            value(db, "SELECT knocked_by FROM zdm_fence") == "api web-1 (version 41)"
        });
        assert_eq!(value(db, "SELECT knocked_epoch FROM zdm_lease"), "1");
        assert!(instance.ready());

        until("the deadline", || !instance.ready());
        // A gate waits longer than that.
        assert!(fenced.elapsed() < TTL, "{:?}", fenced.elapsed());
        assert_eq!(instance.readiness(), Readiness::Suspended);
        assert!(instance.live());
        assert_eq!(value(db, "SELECT beat FROM zdm_lease"), beats);

        unfence(db);
        until("serving again", || instance.ready());
        assert_eq!(value(db, "SELECT count(*) FROM zdm_lease"), "2");
        // The first one was left, so that nobody takes it for a second instance.
        until("one lease", || {
            value(db, "SELECT count(*) FROM zdm_lease WHERE left_at IS NULL") == "1"
        });
    });
}

#[test]
fn a_fence_that_is_lifted_in_time_suspends_nobody() {
    support::each(|db| {
        install(db);
        let (tell, told) = mpsc::channel();
        let instance = join(api(&db.url).on_change(move |now| tell.send(now).unwrap())).unwrap();
        assert_eq!(told.recv_timeout(PATIENCE), Ok(Readiness::Serving));
        until_renewed(db);
        fence(db, "0002_b", "tolerate", "provisional");
        until("a knock", || value(db, "SELECT knocked_by FROM zdm_fence") != "NULL");
        unfence(db);
        until_renewed(db);
        assert!(instance.ready());
        assert!(told.try_recv().is_err());
    });
}

#[test]
fn a_final_fence_stops_an_instance_for_good() {
    support::each(|db| {
        install(db);
        let instance = join(api(&db.url)).unwrap();
        fence(db, "0002_b", "tolerate", "final");
        let StopReason::Fenced(refusal) = wait(instance.stopped()) else { panic!("not fenced") };
        assert_eq!(refusal.migration(), "0002_b");
        assert!(!instance.ready() && instance.live());
        assert_eq!(instance.readiness(), Readiness::Stopped);
        wait(instance.leave());
    });
}

#[test]
fn an_instance_whose_lease_is_gone_joins_again() {
    support::each(|db| {
        install(db);
        let (tell, told) = mpsc::channel();
        let instance = join(api(&db.url).on_change(move |now| tell.send(now).unwrap())).unwrap();
        assert_eq!(told.recv_timeout(PATIENCE), Ok(Readiness::Serving));
        // What a restored backup looks like.
        run(db, "DELETE FROM zdm_lease");
        until("another lease", || value(db, "SELECT count(*) FROM zdm_lease") == "1");
        assert!(instance.ready());
        assert!(told.try_recv().is_err());
    });
}

#[test]
fn a_shorter_and_a_longer_ttl_are_taken_up() {
    support::each(|db| {
        install(db);
        let instance = join(api(&db.url)).unwrap();
        run(db, "UPDATE zdm_service SET ttl_ms = 4000");
        until("the longer one", || value(db, "SELECT ttl_ms FROM zdm_lease") == "4000");
        std::thread::sleep(2 * TTL);
        assert!(instance.ready());
    });
}

#[test]
fn a_dropped_instance_stops_renewing() {
    support::each(|db| {
        install(db);
        let instance = join(api(&db.url)).unwrap();
        until_renewed(db);
        let second = instance.clone();
        drop(instance);
        until_renewed(db);
        drop(second);
        let live = "SELECT count(*) FROM zdm_lease WHERE left_at IS NULL AND seen_at > UTC_TIMESTAMP(6) - INTERVAL '2' SECOND";
        until("the lease expires", || value(db, live) == "0");
        assert_eq!(value(db, "SELECT count(*) FROM zdm_lease WHERE left_at IS NULL"), "1");
    });
}

#[test]
fn twenty_instances_join_and_renew_side_by_side() {
    support::each(|db| {
        install(db);
        run(db, "DELETE FROM zdm_service");
        let began = Instant::now();
        let instances: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..20)
                .map(|number| {
                    let builder = api(&db.url).instance(format!("web-{number}"));
                    scope.spawn(move || join(builder).unwrap())
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
        assert!(instances.iter().all(zdm::Instance::ready));
        assert_eq!(value(db, "SELECT count(*) FROM zdm_lease"), "20");
    });
}

#[test]
fn who_drains_begins_nothing_and_keeps_its_lease_until_it_leaves() {
    support::each(|db| {
        install(db);
        let (tell, told) = mpsc::channel();
        let instance =
            join(api(&db.url).on_change(move |now| tell.send(now).unwrap_or_default())).unwrap();
        assert_eq!(told.recv_timeout(PATIENCE), Ok(Readiness::Serving));
        instance.drain();
        assert!(!instance.ready() && instance.live());
        assert_eq!(told.recv_timeout(PATIENCE), Ok(Readiness::Draining));
        until_renewed(db);
        assert_eq!(instance.readiness(), Readiness::Draining);
        wait(instance.leave());
        assert_eq!(value(db, "SELECT count(*) FROM zdm_lease WHERE left_at IS NOT NULL"), "1");
        assert_eq!(instance.readiness(), Readiness::Stopped);
    });
}
