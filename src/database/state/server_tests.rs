//! The state on real servers.
#![expect(clippy::unwrap_used, reason = "helpers of tests do not count as tests for clippy")]

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use super::error::StateError;
use super::install::{Installed, install, installed, open_for_reading};
use super::run_lock::{
    AcquireError, RunToken, acquire_run, check_run, release_run, renew_run, run_owner,
};
use super::{checkpoints, events, fences, identity, journal, leases, now, services};
use crate::config::ServiceConfig;
use crate::database::connection::Connection;
use crate::database::error::DbErrorKind;
use crate::database::target::{DatabaseUrl, Target};
use crate::model::fence::{Fence, FenceKind, FenceStatus};
use crate::model::journal::Progress;
use crate::model::name::MigrationId;
use crate::model::phase::Phase;
use crate::model::state::State;
use crate::model::step::{Action, Group, Seal, Step};
use crate::support::{self, Db};

/// Runs an async scenario on a fresh database of each family.
fn each<F: Future<Output = ()>>(scenario: impl Fn(Target) -> F) {
    support::each(|db: &Db| wait(scenario(target(&db.url))));
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(future)
}

fn target(url: &str) -> Target {
    Target {
        url: DatabaseUrl::new(url),
        role: None,
        schemas: Vec::new(),
        application_name: "zdm test".to_owned(),
    }
}

async fn open(target: &Target) -> Connection {
    Connection::open(target).await.unwrap()
}

async fn ready(target: &Target) -> Connection {
    let mut conn = open(target).await;
    install(&mut conn, None).await.unwrap();
    conn
}

async fn acquire(conn: &mut Connection, ttl: Duration) -> Result<RunToken, AcquireError> {
    acquire_run(conn, "ann", "host", "zdm expand", ttl).await
}

const LONG: Duration = Duration::from_mins(1);

fn id(name: &str) -> MigrationId {
    MigrationId::parse(name).unwrap()
}

fn step(name: &str) -> Step {
    let group = Group { statements: Vec::new(), lock_tables: Vec::new(), hides: false };
    Step {
        name: name.to_owned(),
        title: format!("do {name}"),
        tables: Vec::new(),
        seal: Seal("s".to_owned()),
        action: Action::Statements(group),
        origin: None,
    }
}

#[test]
fn eight_who_install_at_once_all_succeed() {
    each(|target| async move {
        for _ in 0..2 {
            let mut all = tokio::task::JoinSet::new();
            for _ in 0..8 {
                let target = target.clone();
                all.spawn(async move {
                    let mut conn = Connection::open(&target).await.unwrap();
                    install(&mut conn, Some("test")).await
                });
            }
            while let Some(done) = all.join_next().await {
                done.unwrap().unwrap();
            }
        }
        let mut conn = open(&target).await;
        assert_eq!(installed(&mut conn).await.unwrap(), Installed::Yes);
        let sql = conn.sql("SELECT COUNT(*) FROM {zdm}schema_history");
        let files = super::schema::files(conn.engine()).len();
        assert_eq!(conn.query_one(&sql, &[]).await.unwrap().text(0).unwrap(), files.to_string());
    });
}

#[test]
fn a_look_at_an_empty_database_leaves_it_empty() {
    each(|target| async move {
        let mut conn = open(&target).await;
        assert!(!open_for_reading(&mut conn, None).await.unwrap());
        assert_eq!(installed(&mut conn).await.unwrap(), Installed::No);
        // Other tests have databases on the same server.
        let own = if conn.engine().is_mysql_family() { "DATABASE()" } else { "'zdm'" };
        let sql =
            format!("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = {own}");
        assert_eq!(conn.query_one(&sql, &[]).await.unwrap().int(0).unwrap(), 0);
    });
}

#[test]
fn a_state_made_by_a_newer_zdm_is_refused() {
    each(|target| async move {
        let mut conn = ready(&target).await;
        let sql = conn.sql(
            "INSERT INTO {zdm}schema_history (version, name, applied_on, checksum) \
             VALUES (900, 'future', '2030-01-01T00:00:00Z', '1')",
        );
        conn.execute(&sql, &[]).await.unwrap();
        let newer = StateError::Newer { newest: 900 };
        assert_eq!(install(&mut conn, None).await, Err(newer.clone()));
        assert_eq!(open_for_reading(&mut conn, None).await, Err(newer.clone()));
        let error = crate::error::Error::from(newer);
        assert_eq!(error.kind(), crate::error::ErrorKind::Usage);
        assert!(error.to_string().contains("made by a newer zdm"));
    });
}

