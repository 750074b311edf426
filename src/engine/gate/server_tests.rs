//! The gate on real servers, with instances that call the functions for applications.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests do not count as tests for clippy"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::dead::Lifted;
use super::*;
use crate::config::{Config, GateConfig, ServiceConfig};
use crate::database::lease::{self, Joined, Renewed, Report};
use crate::database::state;
use crate::database::state::events::{EventFilter, events};
use crate::database::state::run_lock::{acquire_run, release_run};
use crate::database::target::{DatabaseUrl, Target};
use crate::engine::event::{Event, Listener};
use crate::engine::interrupt::{Interrupt, Signal};
use crate::engine::job::{Elsewhere, Selection};
use crate::error::ErrorKind;
use crate::model::fence::FenceStatus;
use crate::model::lease::{Ending, Reached, parse_tolerates};
use crate::plan::migration::ContractSettings;
use crate::plan::project::Project;
use crate::support;

const TTL: Duration = Duration::from_millis(600);
/// Nothing renews it here.
const RUN_LOCK: Duration = Duration::from_hours(1);
pub(super) const OLD: &str = "0004_j";
pub(super) const NEW: &str = "0004_j,0005_k";

/// One database with its state, one run that has the lock.
pub(super) struct World {
    pub(super) job: Job,
    pub(super) conn: Connection,
    pub(super) token: RunToken,
    pub(super) migration: Migration,
}

#[derive(Debug)]
struct Deaf;

impl Listener for Deaf {
    fn hear(&self, _event: &Event) {}
}

fn id(name: &str) -> MigrationId {
    MigrationId::parse(name).unwrap()
}

pub(super) fn each<F: Future<Output = ()>>(scenario: impl Fn(World) -> F) {
    support::each(|db| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async { scenario(World::new(&db.url).await).await });
    });
}

impl World {
    async fn new(url: &str) -> Self {
        let target = Target {
            url: DatabaseUrl::new(url),
            role: None,
            schemas: Vec::new(),
            application_name: "zdm test".to_owned(),
        };
        let api = ServiceConfig { ttl: TTL, ..ServiceConfig::default() };
        let config = Config {
            services: BTreeMap::from([("api".to_owned(), api)]),
            gate: GateConfig { soak: Duration::ZERO, ..GateConfig::default() },
            ..Config::default()
        };
        let mut conn = Connection::open(&target).await.unwrap();
        state::install::install(&mut conn, None).await.unwrap();
        state::services::declare_services(&mut conn, &config.services).await.unwrap();
        let token = acquire_run(&mut conn, "ann", "h", "zdm contract", RUN_LOCK).await.unwrap();
        // What instances of the new build need is there.
        let sql = conn.sql(
            "INSERT INTO {zdm}migration (id, state, since) VALUES ('0005_k', 'migrated', {now})",
        );
        conn.execute(&sql, &[]).await.unwrap();
        let job = Job {
            project: Arc::new(Project { config, migrations: Vec::new() }),
            target,
            elsewhere: Elsewhere::default(),
            selection: Selection::default(),
            lock_wait: Duration::ZERO,
            run_wait: Duration::ZERO,
            gate_wait: Duration::ZERO,
            overrides: Vec::new(),
            full_speed: false,
            listener: Arc::new(Deaf),
            interrupt: Interrupt::default(),
            command: "zdm contract".to_owned(),
        };
        let migration = Migration {
            id: id("0005_k"),
            description: None,
            deploy_after: Reached::Migrated,
            operations: Vec::new(),
            declaration: None,
            files: BTreeMap::new(),
            backfills: Vec::new(),
            contract: ContractSettings::default(),
        };
        Self { job, conn, token, migration }
    }

    pub(super) async fn open(&self) -> Connection {
        Connection::open(&self.job.target).await.unwrap()
    }

    pub(super) async fn pass(&mut self, kind: GateKind) -> Result<Passed, Error> {
        pass(&self.job, &mut self.conn, &self.migration, kind, &self.token).await
    }

