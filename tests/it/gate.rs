//! The gate as people meet it: `zdm contract` and `zdm rollback` while instances of both builds come and go.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::cli::Project;
use crate::support::{self, Db, Engine};

const OLD: &str = "";
const NEW: &str = "0002_name";
const RENAME: &str = "[[operation]]\nkind = \"rename_column\"\ntable = \"users\"\nfrom = \"name\"\nto = \"display_name\"\n";
/// How long anything may take to happen on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A project whose second migration is migrated, with a lease of this many seconds for service `api`.
fn migrated(db: &Db, ttl: u32) -> Project {
    let project = Project::on(db);
    let settings = format!("[services.api]\nttl = \"{ttl}s\"\n[gate]\nsoak = \"0s\"\n");
    project.file("zdm.toml", &settings);
    let create = "CREATE TABLE users (id bigint PRIMARY KEY, name varchar(100));\n";
    project.file("migrations/0001_users/expand.sql", create);
    project.file("migrations/0002_name/migration.toml", RENAME);
    project.zdm(&["expand"]).ended(0);
    db.run("INSERT INTO users (id, name) VALUES (1, 'Ann'), (2, 'Bob')");
    project.zdm(&["migrate"]).ended(0);
    project
}

/// A statement on the state, written with the names of MySQL and MariaDB.
fn state(db: &Db, text: &str) -> String {
    if db.engine == Engine::Postgres { text.replace("zdm_", "zdm.") } else { text.to_owned() }
}

/// Joins as an instance of service `api`: outcome and lease.
fn join(db: &Db, tolerates: &str, needs: &str) -> (String, String) {
    let call = format!("join_v1('api', '41', 'web-1', '{tolerates}', '{needs}', 'suspends')");
    let rows = match db.engine {
        Engine::Postgres => db.rows(&format!("SELECT outcome, lease FROM zdm.{call}")),
        Engine::MariaDb => db.rows(&format!("CALL zdm_{call}")),
    };
    (rows[0][0].clone(), rows[0][1].clone())
}

/// Joins, and says how that ended.
fn outcome(db: &Db, tolerates: &str, needs: &str) -> String {
    join(db, tolerates, needs).0
}

fn joined(db: &Db, tolerates: &str, needs: &str) -> String {
    let (outcome, lease) = join(db, tolerates, needs);
    assert_eq!(outcome, "joined");
    lease
}

fn leave(db: &Db, lease: &str) {
    match db.engine {
        Engine::Postgres => db.run(&format!("SELECT * FROM zdm.leave_v1({lease})")),
        Engine::MariaDb => db.run(&format!("CALL zdm_leave_v1({lease})")),
    }
}

/// The new build ran, and left: nobody is there, and whoever starts next is new.
fn new_build_ran(db: &Db) {
    leave(db, &joined(db, NEW, ""));
}

fn fences(db: &Db) -> Vec<Vec<String>> {
    db.rows(&state(db, "SELECT kind, status FROM zdm_fence ORDER BY kind"))
}

fn events(db: &Db) -> String {
    let kinds =
        db.rows(&state(db, "SELECT kind FROM zdm_event WHERE kind LIKE 'gate%' ORDER BY id"));
    kinds.concat().join(" ")
}

/// Whether the table still has a column of that name that an old build can use.
fn has_old_column(db: &Db) -> bool {
    db.session().try_run("SELECT name FROM users").is_ok()
}