#[test]
fn an_interrupted_installation_is_completed() {
    // On MySQL and MariaDB a file can end half applied; on PostgreSQL the schema can be there alone.
    each(|target| async move {
        let mut conn = open(&target).await;
        let files = super::schema::files(conn.engine());
        if conn.engine().is_mysql_family() {
            for statement in super::schema::statements(files[0].1).iter().take(5) {
                conn.run(statement).await.unwrap();
            }
        } else {
            conn.run("CREATE SCHEMA zdm").await.unwrap();
        }
        install(&mut conn, None).await.unwrap();
        assert_eq!(installed(&mut conn).await.unwrap(), Installed::Yes);
    });
}

#[test]
fn a_role_that_may_not_create_is_told_what_it_needs() {
    support::each(|db| {
        let url = db.user("poor");
        if db.engine == support::Engine::MariaDb {
            db.run(&format!("GRANT SELECT ON {}.* TO '{}'@'%'", db.name, db.user_name("poor")));
        }
        let error = wait(async {
            let mut conn = Connection::open(&target(&url)).await.unwrap();
            install(&mut conn, None).await.unwrap_err()
        });
        let StateError::NoRight(_) = error else { panic!("{error:?}") };
        let error = crate::error::Error::from(error);
        assert!(error.hint.unwrap().contains("CREATE"));
    });
}

#[test]
fn a_copy_of_the_database_is_recognised() {
    each(|target| async move {
        let mut conn = open(&target).await;
        install(&mut conn, Some("production")).await.unwrap();
        identity::check(&mut conn, None).await.unwrap();
        let wrong = identity::check(&mut conn, Some("staging")).await.unwrap_err();
        let StateError::Copy { differences } = wrong else { panic!("{wrong:?}") };
        assert!(differences[0].contains("\"production\""), "{differences:?}");
        let sql = conn.sql("UPDATE {zdm}identity SET database_name = 'other', system_id = '7'");
        conn.execute(&sql, &[]).await.unwrap();
        let StateError::Copy { differences } = install(&mut conn, None).await.unwrap_err() else {
            panic!()
        };
        assert_eq!(differences.len(), 2);
        let sql = conn.sql("DELETE FROM {zdm}identity");
        conn.execute(&sql, &[]).await.unwrap();
        install(&mut conn, None).await.unwrap();
    });
}

#[test]
fn one_run_at_a_time_and_the_second_learns_whose_it_is() {
    each(|target| async move {
        let mut conn = ready(&target).await;
        let mut other = open(&target).await;
        let token = acquire(&mut conn, LONG).await.unwrap();
        let Err(AcquireError::Busy(owner)) = acquire(&mut other, LONG).await else { panic!() };
        assert_eq!((owner.owner.as_str(), owner.host.as_str()), ("ann", "host"));
        assert!(!owner.expired && (0..60_000).contains(&owner.age_ms), "{owner:?}");
        renew_run(&mut other, &token, LONG).await.unwrap();
        release_run(&mut conn, &token).await.unwrap();
        assert_eq!(run_owner(&mut conn).await.unwrap(), None);
        acquire(&mut other, LONG).await.unwrap();
    });
}

#[test]
fn of_eight_who_want_the_run_lock_at_once_one_gets_it() {
    each(|target| async move {
        ready(&target).await;
        let mut all = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let target = target.clone();
            all.spawn(async move { acquire(&mut open(&target).await, LONG).await.is_ok() });
        }
        let got: Vec<bool> = all.join_all().await;
        assert_eq!(got.iter().filter(|got| **got).count(), 1);
    });
}

#[test]
fn an_expired_lock_is_taken_over_and_its_owner_finds_out() {
    each(|target| async move {
        let mut conn = ready(&target).await;
        let mut other = open(&target).await;
        let token = acquire(&mut conn, Duration::ZERO).await.unwrap();
        // Expired, but still ours as long as nobody took it.
        conn.begin().await.unwrap();
        check_run(&mut conn, &token).await.unwrap();
        conn.commit().await.unwrap();
        let new = acquire(&mut other, LONG).await.unwrap();
        assert_ne!(new, token);
        for result in [check_run(&mut conn, &token).await, renew_run(&mut conn, &token, LONG).await]
        {
            assert!(result.unwrap_err().message.contains("lost its lock"));
        }
        release_run(&mut conn, &token).await.unwrap();
        check_run(&mut other, &new).await.unwrap();
    });
}

