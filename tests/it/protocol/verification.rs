//! The rows that a migration has filled are compared before its contract, and again behind the fence.

use super::{NEW, events, fences, join, new_build_ran, settings, state};
use crate::cli::Project;
use crate::engine::{Running, fill, until};
use crate::support::{self, Db, Engine};

const ROWS: u32 = 1200;

/// A rename of `users.name` that is migrated.
fn renamed(db: &Db) -> Project {
    let project = Project::on(db);
    project.file("zdm.toml", &settings(60));
    let create = "CREATE TABLE users (id bigint PRIMARY KEY, name varchar(100));\n";
    project.file("migrations/0001_users/expand.sql", create);
    let rename = "[[operation]]\nkind = \"rename_column\"\ntable = \"users\"\nfrom = \"name\"\nto = \"display_name\"\n";
    project.file("migrations/0002_name/migration.toml", rename);
    project.zdm(&["expand"]).ended(0);
    fill(db, "users (id, name)", "n, concat('n', n)", ROWS);
    project.zdm(&["migrate"]).ended(0);
    new_build_ran(db.engine, &db.session());
    project
}

/// Runs a statement that no trigger sees.
fn past_triggers(db: &Db, sql: &str) {
    let session = db.session();
    if db.engine == Engine::Postgres {
        session.run("SET session_replication_role = replica");
        return session.run(sql);
    }
    let names = session.rows(
        "SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = DATABASE()",
    );
    let made = |name: &String| session.rows(&format!("SHOW CREATE TRIGGER {name}"))[0][2].clone();
    let triggers: Vec<(String, String)> =
        names.concat().into_iter().map(|name| (name.clone(), made(&name))).collect();
    for (name, _) in &triggers {
        session.run(&format!("DROP TRIGGER {name}"));
    }
    session.run(sql);
    for (_, text) in &triggers {
        session.run(text);
    }
}

#[test]
fn a_row_that_was_changed_past_the_triggers_blocks_a_contract_until_it_is_right_again() {
    support::each(|db| {
        let project = renamed(db);
        project.zdm(&["gate", "2"]).ended(0).says("CLEAR    verification").says("1200 rows");
        past_triggers(db, "UPDATE users SET display_name = 'X' WHERE id = 7");
        let words = "users\" (verify that users.display_name equals name): id = 7";
        project.zdm(&["gate", "2"]).ended(4).says("BLOCKED  verification").says(words);
        let said = project.zdm(&["contract"]).ended(4);
        said.says(words)
            .says("one row is wrong in table")
            .says("no fence is left")
            .says("Decide which side is right");
        assert_eq!(
            (fences(db.engine, &db.session()).as_str(), events(db, "rows%").as_str()),
            ("", "rows_differ")
        );
        // To wait for it is no use.
        project.zdm(&["contract", "--wait", "10m"]).ended(4);

        db.run("UPDATE users SET display_name = 'Y' WHERE id = 7");
        project.zdm(&["contract"]).ended(0);
        assert_eq!(events(db, "rows%"), "rows_differ rows_differ rows_compared rows_compared");
    });
}

#[test]
fn a_row_that_comes_past_the_triggers_behind_the_fence_ends_the_gate() {
    support::each(|db| {
        let project = renamed(db);
        // Somebody is there who is waited for.
        assert_eq!(join(db.engine, &db.session(), NEW).0, "joined");
        let mut command = project.command(&["contract"]);
        command.env("ZDM_FAULT_STOP", "fence-after-commit:1");
        let contract = Running::start(command);
        let stat = format!("/proc/{}/stat", contract.pid());
        until("the fence", || std::fs::read_to_string(&stat).unwrap().contains(") T "));
        past_triggers(db, "INSERT INTO users (id, name, display_name) VALUES (5000, 'a', 'b')");
        contract.signal("CONT");
        let said = contract.end().ended(4);
        said.says("one row is wrong in table").says("id = 5000").says("no fence is left");
        assert_eq!(fences(db.engine, &db.session()), "");
        assert_eq!(events(db, "rows%"), "rows_compared rows_differ");
        let has_column = db.session().try_run("SELECT name FROM users").is_ok();
        assert!(has_column);
    });
}

#[test]
fn a_comparison_that_somebody_answers_for_is_not_made() {
    support::each(|db| {
        let project = renamed(db);
        past_triggers(db, "UPDATE users SET display_name = 'X' WHERE id = 7");
        let answer = ["contract", "--override", "verification", "--reason", "row 7 is mine"];
        project.zdm(&answer).ended(0);
        assert_eq!(events(db, "rows%"), "");
        let told = "SELECT message FROM zdm_event WHERE kind = 'gate_overridden'";
        let told = db.rows(&state(db.engine, told)).concat();
        assert_eq!(told, ["verification was overridden: row 7 is mine"]);
    });
}
