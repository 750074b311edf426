//! Points that no undisturbed life passes: zdm is killed there, too.

use crate::cli::{Project, said};
use crate::engine::{CONTRACT, fill, filled, rename, state, state_table, users};
use crate::support::{self, Db, Engine};

/// The points that are tried here.
pub(super) const POINTS: [&str; 22] = [
    "dead-fences-before-commit",
    "dead-fences-after-commit",
    "baseline-before-commit",
    "baseline-after-commit",
    "accepted-before-commit",
    "accepted-after-commit",
    "up-before-commit",
    "up-after-commit",
    "repair-before-commit",
    "repair-after-commit",
    "lifted-fence-before-commit",
    "lifted-fence-after-commit",
    "steer-before-commit",
    "steer-after-commit",
    "refill-before-commit",
    "refill-after-commit",
    "invalid-index-before",
    "invalid-index-after",
    "undone-before-commit",
    "undone-after-commit",
    "state-before-commit",
    "state-after-commit",
];

/// Those whose name begins so.
fn points(start: &str) -> Vec<&'static str> {
    let found: Vec<_> = POINTS.into_iter().filter(|point| point.starts_with(start)).collect();
    assert_eq!(found.len(), 2, "{start}");
    found
}

/// Runs a command that is killed at a point.
#[track_caller]
fn killed(project: &Project, arguments: &[&str], point: &str) {
    let mut command = project.command(arguments);
    command.env("ZDM_FAULT", point);
    said(command).ended(-1);
}

fn fences(db: &Db) -> Vec<Vec<String>> {
    db.rows(&format!("SELECT status FROM {}", state_table(db, "fence")))
}

/// A project whose rename is migrated.
fn migrated(db: &Db) -> Project {
    users(db, 50);
    let project = Project::on(db);
    rename(&project);
    project.zdm(&["expand"]).ended(0);
    project.zdm(&["migrate"]).ended(0);
    project
}

#[test]
fn the_fence_of_a_gate_that_died_is_lifted_by_whoever_lives() {
    support::each(|db| {
        let project = migrated(db);
        killed(&project, CONTRACT, "gate-passed");
        for point in points("dead-fences") {
            assert_eq!(fences(db), [["provisional"]]);
            killed(&project, &["expand"], point);
            if point.ends_with("after-commit") {
                assert_eq!(fences(db), [[""; 0]; 0]);
            }
        }
        project.zdm(CONTRACT).ended(0);
        assert_eq!(fences(db), [["final"]]);
    });
}

#[test]
fn a_contract_that_died_shuts_old_builds_out_only_if_it_hid_something() {
    support::each(|db| {
        let project = migrated(db);
        let before: &[&str] = match db.engine {
            Engine::Postgres => &["gate-passed", "statement-before", "step-before-commit"],
            Engine::MariaDb => &["gate-passed", "intent-after-commit", "tables-locked"],
        };
        for point in before {
            killed(&project, CONTRACT, point);
            project.zdm(&["expand"]).ended(0).says("lifted the fence");
            assert_eq!(fences(db), [[""; 0]; 0], "killed at {point}");
            db.run("UPDATE users SET name = 'old' WHERE id = 1");
        }
        if db.engine == Engine::MariaDb {
            killed(&project, CONTRACT, "statement-after");
            project.zdm(&["expand"]).ended(0).says("completed the fence");
            assert_eq!(fences(db), [["final"]]);
        }
        project.zdm(CONTRACT).ended(0);
        assert_eq!(fences(db), [["final"]]);
        assert_eq!(db.value("SELECT title FROM users WHERE id = 1"), "old");
    });
}

#[test]
fn a_gate_that_gave_up_leaves_no_fence() {
    support::each(|db| {
        let project = migrated(db);
        let holder = db.session();
        holder.run("START TRANSACTION");
        holder.run("SELECT count(*) FROM users");
        // Old enough to be waited for: the contract finds it before it writes anything.
        std::thread::sleep(std::time::Duration::from_millis(400));
        let contract = [CONTRACT, &["--lock-wait", "300ms"]].concat();
        for point in points("lifted-fence") {
            killed(&project, &contract, point);
        }
        project.zdm(&contract).ended(6).says("no fence is left");
        assert_eq!(fences(db), [[""; 0]; 0]);
        holder.run("COMMIT");
        project.zdm(CONTRACT).ended(0);
        assert_eq!(fences(db), [["final"]]);
    });
}

#[test]
fn a_step_that_had_no_effect_can_be_corrected_after_any_crash() {
    support::each(|db| {
        users(db, 50);
        db.run("UPDATE users SET name = 'same' WHERE id <= 2");
        let project = Project::on(db);
        let file = "migrations/0001_i/expand.sql";
        let (first, kind) = match db.engine {
            Engine::Postgres => {
                ("invalid-index", "CREATE UNIQUE INDEX CONCURRENTLY by_name ON users (name)")
            }
            Engine::MariaDb => ("undone", "ALTER TABLE users ADD UNIQUE INDEX by_name (name)"),
        };
        project.file(file, &format!("-- zdm:allow(unique-without-check) a test\n{kind};\n"));
        let indexes = match db.engine {
            Engine::Postgres => "SELECT count(*) FROM pg_indexes WHERE indexname = 'by_name'",
            Engine::MariaDb => {
                "SELECT count(*) FROM information_schema.statistics WHERE table_schema = DATABASE() AND index_name = 'by_name'"
            }
        };
        for start in [first, "undone"] {
            for point in points(start) {
                killed(&project, &["expand"], point);
            }
        }
        project.zdm(&["expand"]).ended(1).says("by_name").says("not done: 0001_i");
        assert_eq!(db.value(indexes), "0");
        project.file(file, &format!("{};\n", kind.replace("UNIQUE ", "")));
        project.zdm(&["expand"]).ended(0);
        assert_eq!(db.value(indexes), "1");
    });
}