    /// A fence as the state has it: kind of fence and status.
    pub(super) async fn fences(&mut self) -> Vec<(FenceKind, FenceStatus)> {
        let fences = state::fences::fences(&mut self.conn).await.unwrap();
        fences.into_iter().map(|fence| (fence.kind, fence.status)).collect()
    }

    pub(super) async fn events(&mut self) -> Vec<String> {
        let events = events(&mut self.conn, &EventFilter::default()).await.unwrap();
        let kinds = events.into_iter().map(|event| event.kind);
        // What making the state leaves is not the gate's.
        kinds.filter(|kind| kind != "first_seen").collect()
    }

    /// Another run takes the place of this one, which is dead.
    async fn next_run(&mut self) {
        release_run(&mut self.conn, &self.token).await.unwrap();
        self.token =
            acquire_run(&mut self.conn, "bob", "h", "zdm contract", RUN_LOCK).await.unwrap();
    }
}

pub(super) async fn try_join(
    conn: &mut Connection,
    tolerates: &str,
    needs: &[&str],
    ending: Ending,
) -> Joined {
    let report = Report {
        service: "api".to_owned(),
        version: "41".to_owned(),
        instance: "web-1".to_owned(),
        tolerates: parse_tolerates(tolerates),
        needs: needs.iter().map(|name| (id(name), Reached::Migrated)).collect(),
        ending,
    };
    lease::join(conn, &report).await.unwrap()
}

pub(super) async fn join(conn: &mut Connection, tolerates: &str) -> i64 {
    match try_join(conn, tolerates, &[], Ending::Suspends).await {
        Joined::Lease { id, .. } => id,
        other => panic!("{other:?}"),
    }
}

/// Until the fence is up.
async fn fenced(conn: &mut Connection) {
    while state::fences::fences(conn).await.unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn refused(result: Result<Passed, Error>, kind: ErrorKind) -> Error {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), kind, "{error:?}");
    error
}

#[test]
fn contract_is_refused_while_an_old_lease_lives_and_no_fence_is_left() {
    each(|mut world| async move {
        let mut app = world.open().await;
        join(&mut app, NEW).await;
        let old = join(&mut app, OLD).await;
        let error = refused(world.pass(GateKind::Contract).await, ErrorKind::Blocked);
        assert!(error.detail[0].contains("instance \"web-1\" of service \"api\", version 41"));
        assert!(error.retry_after.unwrap() <= TTL);
        assert_eq!(world.fences().await, []);
        assert_eq!(world.events().await, ["gate_refused"]);
        // Nobody noticed.
        let renewed = lease::renew(&mut app, old).await.unwrap();
        assert!(matches!(renewed, Renewed::Held { .. }), "{renewed:?}");
    });
}

#[test]
fn a_world_without_declared_services_is_unknown_and_leaves_no_fence() {
    each(|mut world| async move {
        let project = Project { config: Config::default(), migrations: Vec::new() };
        world.job.project = Arc::new(project);
        let error = refused(world.pass(GateKind::Contract).await, ErrorKind::Unknown);
        assert!(error.detail[0].contains("no service is declared"), "{error:?}");
        assert_eq!(world.fences().await, []);
        world.job.overrides = vec![("lease".to_owned(), "typo".to_owned())];
        refused(world.pass(GateKind::Contract).await, ErrorKind::Usage);
    });
}

