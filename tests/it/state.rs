//! The state that zdm keeps in the database: how it comes to be, and what it refuses.

use std::process::Stdio;

use crate::cli::Project;
use crate::support::{self, Db, Engine};

/// A project with one migration.
fn project(db: &Db) -> Project {
    let project = Project::on(db);
    let create = "CREATE TABLE users (id bigint PRIMARY KEY);\n";
    project.file("migrations/0001_users/expand.sql", create);
    project
}

/// A statement on the state, written with the names of MySQL and MariaDB.
fn state(db: &Db, text: &str) -> String {
    if db.engine == Engine::Postgres { text.replace("zdm_", "zdm.") } else { text.to_owned() }
}

fn tables_of_zdm(db: &Db) -> String {
    db.value(match db.engine {
        Engine::Postgres => {
            "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'zdm'"
        }
        Engine::MariaDb => {
            "SELECT count(*) FROM information_schema.tables \
             WHERE table_schema = DATABASE() AND table_name LIKE 'zdm%'"
        }
    })
}

#[test]
fn eight_zdm_that_start_at_once_on_an_empty_database_all_succeed() {
    support::each(|db| {
        let project = project(db);
        let start = |_| {
            let mut command = project.command(&["expand", "--run-wait", "2m"]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let all: Vec<_> = (0..8).map(start).collect();
        for child in all {
            let output = child.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(0), "{said}");
        }
        // One of them ran it.
        let begun = state(db, "SELECT count(*) FROM zdm_step WHERE progress = 'done'");
        assert_eq!(db.value(&begun), "1");
        assert_eq!(db.value(&state(db, "SELECT count(*) FROM zdm_run WHERE token IS NULL")), "1");
    });
}

#[test]
fn commands_that_only_read_leave_an_empty_database_empty() {
    support::each(|db| {
        let project = project(db);
        for command in [&["status"][..], &["instances"], &["events"]] {
            project.zdm(command).ended(0);
            assert_eq!(tables_of_zdm(db), "0", "after {command:?}");
        }
    });
}

#[test]
fn a_state_made_by_a_newer_zdm_is_refused_by_every_command() {
    support::each(|db| {
        let project = project(db);
        project.zdm(&["expand"]).ended(0);
        db.run(&state(
            db,
            "INSERT INTO zdm_schema_history (version, name, applied_on, checksum) \
             VALUES (900, 'future', '2030-01-01T00:00:00Z', '1')",
        ));
        for command in ["expand", "contract", "status", "instances"] {
            project.zdm(&[command]).ended(2).says("made by a newer zdm");
        }
    });
}

#[test]
fn a_copy_of_the_database_is_recognised_until_it_is_adopted() {
    let Some(db) = support::postgres() else { return };
    let project = project(&db);
    project.zdm(&["expand"]).ended(0);
    let copy = format!("{}_copy", db.name);
    let admin = support::postgres().unwrap();
    admin.run(&format!("CREATE DATABASE {copy} TEMPLATE {}", db.name));
    let project = project.at(&db.url.replace(&db.name, &copy));
    for command in ["status", "expand", "contract"] {
        project.zdm(&[command]).ended(7).says("this database is a copy").says(&db.name);
    }
    let session = support::Session::open(&db.url.replace(&db.name, &copy));
    session.run("DELETE FROM zdm.identity");
    project.zdm(&["expand"]).ended(0);
    project.zdm(&["status"]).ended(0);
    drop(session);
    admin.run(&format!("DROP DATABASE {copy} WITH (FORCE)"));
}

#[test]
fn another_environment_than_that_of_the_state_is_refused() {
    support::each(|db| {
        let project = project(db);
        let settings = "[environments.production]\n[environments.staging]\n";
        project.file("zdm.toml", settings);
        project.zdm(&["expand", "--env", "production"]).ended(0);
        project.zdm(&["status", "--env", "staging"]).ended(7).says("environment \"production\"");
        project.zdm(&["status", "--env", "production"]).ended(0);
    });
}

#[test]
fn a_role_without_the_right_to_create_is_told_what_it_needs() {
    support::each(|db| {
        let url = db.user("poor");
        if db.engine == Engine::MariaDb {
            db.run(&format!("GRANT SELECT ON {}.* TO '{}'@'%'", db.name, db.user_name("poor")));
        }
        let project = project(db).at(&url);
        let said = project.zdm(&["expand"]).ended(1);
        said.says("could not make the state of zdm in this database").says("CREATE");
        assert_eq!(tables_of_zdm(db), "0");
    });
}

#[test]
fn events_can_be_added_and_nothing_else() {
    support::each(|db| {
        let project = project(db);
        project.zdm(&["expand"]).ended(0);
        project.zdm(&["events"]).ended(0).says("0001_users");
        for change in ["UPDATE zdm_event SET message = 'x'", "DELETE FROM zdm_event"] {
            let refused = db.session().try_run(&state(db, change)).unwrap_err();
            assert!(refused.contains("never changed or deleted"), "{refused}");
        }
    });
}

#[test]
fn declared_roles_may_call_the_functions_and_nothing_else() {
    support::each(|db| {
        let url = db.user("app");
        let project = project(db);
        let role = db.user_name("app");
        project.file("zdm.toml", &format!("[services.api]\nroles = [\"{role}\", \"nobody\"]\n"));
        project.zdm(&["expand"]).ended(0).says("have somebody run").says("nobody");
        let app = support::Session::open(&url);
        let call = "join_v1('api', '1', 'web-1', '', '', 'suspends')";
        app.run(&match db.engine {
            Engine::Postgres => format!("SELECT * FROM zdm.{call}"),
            Engine::MariaDb => format!("CALL zdm_{call}"),
        });
        for forbidden in ["SELECT * FROM zdm_lease", "DELETE FROM zdm_fence", "SELECT * FROM users"]
        {
            assert!(app.try_run(&state(db, forbidden)).is_err(), "{forbidden}");
        }
    });
}

#[test]
fn leases_that_ended_long_ago_are_forgotten_unless_they_still_say_something() {
    support::each(|db| {
        let project = project(db);
        project.zdm(&["expand"]).ended(0);
        // Name, service, how it ends, how many days ago it was seen, whether it left.
        let leases = [
            ("left", "api", "suspends", 100, true),
            ("expired", "api", "suspends", 100, false),
            ("silent", "api", "reports", 100, false),
            ("reported", "api", "reports", 100, true),
            ("lately", "api", "suspends", 80, true),
            ("last", "api", "suspends", 1, true),
            ("nightly", "cron", "suspends", 300, true),
        ];
        for (name, service, ending, days, has_left) in leases {
            let at = match db.engine {
                Engine::Postgres => format!("clock_timestamp() - interval '{days} days'"),
                Engine::MariaDb => format!("UTC_TIMESTAMP(6) - INTERVAL {days} DAY"),
            };
            let left = if has_left { at.as_str() } else { "NULL" };
            db.run(&state(
                db,
                &format!(
                    "INSERT INTO zdm_lease (service, version, instance, tolerates, needs, ending, ttl_ms, beat, joined_at, \
                     seen_at, left_at) VALUES ('{service}', '1', '{name}', '', '', '{ending}', 1000, 0, {at}, {at}, {left})"
                ),
            ));
        }
        let names = || {
            let rows = db.rows(&state(db, "SELECT instance FROM zdm_lease ORDER BY id"));
            rows.concat().join(" ")
        };
        project.file("zdm.toml", "[services.api]\n[gate]\nsoak = \"120d\"\n");
        project.zdm(&["expand"]).ended(0);
        assert_eq!(names(), "left expired silent reported lately last nightly");
        project.file("zdm.toml", "[services.api]\n");
        project.zdm(&["expand"]).ended(0);
        assert_eq!(names(), "silent lately last nightly");
    });
}