fn in_background(project: &Project, arguments: &[&str]) -> Child {
    let mut command = project.command(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The exit code and the errors of a command that runs in the background.
fn end(child: Child) -> (i32, String) {
    let output = child.wait_with_output().unwrap();
    (output.status.code().unwrap_or(-1), String::from_utf8(output.stderr).unwrap())
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn contract_is_refused_by_name_until_the_old_instance_has_left() {
    support::each(|db| {
        let project = migrated(db, 120);
        new_build_ran(db);
        let old = joined(db, OLD, "");
        let new = joined(db, NEW, "0002_name=migrated");
        project
            .zdm(&["contract"])
            .ended(4)
            .says("instance \"web-1\" of service \"api\", version 41, does not tolerate 0002_name")
            .says("no fence is left");
        assert_eq!((fences(db), events(db).as_str()), (vec![], "gate_refused"));
        assert!(has_old_column(db));
        project.zdm(&["gate", "2"]).ended(4);

        leave(db, &old);
        leave(db, &new);
        project.zdm(&["contract"]).ended(0);
        assert!(!has_old_column(db));
        assert_eq!(fences(db), [["tolerate", "final"]]);
        assert_eq!(outcome(db, OLD, ""), "fenced");
        assert_eq!(outcome(db, NEW, "0002_name=migrated"), "joined");

        // Back from hidden: no gate, and old builds may start again.
        project.zdm(&["rollback", "2"]).ended(0);
        assert!(has_old_column(db));
        assert_eq!(fences(db), [[""; 0]; 0]);
        assert_eq!(outcome(db, OLD, ""), "joined");
    });
}

#[test]
fn an_old_instance_that_starts_while_the_gate_waits_ends_the_gate() {
    support::each(|db| {
        let project = migrated(db, 3);
        joined(db, NEW, "");
        let contract = in_background(&project, &["contract"]);
        until("a fence", || !fences(db).is_empty());
        assert_eq!(outcome(db, OLD, ""), "fencing");
        let (code, said) = end(contract);
        assert_eq!(code, 4, "{said}");
        assert!(said.contains("web-1"), "{said}");
        assert_eq!(fences(db), [[""; 0]; 0]);
        assert!(has_old_column(db));
        assert_eq!(outcome(db, OLD, ""), "joined");
    });
}

#[test]
fn a_suspended_instance_is_waited_for_as_long_as_its_lease_could_be() {
    support::each(|db| {
        let project = migrated(db, 2);
        joined(db, OLD, "");
        std::thread::sleep(Duration::from_secs(2));
        new_build_ran(db);
        let began = Instant::now();
        project.zdm(&["contract"]).ended(0);
        assert!(began.elapsed() >= Duration::from_millis(2100), "{:?}", began.elapsed());
    });
}

#[test]
fn the_fence_of_a_contract_that_was_killed_is_lifted_by_the_next_command() {
    support::each(|db| {
        let project = migrated(db, 120);
        new_build_ran(db);
        let mut contract = project.command(&["contract"]);
        contract.env("ZDM_FAULT", "gate-passed");
        assert!(!contract.output().unwrap().status.success());
        assert_eq!(fences(db), [["tolerate", "provisional"]]);
        assert_eq!(outcome(db, OLD, ""), "fencing");

        project.zdm(&["migrate"]).ended(0);
        assert_eq!(fences(db), [[""; 0]; 0]);
        assert_eq!(events(db), "gate_fenced gate_lifted");
        leave(db, &joined(db, OLD, ""));
        new_build_ran(db);
        project.zdm(&["contract"]).ended(0);
        assert_eq!(outcome(db, OLD, ""), "fenced");
    });
}

#[test]
fn a_contract_that_is_killed_at_any_point_of_the_hide_is_completed_by_the_same_command() {
    let points = [
        "intent-after-commit",
        "statement-after",
        "step-before-commit",
        "step-after-commit",
        "final-fence-before-commit",
        "done-after-commit",
    ];
    for point in points {
        support::each(|db| {
            let project = migrated(db, 120);
            new_build_ran(db);
            let mut contract = project.command(&["contract"]);
            contract.env("ZDM_FAULT", point);
            contract.output().unwrap();
            project.zdm(&["contract"]).ended(0);
            assert!(!has_old_column(db), "killed at {point}");
            assert_eq!(fences(db), [["tolerate", "final"]], "killed at {point}");
            assert_eq!(outcome(db, OLD, ""), "fenced", "killed at {point}");
        });
    }
}

#[test]
fn without_declared_services_contract_is_unknown() {
    support::each(|db| {
        let project = migrated(db, 120);
        project.file("zdm.toml", "[gate]\nsoak = \"0s\"\n");
        let said = project.zdm(&["contract"]).ended(5);
        said.says("no service is declared").says("[services.api]").says("nothing was changed");
        assert_eq!(fences(db), [[""; 0]; 0]);
        assert!(has_old_column(db));
    });
}

#[test]
fn an_overridden_source_is_recorded_with_its_reason() {
    support::each(|db| {
        let project = migrated(db, 1);
        joined(db, OLD, "");
        project.zdm(&["contract"]).ended(4);
        project.zdm(&["contract", "--override", "leases", "--reason", "web-1 is a test"]).ended(0);
        let sql = "SELECT message FROM zdm_event WHERE kind = 'gate_overridden'";
        let told = db.rows(&state(db, sql));
        assert!(
            told.iter().all(|row| row[0] == "leases was overridden: web-1 is a test"),
            "{told:?}"
        );
        assert!(!has_old_column(db));
    });
}

#[test]
fn contract_can_wait_for_the_old_instance_to_leave() {
    support::each(|db| {
        let project = migrated(db, 120);
        new_build_ran(db);
        let old = joined(db, OLD, "");
        let contract = in_background(&project, &["contract", "--wait", "5m"]);
        // It waits without the run lock: other runs go on.
        std::thread::sleep(Duration::from_secs(1));
        project.zdm(&["migrate"]).ended(0);
        leave(db, &old);
        new_build_ran(db);
        let (code, said) = end(contract);
        assert_eq!(code, 0, "{said}");
        assert!(!has_old_column(db));
    });
}

#[test]
fn a_rollback_is_refused_by_name_while_an_instance_needs_the_migration() {
    support::each(|db| {
        let project = migrated(db, 120);
        let new = joined(db, NEW, "0002_name=migrated");
        project
            .zdm(&["rollback", "2"])
            .ended(4)
            .says("instance \"web-1\" of service \"api\", version 41, needs 0002_name");
        assert_eq!(fences(db), [[""; 0]; 0]);
        leave(db, &new);
        project.zdm(&["rollback", "2"]).ended(0);
        assert!(db.session().try_run("SELECT display_name FROM users").is_err());
        assert_eq!(fences(db), [[""; 0]; 0]);
        // What is not there is missing, and nobody is turned away for good.
        assert_eq!(outcome(db, NEW, "0002_name=migrated"), "missing");
        assert_eq!(outcome(db, OLD, ""), "joined");
    });
}