#[test]
fn a_gate_that_is_passed_keeps_old_instances_out_for_good() {
    each(|mut world| async move {
        let mut app = world.open().await;
        let old = join(&mut app, OLD).await;
        join(&mut app, NEW).await;
        lease::leave(&mut app, old).await.unwrap();
        let began = Instant::now();
        let passed = world.pass(GateKind::Contract).await.unwrap();
        assert!(began.elapsed() >= TTL, "{:?}", began.elapsed());
        assert_eq!(world.fences().await, [(FenceKind::Tolerate, FenceStatus::Provisional)]);

        world.conn.begin().await.unwrap();
        passed.confirm(&mut world.conn).await.unwrap();
        passed.make_final(&mut world.conn).await.unwrap();
        world.conn.commit().await.unwrap();
        assert_eq!(world.fences().await, [(FenceKind::Tolerate, FenceStatus::Final)]);
        let late = try_join(&mut app, OLD, &[], Ending::Suspends).await;
        assert!(matches!(late, Joined::Fenced(_)), "{late:?}");
        join(&mut app, NEW).await;
        assert_eq!(world.events().await, ["gate_fenced", "gate_final"]);
        // The next run finds it passed, and does not wait again.
        world.next_run().await;
        let again = world.pass(GateKind::Contract).await.unwrap();
        assert_eq!(again.fence.epoch, passed.fence.epoch);

        // The mirror image: contract is undone.
        world.conn.begin().await.unwrap();
        remove(&mut world.conn, &id("0005_k"), GateKind::Contract).await.unwrap();
        world.conn.commit().await.unwrap();
        join(&mut app, OLD).await;
        let epoch = state::fences::lock_gate(&mut world.conn).await.unwrap();
        assert_eq!(epoch, passed.fence.epoch + 1);
    });
}

#[test]
fn an_old_instance_that_joins_during_the_wait_lifts_the_fence() {
    each(|mut world| async move {
        let mut app = world.open().await;
        let mut looker = world.open().await;
        join(&mut app, NEW).await;
        let knock = async {
            fenced(&mut looker).await;
            try_join(&mut app, OLD, &[], Ending::Suspends).await
        };
        let (result, knocked) = tokio::join!(world.pass(GateKind::Contract), knock);
        assert!(matches!(knocked, Joined::Fencing(_)), "{knocked:?}");
        let error = refused(result, ErrorKind::Blocked);
        assert!(error.detail[0].contains("web-1"), "{error:?}");
        assert_eq!(world.fences().await, []);
        assert_eq!(world.events().await, ["gate_fenced", "gate_refused", "gate_lifted"]);
        join(&mut app, OLD).await;
    });
}

#[test]
fn an_old_instance_whose_lease_looks_expired_is_waited_for() {
    // Its renewal was under way when the fence was made: it serves on until a deadline of its own.
    each(|mut world| async move {
        let mut app = world.open().await;
        join(&mut app, OLD).await;
        tokio::time::sleep(TTL).await;
        let new = join(&mut app, NEW).await;
        lease::leave(&mut app, new).await.unwrap();
        let began = Instant::now();
        let passed = world.pass(GateKind::Contract).await.unwrap();
        assert!(began.elapsed() >= TTL, "{:?}", began.elapsed());
        let error = Error::new(ErrorKind::Busy, "a lock could not be had");
        passed.give_up(&world.job, &mut world.conn, error).await;
        assert_eq!(world.fences().await, []);
    });
}

#[test]
fn an_expired_lease_that_only_reports_is_unknown() {
    each(|mut world| async move {
        let mut app = world.open().await;
        try_join(&mut app, OLD, &[], Ending::Reports).await;
        tokio::time::sleep(TTL).await;
        join(&mut app, NEW).await;
        let error = refused(world.pass(GateKind::Contract).await, ErrorKind::Unknown);
        assert!(error.detail[0].contains("only reports"), "{error:?}");
    });
}

#[test]
fn a_knock_after_the_wait_is_found_before_anything_is_taken_away() {
    each(|mut world| async move {
        let mut app = world.open().await;
        let new = join(&mut app, NEW).await;
        lease::leave(&mut app, new).await.unwrap();
        let began = Instant::now();
        let passed = world.pass(GateKind::Contract).await.unwrap();
        // Nobody is left who could hold a lease: nothing to wait for.
        assert!(began.elapsed() < TTL, "{:?}", began.elapsed());
        passed.still_holds(&mut world.conn).await.unwrap();
        let knocked = try_join(&mut app, OLD, &[], Ending::Suspends).await;
        assert!(matches!(knocked, Joined::Fencing(_)), "{knocked:?}");
        world.conn.begin().await.unwrap();
        let Err(Unconfirmed::Refused(error)) = passed.confirm(&mut world.conn).await else {
            panic!()
        };
        world.conn.rollback().await.unwrap();
        assert_eq!(error.kind(), ErrorKind::Blocked);
        passed.give_up(&world.job, &mut world.conn, *error).await;
        assert_eq!(world.fences().await, []);
    });
}

