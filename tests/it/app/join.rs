//! Starting up.

use std::time::{Duration, Instant};

use zdm::app::{JoinError, Readiness, StopReason};

use super::{api, fence, install, join, migration, unfence, until, value, wait};
use crate::support::{self, Engine};

#[test]
fn an_instance_joins_serves_and_leaves() {
    support::each(|db| {
        install(db);
        let instance = join(api(&db.url).tolerates("0002_b")).unwrap();
        assert!(instance.ready() && instance.live());
        let reported = "SELECT concat(service, ' ', version, ' ', instance, ' ', tolerates, ' ', ending) FROM zdm_lease";
        assert_eq!(value(db, reported), "api 41 web-1 0002_b suspends");

        wait(instance.leave());
        assert_eq!(value(db, "SELECT count(*) FROM zdm_lease WHERE left_at IS NULL"), "0");
        assert!(!instance.ready() && instance.live());
        assert_eq!(instance.readiness(), Readiness::Stopped);
        assert_eq!(wait(instance.stopped()), StopReason::Left);
        // A second time is harmless.
        wait(instance.leave());
    });
}

#[test]
fn a_needed_migration_is_waited_for() {
    support::each(|db| {
        install(db);
        migration(db, "0002_b", "expanded");
        let manifest = "zdm-manifest 1\nservice api\nneeds 0002_b migrated\n";
        let builder = api(&db.url).manifest(manifest);
        let joining = std::thread::spawn(move || join(builder));
        std::thread::sleep(Duration::from_millis(200));
        assert_eq!(value(db, "SELECT count(*) FROM zdm_lease"), "0");
        migration(db, "0002_b", "migrated");
        let instance = joining.join().unwrap().unwrap();
        assert!(instance.ready());
        assert_eq!(value(db, "SELECT needs FROM zdm_lease"), "0002_b=migrated");
    });
}

#[test]
fn what_is_missing_at_the_end_of_the_wait_is_named() {
    support::each(|db| {
        install(db);
        let builder = api(&db.url)
            .needs_migrated("0002_b")
            .needs_expanded("0003_c")
            .join_timeout(Duration::from_millis(1500));
        let error = join(builder).unwrap_err();
        assert!(matches!(error, JoinError::Missing { .. }), "{error}");
        let text = error.to_string();
        assert!(
            text.contains("needs 0002_b migrated and 0003_c expanded: run zdm expand"),
            "{text}"
        );
    });
}

#[test]
fn a_build_that_does_not_tolerate_a_contracted_migration_is_refused_at_once() {
    support::each(|db| {
        install(db);
        fence(db, "0002_b", "tolerate", "final");
        let began = Instant::now();
        let error = join(api(&db.url)).unwrap_err();
        assert!(began.elapsed() < Duration::from_secs(20));
        assert_eq!(
            error.to_string(),
            "migration 0002_b has been contracted, and this build of service \"api\" does not tolerate it: \
             deploy a newer build"
        );
        assert!(join(api(&db.url).tolerates("0002_b")).is_ok());
    });
}

#[test]
fn a_build_that_needs_a_withdrawn_migration_is_refused_at_once() {
    support::each(|db| {
        install(db);
        migration(db, "0002_b", "rolling_back");
        fence(db, "0002_b", "withdraw", "final");
        let error = join(api(&db.url).needs_migrated("0002_b")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "migration 0002_b has been rolled back, and this build of service \"api\" needs it: \
             deploy an older build"
        );
    });
}

#[test]
fn a_join_waits_while_a_gate_is_deciding_and_knocks() {
    support::each(|db| {
        install(db);
        fence(db, "0002_b", "tolerate", "provisional");
        let builder = api(&db.url);
        let joining = std::thread::spawn(move || join(builder));
        until("a knock", || {
            value(db, "SELECT knocked_by FROM zdm_fence") == "api web-1 (version 41)"
        });
        unfence(db);
        assert!(joining.join().unwrap().unwrap().ready());

        fence(db, "0002_b", "tolerate", "provisional");
        let error = join(api(&db.url).join_timeout(Duration::from_millis(10))).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("a contract of migration 0002_b is still being decided"), "{text}");
    });
}

#[test]
fn a_database_without_the_state_is_a_clear_error() {
    support::each(|db| {
        let error = join(api(&db.url)).unwrap_err();
        assert!(matches!(error, JoinError::NotInstalled), "{error}");
        assert_eq!(error.to_string(), "zdm's state is not in this database: run zdm expand first");
    });
}

#[test]
fn a_wrong_password_is_not_tried_for_a_minute_and_not_shown() {
    support::each(|db| {
        install(db);
        let began = Instant::now();
        let url = db.user("app").replace(":secret@", ":s3cret@");
        let error = join(api(&url)).unwrap_err();
        assert!(began.elapsed() < Duration::from_secs(20));
        assert!(
            matches!(error, JoinError::Database(_)) && !error.to_string().contains("s3cret"),
            "{error}"
        );
    });
}

#[test]
fn a_server_that_is_not_there_is_waited_for() {
    let url = "postgres://u:s3cret@127.0.0.1:1/d";
    let error = join(api(url).join_timeout(Duration::from_millis(1200))).unwrap_err();
    assert!(
        matches!(error, JoinError::Database(_)) && !error.to_string().contains("s3cret"),
        "{error}"
    );
}

#[test]
fn a_role_without_rights_is_told_where_it_gets_them() {
    support::each(|db| {
        install(db);
        let url = db.user("app");
        let grant = match db.engine {
            Engine::Postgres => format!("GRANT USAGE ON SCHEMA zdm TO {}", db.user_name("app")),
            Engine::MariaDb => format!("GRANT SELECT ON zdm_run TO '{}'@'%'", db.user_name("app")),
        };
        db.run(&grant);
        let error = join(api(&url)).unwrap_err().to_string();
        assert!(error.contains("name it under roles of the service in zdm.toml"), "{error}");
        assert!(error.contains("denied"), "{error}");
    });
}
