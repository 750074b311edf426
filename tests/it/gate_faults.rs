//! What goes wrong around a gate, and what must come of it:
//!
//! | fault | must come of it |
//! |---|---|
//! | renewals of an old instance are lost, its connection hangs | it suspends itself; contract is BLOCKED by name until the connection has gone |
//! | an instance is stopped (SIGSTOP) across the gate | BLOCKED by name until it is gone (`evidence.rs`) |
//! | an instance is killed (`kill -9`) | contract waits a lease, and goes on (`gate.rs`) |
//! | a gate is killed after each of its steps | an old build that starts lifts the fence; nothing is left |
//! | fifty instances start at once, half of them old, while a contract decides | either the contract is done and no old one joined, or no fence is left |
//! | the database is away for three TTLs | instances suspend, none stops (`app/outage.rs`) |

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::cli::Project;
use crate::support::{self, Db, Engine, Network, Proxy, Session};

/// How long anything may take to happen on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);
const NEW: &str = "0002_name";
const DROP: &str = "ALTER TABLE users DROP COLUMN name;\n";

fn project(db: &Db, ttl: u32) -> Project {
    let project = Project::on(db);
    project.file("zdm.toml", &format!("[services.api]\nttl = \"{ttl}s\"\n[gate]\nsoak = \"0s\"\n"));
    let create = "CREATE TABLE users (id bigint PRIMARY KEY, name varchar(100));\n";
    project.file("migrations/0001_users/expand.sql", create);
    project.file("migrations/0002_name/contract.sql", DROP);
    project.zdm(&["expand"]).ended(0);
    project
}

/// A statement on the state, written with the names of MySQL and MariaDB.
fn state(db: &Db, text: &str) -> String {
    match db.engine {
        Engine::Postgres => {
            text.replace("zdm_", "zdm.").replace("UTC_TIMESTAMP(6)", "clock_timestamp()")
        }
        Engine::MariaDb => text.to_owned(),
    }
}

fn join(engine: Engine, session: &Session, tolerates: &str) -> (String, String) {
    let call = format!("join_v1('api', '41', 'web-1', '{tolerates}', '', 'suspends')");
    let rows = match engine {
        Engine::Postgres => session.rows(&format!("SELECT outcome, lease FROM zdm.{call}")),
        Engine::MariaDb => session.rows(&format!("CALL zdm_{call}")),
    };
    (rows[0][0].clone(), rows[0][1].clone())
}

fn leave(engine: Engine, session: &Session, lease: &str) {
    match engine {
        Engine::Postgres => session.run(&format!("SELECT * FROM zdm.leave_v1({lease})")),
        Engine::MariaDb => session.run(&format!("CALL zdm_leave_v1({lease})")),
    }
}

fn new_build_ran(db: &Db) {
    let session = db.session();
    let (outcome, lease) = join(db.engine, &session, NEW);
    assert_eq!(outcome, "joined");
    leave(db.engine, &session, &lease);
}

fn fences(db: &Db) -> String {
    db.rows(&state(db, "SELECT status FROM zdm_fence")).concat().concat()
}

fn has_column(db: &Db) -> bool {
    db.session().try_run("SELECT name FROM users").is_ok()
}

/// The run lock of a run that was killed would expire by itself, in half a minute.
fn expire_run(db: &Db) {
    db.run(&state(db, "UPDATE zdm_run SET expires_at = UTC_TIMESTAMP(6)"));
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn an_instance_whose_renewals_are_lost_is_in_the_way_until_its_connection_has_gone() {
    support::each(|db| {
        let project = project(db, 1);
        let proxy = Proxy::before(&db.url);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let builder =
            zdm::Instance::builder("api").instance("web-1").database_url(proxy.url(&db.url));
        let old = runtime.block_on(builder.join()).unwrap();
        proxy.set(Network::Silent);
        until("suspension", || !old.ready());
        new_build_ran(db);
        until("the lease's end", || !project.zdm(&["gate", "2"]).out.contains("BLOCKED  leases"));
        let said = project.zdm(&["contract"]).ended(4);
        said.says("\"web-1\"").says("its connection is open").says("no fence is left");
        assert!(has_column(db) && !old.ready());

        proxy.set(Network::Down);
        until("the connection's end", || project.zdm(&["gate", "2"]).code == 0);
        project.zdm(&["contract"]).ended(0);
        // Back in the world, it is told, and never served in between.
        proxy.set(Network::Up);
        let reason = runtime.block_on(old.stopped());
        assert!(format!("{reason:?}").contains("Fenced"), "{reason:?}");
    });
}

#[test]
fn a_gate_that_is_killed_before_it_was_passed_leaves_no_fence() {
    // After it: `gate.rs`.
    for point in ["fence-before-commit", "fence-after-commit"] {
        support::each(|db| {
            let project = project(db, 60);
            new_build_ran(db);
            let killed = project.command(&["contract"]).env("ZDM_FAULT", point).output().unwrap();
            assert!(!killed.status.success(), "{point}");
            expire_run(db);
            let outcome = join(db.engine, &db.session(), "").0;
            assert_eq!((outcome.as_str(), fences(db).as_str()), ("joined", ""), "{point}");
            assert!(has_column(db), "{point}");
        });
    }
}

#[test]
fn a_gate_that_is_killed_around_another_tools_command_leaves_no_fence() {
    // While the command runs: `delegate.rs`.
    let points = [("state-before-commit", ""), ("state-after-commit", "final")];
    for (point, left) in points {
        support::each(|db| {
            let project = project(db, 60);
            project.file("migrations/0003_other/migration.toml", "[contract]\nby = \"other\"\n");
            project.zdm(&["expand"]).ended(0);
            let session = db.session();
            let (_, lease) = join(db.engine, &session, "0003_other");
            leave(db.engine, &session, &lease);
            let gate = ["gate", "3", "--", "true"];
            let killed = project.command(&gate).env("ZDM_FAULT", point).output().unwrap();
            assert!(!killed.status.success(), "{point}");
            expire_run(db);
            let outcome = join(db.engine, &session, "").0;
            let expected = if left.is_empty() { "joined" } else { "fenced" };
            assert_eq!((outcome.as_str(), fences(db).as_str()), (expected, left), "{point}");
        });
    }
}

#[test]
fn fifty_instances_that_start_at_once_come_before_the_fence_or_behind_it() {
    support::each(|db| {
        let project = project(db, 60);
        new_build_ran(db);
        let mut command = project.command(&["contract"]);
        let contract = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (url, engine) = (db.url.as_str(), db.engine);
        let outcomes: Vec<(bool, String)> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..50)
                .map(|number| {
                    let is_old = number % 2 == 0;
                    let tolerates = if is_old { "" } else { NEW };
                    let start = move || {
                        let session = Session::open(url);
                        (is_old, join(engine, &session, tolerates).0)
                    };
                    scope.spawn(start)
                })
                .collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect()
        });
        let ended = contract.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        let joined = |old: bool| {
            outcomes
                .iter()
                .filter(|(is_old, outcome)| *is_old == old && outcome == "joined")
                .count()
        };
        assert_eq!(joined(false), 25, "{outcomes:?}");
        match ended.status.code() {
            Some(0) => assert_eq!((joined(true), has_column(db)), (0, false), "{said}"),
            Some(4) => {
                assert_eq!((fences(db).as_str(), has_column(db)), ("", true), "{said}");
                // Whoever was told to wait may start now.
                assert_eq!(join(engine, &db.session(), "").0, "joined");
            }
            code => panic!("exit code {code:?}: {said}"),
        }
    });
}