#[test]
fn nobody_joins_between_the_check_and_the_end_of_the_hide() {
    each(|mut world| async move {
        let mut app = world.open().await;
        let new = join(&mut app, NEW).await;
        lease::leave(&mut app, new).await.unwrap();
        let passed = world.pass(GateKind::Contract).await.unwrap();
        world.conn.begin().await.unwrap();
        passed.confirm(&mut world.conn).await.unwrap();
        let hide = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            passed.make_final(&mut world.conn).await.unwrap();
            world.conn.commit().await.unwrap();
            Instant::now()
        };
        let late = async {
            let joined = try_join(&mut app, OLD, &[], Ending::Suspends).await;
            (joined, Instant::now())
        };
        let (hidden, (late, answered)) = tokio::join!(hide, late);
        assert!(matches!(late, Joined::Fenced(_)), "{late:?}");
        assert!(answered + Duration::from_millis(50) >= hidden);
    });
}

#[test]
fn the_fence_of_a_gate_that_died_is_ended_by_the_next_command() {
    each(|mut world| async move {
        let mut app = world.open().await;
        let new = join(&mut app, NEW).await;
        lease::leave(&mut app, new).await.unwrap();
        for (hidden, wanted) in [
            (BTreeSet::new(), Lifted::Lifted(id("0005_k"))),
            (BTreeSet::from([id("0005_k")]), Lifted::MadeFinal(id("0005_k"))),
        ] {
            let passed = world.pass(GateKind::Contract).await.unwrap();
            // A run leaves its own fence alone.
            assert_eq!(lift_dead(&mut world.conn, &world.token, &hidden).await.unwrap(), []);
            world.next_run().await;
            let lifted = lift_dead(&mut world.conn, &world.token, &hidden).await.unwrap();
            assert_eq!(lifted, [wanted]);
            // The gate that was thought dead wakes up: it has lost its lock.
            world.conn.begin().await.unwrap();
            let late = passed.confirm(&mut world.conn).await;
            world.conn.rollback().await.unwrap();
            let Err(Unconfirmed::Database(error)) = late else { panic!("{late:?}") };
            assert!(error.message.contains("lost its lock"));
        }
        assert_eq!(world.fences().await, [(FenceKind::Tolerate, FenceStatus::Final)]);
    });
}

#[test]
fn of_two_gates_the_one_without_the_run_lock_changes_nothing() {
    each(|mut world| async move {
        let mut app = world.open().await;
        let new = join(&mut app, NEW).await;
        lease::leave(&mut app, new).await.unwrap();
        let first = world.pass(GateKind::Contract).await.unwrap();
        let mut other = world.open().await;
        let stranger = RunToken("stranger".to_owned());
        let second = pass(&world.job, &mut other, &world.migration, GateKind::Contract, &stranger);
        let error = refused(second.await, ErrorKind::Busy);
        assert!(error.message.contains("another run took over"), "{error:?}");
        first.still_holds(&mut world.conn).await.unwrap();
    });
}

#[test]
fn a_gate_that_is_interrupted_lifts_its_fence() {
    each(|mut world| async move {
        let mut app = world.open().await;
        let mut looker = world.open().await;
        join(&mut app, NEW).await;
        let interrupt = world.job.interrupt.clone();
        let stop = async {
            fenced(&mut looker).await;
            interrupt.raise(Signal::Terminate);
        };
        let (result, ()) = tokio::join!(world.pass(GateKind::Contract), stop);
        refused(result, ErrorKind::Terminated);
        assert_eq!(world.fences().await, []);
        assert_eq!(world.events().await, ["gate_fenced", "gate_lifted"]);
    });
}

