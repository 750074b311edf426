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