#[test]
fn nobody_takes_the_lock_while_a_transaction_that_checked_it_is_open() {
    each(|target| async move {
        let mut conn = ready(&target).await;
        let mut other = open(&target).await;
        let limit = crate::database::connection::LockLimit::SHORT;
        other.limit_lock_waits(limit).await.unwrap();
        let token = acquire(&mut conn, Duration::ZERO).await.unwrap();
        conn.begin().await.unwrap();
        check_run(&mut conn, &token).await.unwrap();
        assert!(matches!(acquire(&mut other, LONG).await, Err(AcquireError::Busy(_))));
        conn.commit().await.unwrap();
        acquire(&mut other, LONG).await.unwrap();
    });
}

#[test]
fn the_journal_says_what_has_been_written() {
    each(|target| async move {
        let mut conn = ready(&target).await;
        let token = acquire(&mut conn, LONG).await.unwrap();
        let (one, two) = (id("0001_a"), id("0002_b"));
        // The second migration ran first.
        for id in [&two, &one] {
            journal::set_state(&mut conn, id, State::Pending, State::Expanding).await.unwrap();
            for name in ["1-x", "2-y"] {
                journal::step_begun(&mut conn, id, Phase::Expand, &step(name), &token)
                    .await
                    .unwrap();
            }
            journal::step_done(&mut conn, id, Phase::Expand, "1-x").await.unwrap();
            journal::step_done(&mut conn, id, Phase::Expand, "1-x").await.unwrap();
        }
        journal::save_base(&mut conn, &one, Some("{}")).await.unwrap();
        let records = journal::journal(&mut conn).await.unwrap();
        assert_eq!([&records[0].id, &records[1].id], [&two, &one]);
        let (first, now) = (&records[1], now(&mut conn).await.unwrap());
        assert_eq!((first.state, first.base.as_deref()), (State::Expanding, Some("{}")));
        assert!((now - 60_000..=now).contains(&first.since));
        let progress: Vec<_> = first.steps.iter().map(|step| step.progress).collect();
        assert_eq!(progress, [Progress::Done, Progress::Begun]);

        journal::step_begun(&mut conn, &one, Phase::Expand, &step("2-y"), &token).await.unwrap();
        let again = journal::step_begun(&mut conn, &one, Phase::Expand, &step("1-x"), &token).await;
        assert!(again.is_err());
        let unknown = journal::step_done(&mut conn, &one, Phase::Expand, "9-z").await;
        assert!(unknown.unwrap_err().message.contains("has not begun"));
        let wrong = journal::set_state(&mut conn, &one, State::Pending, State::Expanding).await;
        assert_eq!(wrong.unwrap_err().message, "migration 0001_a is expanding, not pending");

        journal::step_undone(&mut conn, &one, Phase::Expand, "2-y").await.unwrap();
        journal::forget_steps(&mut conn, &two, &[Phase::Expand]).await.unwrap();
        let records = journal::journal(&mut conn).await.unwrap();
        assert_eq!((records[0].steps.len(), records[1].steps.len()), (1, 0));
    });
}

#[test]
fn a_checkpoint_is_read_as_it_was_written() {
    each(|target| async move {
        let mut conn = ready(&target).await;
        let id = id("0001_a");
        assert_eq!(checkpoints::checkpoint(&mut conn, &id, "b").await.unwrap(), None);
        let mut wanted = checkpoints::Checkpoint {
            upper: vec!["9".to_owned(), "\u{e9}\"".to_owned()],
            cursor: None,
            rows_done: 0,
            rows_estimate: Some(9),
            batch_size: 500,
            done: false,
            window: None,
        };
        for cursor in [None, Some(vec!["5".to_owned(), String::new()])] {
            wanted.cursor = cursor;
            wanted.rows_done += 5;
            wanted.done = !wanted.done;
            let window = checkpoints::Window { to: vec!["7".to_owned(), "x".to_owned()], part: 3 };
            wanted.window = wanted.cursor.is_some().then_some(window);
            for _ in 0..2 {
                checkpoints::save_checkpoint(&mut conn, &id, "b", &wanted).await.unwrap();
            }
            let found = checkpoints::checkpoint(&mut conn, &id, "b").await.unwrap();
            assert_eq!(found.as_ref(), Some(&wanted));
        }
        assert_eq!(checkpoints::checkpoints(&mut conn).await.unwrap().len(), 1);
        checkpoints::forget_checkpoints(&mut conn, &id).await.unwrap();
        assert_eq!(checkpoints::checkpoint(&mut conn, &id, "b").await.unwrap(), None);
    });
}