#[test]
fn a_gate_whose_connection_dies_lifts_its_fence_by_another() {
    each(|mut world| async move {
        let mut app = world.open().await;
        let mut killer = world.open().await;
        join(&mut app, NEW).await;
        let backend = world.conn.backend();
        let kill = async {
            fenced(&mut killer).await;
            let sql = if killer.engine().is_mysql_family() {
                format!("KILL {backend}")
            } else {
                format!("SELECT pg_terminate_backend({backend})")
            };
            killer.run(&sql).await.unwrap();
        };
        let (result, ()) = tokio::join!(world.pass(GateKind::Contract), kill);
        refused(result, ErrorKind::Failed);
        world.conn = world.open().await;
        assert_eq!(world.fences().await, []);
    });
}

#[test]
fn an_override_passes_the_gate_and_is_recorded() {
    each(|mut world| async move {
        let mut app = world.open().await;
        let old = join(&mut app, OLD).await;
        world.job.overrides = vec![
            ("leases".to_owned(), "web-1 is a test".to_owned()),
            ("soak".to_owned(), "it is urgent".to_owned()),
        ];
        let passed = world.pass(GateKind::Contract).await.unwrap();
        let renewed = lease::renew(&mut app, old).await.unwrap();
        assert!(!matches!(renewed, Renewed::Held { .. }), "{renewed:?}");
        passed.still_holds(&mut world.conn).await.unwrap();
        let all = world.events().await;
        assert_eq!(all.iter().filter(|kind| *kind == "gate_overridden").count(), 1, "{all:?}");
    });
}

#[test]
fn a_rollback_is_refused_while_a_live_instance_needs_the_migration() {
    each(|mut world| async move {
        let mut app = world.open().await;
        let Joined::Lease { id: new, .. } =
            try_join(&mut app, NEW, &["0005_k"], Ending::Suspends).await
        else {
            panic!()
        };
        let error = refused(world.pass(GateKind::Rollback).await, ErrorKind::Blocked);
        assert!(error.detail[0].contains("needs 0005_k"), "{error:?}");
        lease::leave(&mut app, new).await.unwrap();
        let passed = world.pass(GateKind::Rollback).await.unwrap();
        assert_eq!(world.fences().await, [(FenceKind::Withdraw, FenceStatus::Provisional)]);
        join(&mut app, OLD).await;
        world.conn.begin().await.unwrap();
        passed.confirm(&mut world.conn).await.unwrap();
        passed.make_final(&mut world.conn).await.unwrap();
        world.conn.commit().await.unwrap();
        let late = try_join(&mut app, NEW, &["0005_k"], Ending::Suspends).await;
        assert!(matches!(late, Joined::Fenced(_)), "{late:?}");
    });
}

#[test]
fn waiting_for_a_gate_ends_when_the_old_instance_has_left_or_time_is_up() {
    each(|mut world| async move {
        let mut app = world.open().await;
        join(&mut app, NEW).await;
        let old = join(&mut app, OLD).await;
        let World { job, conn, migration, .. } = &mut world;
        let kind = GateKind::Contract;
        let error = await_clear(job, conn, migration, kind, Instant::now()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Blocked);
        // A live lease says when it ends at the latest, so that the next look comes soon.
        let until = Instant::now() + Duration::from_millis(300);
        assert!(await_clear(job, conn, migration, kind, until).await.is_err());
        lease::renew(&mut app, old).await.unwrap();
        let later = async {
            lease::leave(&mut app, old).await.unwrap();
            join(&mut app, NEW).await;
        };
        let until = Instant::now() + Duration::from_mins(1);
        let (waited, ()) = tokio::join!(await_clear(job, conn, migration, kind, until), later);
        waited.unwrap();
    });
}
