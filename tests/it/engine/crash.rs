//! `kill -9` at each named point, then the same command: the end is that of an undisturbed run.

use super::{CONTRACT, PURGE, rename, state_table, users};
use crate::cli::{Project, said};
use crate::support::{self, Db, Engine};

/// Every point that `src/engine/fault.rs` names, in the order in which a run passes them.
const POINTS: &[&str] = &[
    "run-locked",
    "gate-passed",
    "intent-written",
    "batch-before-commit",
    "batch-after-commit",
    "backfill-filled",
    "statement-done",
    "before-commit",
    "after-commit",
    "step-done",
    "phase-done",
];

/// Whether a command of this test comes to a point.
fn passes(engine: Engine, command: &str, point: &str) -> bool {
    match (point, engine) {
        ("gate-passed", _) => command == "contract",
        ("batch-before-commit" | "batch-after-commit" | "backfill-filled", _) => {
            command == "migrate"
        }
        ("before-commit" | "after-commit", Engine::MariaDb) => false,
        ("intent-written" | "step-done", Engine::Postgres) => command == "migrate",
        _ => true,
    }
}

#[test]
fn every_fault_point_is_tried() {
    let source = std::fs::read_to_string(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/engine/fault.rs"),
    )
    .unwrap();
    let list = source.split("POINTS: &[&str] = &[").nth(1).unwrap().split("];").next().unwrap();
    let named: Vec<_> = list.split('"').skip(1).step_by(2).collect();
    assert_eq!(named, POINTS);
}

#[test]
fn a_run_on_postgres_that_is_killed_anywhere_goes_on_to_the_same_end() {
    killed_everywhere(support::postgres);
}

#[test]
fn a_run_on_mariadb_that_is_killed_anywhere_goes_on_to_the_same_end() {
    killed_everywhere(support::mariadb);
}

fn killed_everywhere(server: fn() -> Option<Db>) {
    let Some(calm) = server() else { return };
    let (undisturbed, _) = life(&calm, &[]);
    let Some(db) = server() else { return };
    let (end, killed) = life(&db, POINTS);
    assert_eq!(end, undisturbed);
    let reachable =
        |point: &&&str| passes(db.engine, "contract", point) || passes(db.engine, "migrate", point);
    for point in POINTS.iter().filter(reachable) {
        assert!(killed.contains(point), "no run was killed at {point}");
    }
}

/// The whole life of a migration, each command killed at one point after the other until it is through: what is left
/// at its end, and where it was killed.
fn life(db: &Db, points: &[&'static str]) -> (Vec<Vec<String>>, Vec<&'static str>) {
    users(db, 1200);
    let project = Project::on(db);
    rename(&project);
    let back: &[&str] = &["rollback", "1"];
    let commands: [(&[&str], &str); 8] = [
        (&["expand"], "expanded"),
        (back, "pending"),
        (&["expand"], "expanded"),
        (&["migrate"], "migrated"),
        (CONTRACT, "hidden"),
        (back, "migrated"),
        (CONTRACT, "hidden"),
        (PURGE, "purged"),
    ];
    let mut killed = Vec::new();
    for (command, after) in commands {
        for point in points.iter().filter(|point| passes(db.engine, command[0], point)) {
            // A command that is through is not run again: a second rollback leads further back.
            if state_or_pending(db) == after {
                break;
            }
            let mut faulty = project.command(command);
            faulty.env("ZDM_FAULT", point);
            let ended = said(faulty);
            assert!(matches!(ended.code, 0 | -1), "{command:?} at {point}: {ended:?}");
            if ended.code == -1 {
                killed.push(*point);
            }
        }
        if state_or_pending(db) != after {
            project.zdm(command).ended(0);
        }
        assert_eq!(state_or_pending(db), after, "{command:?} after {killed:?}");
    }
    let mut found = db.rows("SELECT count(*), min(title), max(title), sum(id) FROM users");
    found.extend(db.rows(&format!("SELECT id, state FROM {}", state_table(db, "migration"))));
    found.extend(db.rows(&format!(
        "SELECT phase, name, progress FROM {} ORDER BY 1, 2",
        state_table(db, "step")
    )));
    found.extend(db.rows(&format!("SELECT migration, status FROM {}", state_table(db, "fence"))));
    let here = match db.engine {
        Engine::Postgres => "'public'",
        Engine::MariaDb => "database()",
    };
    found.extend(db.rows(&format!(
        "SELECT column_name, is_nullable, data_type FROM information_schema.columns \
         WHERE table_name = 'users' AND table_schema = {here} ORDER BY 1"
    )));
    (found, killed)
}

/// The state of the migration; pending, too, when nothing has been written yet.
fn state_or_pending(db: &Db) -> String {
    let table = state_table(db, "migration");
    let sql = format!("SELECT state FROM {table} WHERE id LIKE '0001%'");
    let found = db.session().start(&sql).answer().unwrap_or_default();
    found.first().map_or_else(|| "pending".to_owned(), |row| row.concat())
}

#[test]
fn a_statement_of_unknown_fate_is_a_persons_to_judge() {
    let Some(db) = support::mariadb() else { return };
    users(&db, 10);
    let project = Project::on(&db);
    project.file("migrations/0001_c/expand.sql", "CREATE VIEW people AS SELECT id FROM users;");
    let mut faulty = project.command(&["expand"]);
    faulty.env("ZDM_FAULT", "statement-done");
    said(faulty).ended(-1);
    let told =
        project.zdm(&["expand"]).ended(1).says("cannot tell whether a statement took effect");
    told.says("--override repeat");
    // As the hint says: what it did is undone by hand, then it may run again.
    db.run("DROP VIEW people");
    project.zdm(&["expand", "--override", "repeat", "--reason", "it is dropped"]).ended(0);
    assert_eq!(db.value("SELECT count(*) FROM people"), "10");
}

#[test]
fn a_lock_that_expired_is_taken_over_and_the_first_run_stops_at_its_next_transaction() {
    support::each(|db| {
        users(db, 40_000);
        let project = Project::on(db);
        super::filled(&project, "'x'");
        project.zdm(&["expand"]).ended(0);
        let filled = "SELECT count(*) FROM users WHERE domain = 'x'";
        let running = super::Running::start(project.command(&["migrate"]));
        super::until("the first batch", || db.value(filled) != "0");
        let run = state_table(db, "run");
        let in_a_transaction = || {
            running.signal("STOP");
            let free = format!("SELECT id FROM {run} FOR UPDATE NOWAIT");
            db.session().try_run(&free).is_err()
        };
        while in_a_transaction() {
            running.signal("CONT");
            std::thread::sleep(std::time::Duration::from_millis(7));
        }
        // As if thirty seconds had passed.
        db.run(&format!("UPDATE {run} SET expires_at = '2020-01-01'"));
        let second = project.zdm(&["migrate"]);
        running.signal("CONT");
        let first = running.end();
        second.ended(0);
        first.ended(6).says("another run took over");
        assert_eq!(db.value(filled), "40000");
    });
}