#[test]
fn events_are_only_ever_added() {
    each(|target| async move {
        let mut conn = ready(&target).await;
        let actor = events::Actor::here();
        let about = id("0001_a");
        for (migration, kind) in [(None, "note"), (Some(&about), "phase_done")] {
            let event = events::NewEvent { migration, kind, message: "m", detail: None };
            events::append_event(&mut conn, &actor, &event).await.unwrap();
        }
        let all = events::events(&mut conn, &events::EventFilter::default()).await.unwrap();
        let kinds: Vec<_> = all.iter().map(|event| event.kind.as_str()).collect();
        assert_eq!(kinds, ["first_seen", "note", "phase_done"]);
        let filter = events::EventFilter { migration: Some(about), ..Default::default() };
        assert_eq!(events::events(&mut conn, &filter).await.unwrap(), all[2..]);

        let mut refused = vec!["UPDATE {zdm}event SET message = 'x'", "DELETE FROM {zdm}event"];
        if !conn.engine().is_mysql_family() {
            refused.push("TRUNCATE {zdm}event");
        }
        for sql in refused {
            let sql = conn.sql(sql);
            let error = conn.run(&sql).await.unwrap_err();
            assert!(error.message.contains("never changed or deleted"), "{error}");
        }
    });
}

#[test]
fn fences_and_the_epoch_are_kept() {
    each(|target| async move {
        let mut conn = ready(&target).await;
        let id = id("0001_a");
        conn.begin().await.unwrap();
        let epoch = fences::lock_gate(&mut conn).await.unwrap() + 1;
        fences::raise_epoch(&mut conn).await.unwrap();
        let fence = Fence {
            migration: id.clone(),
            kind: FenceKind::Tolerate,
            services: Some(vec!["api".to_owned(), "worker".to_owned()]),
            status: FenceStatus::Provisional,
            epoch,
            run_token: "t".to_owned(),
            since: 0,
            knocked_by: None,
        };
        fences::insert_fence(&mut conn, &fence).await.unwrap();
        conn.commit().await.unwrap();
        let found = fences::fence(&mut conn, &id, FenceKind::Tolerate).await.unwrap().unwrap();
        assert_eq!(Fence { since: 0, ..found }, fence);
        assert_eq!(fences::lock_gate(&mut conn).await.unwrap(), epoch);
        assert!(!fences::make_final(&mut conn, &id, FenceKind::Tolerate, epoch - 1).await.unwrap());
        assert!(fences::make_final(&mut conn, &id, FenceKind::Tolerate, epoch).await.unwrap());
        assert!(!fences::make_final(&mut conn, &id, FenceKind::Tolerate, epoch).await.unwrap());
        assert!(fences::delete_fence(&mut conn, &id, FenceKind::Tolerate, epoch).await.unwrap());
        assert_eq!(fences::fences(&mut conn).await.unwrap(), []);
    });
}

#[test]
fn declared_services_get_their_rights_and_nothing_more() {
    support::each(|db| {
        let url = db.user("app");
        let role = db.user_name("app");
        let service = |roles: &[&str]| ServiceConfig {
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            ttl: Duration::from_secs(7),
            ..ServiceConfig::default()
        };
        let declared =
            BTreeMap::from([("api".to_owned(), service(&[&role, "nobody_of_this_name"]))]);
        wait(async {
            let mut conn = ready(&target(&db.url)).await;
            for _ in 0..2 {
                let missing = services::declare_services(&mut conn, &declared).await.unwrap();
                assert!(!missing.is_empty());
                for ungranted in missing {
                    assert!(ungranted.statement.contains("nobody_of_this_name"), "{ungranted:?}");
                    assert!(ungranted.reason.contains("is not there"), "{ungranted:?}");
                }
            }
            // The role can join, and can touch nothing else.
            let mut app = open(&target(&url)).await;
            let join = if app.engine().is_mysql_family() {
                "CALL zdm_join_v1('api', '1', 'i', '0001_a', '', 'suspends')"
            } else {
                "SELECT * FROM zdm.join_v1('api', '1', 'i', '0001_a', '', 'suspends')"
            };
            app.query(join, &[]).await.unwrap();
            let sql = app.sql("SELECT * FROM {zdm}lease");
            assert_eq!(app.query(&sql, &[]).await.unwrap_err().kind, DbErrorKind::Permission);

            let view = leases::leases(&mut conn).await.unwrap();
            let [lease] = view.leases.as_slice() else { panic!("{view:?}") };
            assert_eq!((lease.service.as_str(), lease.ttl), ("api", Duration::from_secs(7)));
            assert!(lease.tolerates.contains(&id("0001_a")) && lease.needs.is_empty());
            assert!((view.now - 60_000..=view.now).contains(&lease.seen_at), "{view:?}");

            services::declare_services(&mut conn, &BTreeMap::new()).await.unwrap();
            let sql = conn.sql("SELECT declared FROM {zdm}service WHERE name = 'api'");
            assert!(!conn.query_one(&sql, &[]).await.unwrap().bool(0).unwrap());
        });
    });
}