#[test]
fn rows_that_came_late_are_filled_after_any_crash() {
    support::each(|db| {
        users(db, 50);
        let project = Project::on(db);
        filled(&project, "'x'");
        project.zdm(&["expand"]).ended(0);
        killed(&project, &["migrate"], "backfill-filled");
        db.run("INSERT INTO users (id, name) VALUES (101, 'late')");
        for point in points("refill") {
            killed(&project, &["migrate"], point);
        }
        project.zdm(&["migrate"]).ended(0);
        assert_eq!(db.value("SELECT count(*) FROM users WHERE domain = 'x'"), "51");
        assert_eq!(state(db, "0001"), "purged");
    });
}

#[test]
fn a_backfill_is_paused_whole_or_not_at_all() {
    support::each(|db| {
        users(db, 50);
        let project = Project::on(db);
        filled(&project, "'x'");
        project.zdm(&["expand"]).ended(0);
        let count = |table: &str, is: &str| {
            db.value(&format!("SELECT count(*) FROM {} WHERE {is}", state_table(db, table)))
        };
        for (point, paused) in points("steer").into_iter().zip(["0", "1"]) {
            killed(&project, &["backfill", "pause", "1"], point);
            assert_eq!(count("steering", "paused_by IS NOT NULL"), paused);
            assert_eq!(count("event", "kind = 'backfill_paused'"), paused);
        }
        project.zdm(&["backfill", "resume", "1"]).ended(0);
        project.zdm(&["migrate"]).ended(0);
    });
}

#[test]
fn a_baseline_is_recorded_whole_or_not_at_all() {
    support::each(|db| {
        db.run("CREATE TABLE a (id bigint PRIMARY KEY)");
        fill(db, "a", "n", 3);
        let project = Project::on(db);
        project.file("migrations/0001_a/expand.sql", "CREATE TABLE a (id bigint PRIMARY KEY);\n");
        let baseline = ["baseline", "1", "--reason", "a test"];
        let count = format!("SELECT count(*) FROM {}", state_table(db, "migration"));
        for (point, recorded) in points("baseline").into_iter().zip(["0", "1"]) {
            killed(&project, &baseline, point);
            assert_eq!(db.value(&count), recorded);
        }
        project.zdm(&baseline).ended(0);
        assert_eq!(state(db, "0001"), "purged");
    });
}

#[test]
fn an_edit_is_accepted_whole_or_not_at_all() {
    support::each(|db| {
        users(db, 5);
        let project = Project::on(db);
        filled(&project, "'x'");
        project.zdm(&["expand"]).ended(0);
        project.file(
            "migrations/0001_domain/expand.sql",
            "ALTER TABLE users ADD COLUMN domain varchar(200);\n",
        );
        let accept = ["status", "--accept", "1", "--reason", "a test"];
        for point in points("accepted") {
            project.zdm(&["migrate"]).ended(7);
            killed(&project, &accept, point);
        }
        project.zdm(&["migrate"]).ended(0);
    });
}

#[test]
fn all_phases_at_once_go_on_after_any_crash() {
    support::each(|db| {
        let project = Project::on(db);
        let table = "CREATE TABLE users (id bigint PRIMARY KEY, name varchar(50) NOT NULL);\n";
        project.file("migrations/0000_users/expand.sql", table);
        rename(&project);
        for point in points("up") {
            killed(&project, &["up"], point);
        }
        project.zdm(&["up"]).ended(0);
        assert_eq!((state(db, "0000"), state(db, "0001")), ("purged".into(), "purged".into()));
    });
}

#[test]
fn a_repair_is_made_whole_or_not_at_all() {
    let Some(db) = support::postgres() else { return };
    let project = migrated(&db);
    let triggers = "SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'zzz_zdm_sync%'";
    for (point, made) in points("repair").into_iter().zip(["1", "2"]) {
        db.run("DROP TRIGGER zzz_zdm_sync_insert ON users");
        killed(&project, &["doctor", "--apply", "triggers"], point);
        assert_eq!(db.value(triggers), made);
        project.zdm(&["doctor", "--apply", "triggers"]).ended(0);
        assert_eq!(db.value(triggers), "2");
    }
}

#[test]
fn phases_without_steps_are_passed_together_after_any_crash() {
    support::each(|db| {
        users(db, 50);
        let project = Project::on(db);
        filled(&project, "'x'");
        project.zdm(&["expand"]).ended(0);
        for (point, after) in points("state").into_iter().zip(["migrated", "purged"]) {
            killed(&project, &["migrate"], point);
            assert_eq!(state(db, "0001"), after);
        }
        project.zdm(&["migrate"]).ended(0).says("nothing to migrate");
    });
}
