//! One test for each exit code that needs a server, and what is said with it.

use std::time::{Duration, Instant};

use super::{Project, said};
use crate::support::{self, Db, Engine};

const RENAME: &str = "description = \"users.name becomes users.display_name\"\n\
    [[operation]]\nkind = \"rename_column\"\ntable = \"users\"\nfrom = \"name\"\nto = \"display_name\"\n\
    [contract]\ntolerated_by = [\"api\"]\n";

/// A database with a few users, and a project that renames a column of theirs.
fn rename(db: &Db) -> Project {
    db.run("CREATE TABLE users (id bigint PRIMARY KEY, name varchar(100) NOT NULL)");
    db.run("INSERT INTO users VALUES (1, 'Ada'), (2, 'Grace'), (3, 'Edsger')");
    let project = Project::on(db);
    project.file("migrations/0001_users_display_name/migration.toml", RENAME);
    project
}

fn user_columns(db: &Db) -> String {
    let schema = match db.engine {
        Engine::Postgres => "'public'",
        Engine::MariaDb => "database()",
    };
    let sql = format!(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = {schema} AND table_name = 'users' \
         ORDER BY ordinal_position"
    );
    db.rows(&sql).concat().join(" ")
}

#[test]
fn a_migration_goes_through_its_life_with_exit_code_0() {
    support::each(|db| {
        let project = rename(db);
        project.zdm(&["plan"]).ended(0).says("point of no return").says("next: zdm expand");
        project.zdm(&["expand"]).ended(0).says("next: zdm migrate");
        project.zdm(&["expand"]).ended(0).says("nothing to expand");
        project.zdm(&["migrate"]).ended(0).says("next: zdm contract");
        let status = project.zdm(&["status"]).ended(0);
        assert!(status.out.contains("migrated"), "{}", status.out);
        project.zdm(&["events"]).ended(0).says("0001_users_display_name");
        project.zdm(&["rollback", "1"]).ended(0);
        assert_eq!(user_columns(db), "id name");
    });
}

#[test]
fn a_dead_server_is_exit_code_1() {
    for scheme in ["postgres", "mariadb"] {
        let project = Project::new().at(&format!("{scheme}://app@127.0.0.1:1/app"));
        project.file("migrations/0001_a/expand.sql", "CREATE TABLE t (id int PRIMARY KEY);\n");
        project.zdm(&["expand"]).ended(1).says("could not reach the database server");
    }
}

#[test]
fn a_wrong_password_is_exit_code_1_and_is_not_shown() {
    support::each(|db| {
        let url = db.user("app").replace(":secret@", ":wr0ng-pw@");
        let said = rename(db).at(&url).zdm(&["expand", "-vv"]).ended(1).says("could not log in");
        assert!(!said.err.contains("wr0ng-pw"), "{}", said.err);
    });
}

#[test]
fn a_role_without_rights_is_exit_code_1_and_the_right_is_named() {
    support::each(|db| {
        let url = db.user("app");
        if db.engine == Engine::MariaDb {
            let user = db.user_name("app");
            db.run(&format!("GRANT SELECT ON {}.* TO '{user}'@'%'", db.name));
        }
        let project = rename(db).at(&url);
        let said = project.zdm(&["expand"]).ended(1).says("denied").says("hint: ");
        assert!(!said.err.contains("secret"), "{}", said.err);
        assert_eq!(user_columns(db), "id name");
    });
}

#[test]
fn a_server_that_takes_no_writes_is_exit_code_1() {
    let Some(db) = support::postgres() else { return };
    let project = rename(&db);
    // As a standby answers every write.
    db.run(&format!("ALTER DATABASE {} SET default_transaction_read_only = on", db.name));
    project.zdm(&["expand"]).ended(1).says("read-only").says("address of the primary");
    assert_eq!(user_columns(&db), "id name");
}

#[test]
fn a_table_that_does_not_exist_is_exit_code_2_and_nothing_is_touched() {
    support::each(|db| {
        let project = Project::on(db);
        project.file("migrations/0001_users_display_name/migration.toml", RENAME);
        project.zdm(&["expand"]).ended(2).says("users").says("hint: ");
    });
}

#[test]
fn a_table_without_a_key_is_exit_code_2_and_nothing_is_touched() {
    support::each(|db| {
        db.run("CREATE TABLE users (id bigint, name varchar(100))");
        let project = Project::on(db);
        project.file("migrations/0001_users_display_name/migration.toml", RENAME);
        project.zdm(&["expand"]).ended(2).says("users").says("key");
        assert_eq!(user_columns(db), "id name");
    });
}

#[test]
fn an_old_instance_is_exit_code_4_and_is_named() {
    support::each(|db| {
        let project = rename(db);
        project.zdm(&["expand"]).ended(0);
        project.zdm(&["migrate"]).ended(0);
        let arguments = ["report", "--service", "api", "--version", "41", "--instance", "web-1"];
        let mut old = project.command(&[&arguments[..], &["--", "sleep", "60"]].concat());
        let mut old = old.spawn().unwrap();
        wait_until(|| project.zdm(&["instances"]).out.contains("web-1"));
        project.zdm(&["contract"]).ended(4).says("web-1");
        project.zdm(&["gate", "1"]).ended(4).says("BLOCKED").says("web-1");
        let json = project.zdm(&["contract", "--format", "json"]).ended(4);
        let value: serde_json::Value = serde_json::from_str(&json.out).unwrap();
        assert_eq!(value["result"], "blocked");
        assert_eq!(value["retryable"], true);
        let skipped = ["contract", "--if-blocked", "skip", "--format", "json"];
        let value: serde_json::Value =
            serde_json::from_str(&project.zdm(&skipped).ended(0).out).unwrap();
        assert_eq!(value["result"], "blocked");
        assert!(user_columns(db).contains("name display_name"), "{}", user_columns(db));
        stop(&old, "-TERM");
        old.wait().unwrap();
        project.zdm(&["contract"]).ended(4).says("no instance of service \"api\"");
    });
}

#[test]
fn without_declared_services_contract_is_exit_code_5() {
    support::each(|db| {
        let project = rename(db);
        project.file("zdm.toml", "");
        project.zdm(&["expand"]).ended(0);
        project.zdm(&["migrate"]).ended(0);
        project.zdm(&["contract"]).ended(5).says("services").says("hint: ");
        project.zdm(&["gate", "1"]).ended(5).says("UNKNOWN");
    });
}

#[test]
fn a_lock_that_somebody_holds_is_exit_code_6_and_they_are_named() {
    support::each(|db| {
        let project = rename(db);
        let holder = db.session();
        holder.run("BEGIN");
        holder.run("UPDATE users SET name = 'x' WHERE id = 1");
        let said = project.zdm(&["expand", "--lock-wait", "1s"]).ended(6);
        assert!(said.err.contains(&holder.backend.to_string()), "{}", said.err);
        holder.run("ROLLBACK");
        project.zdm(&["expand"]).ended(0);
    });
}

#[test]
fn a_second_run_is_exit_code_6_and_the_first_is_named() {
    support::each(|db| {
        let project = rename(db);
        let holder = db.session();
        holder.run("BEGIN");
        holder.run("UPDATE users SET name = 'x' WHERE id = 1");
        let mut first = project.command(&["expand", "--lock-wait", "1m"]).spawn().unwrap();
        wait_until(|| project.zdm(&["status"]).out.contains("at work"));
        project.zdm(&["migrate"]).ended(6).says("zdm expand");
        holder.run("ROLLBACK");
        assert!(first.wait().unwrap().success());
    });
}

#[test]
fn a_migration_that_was_applied_and_is_gone_is_exit_code_2() {
    support::each(|db| {
        let project = Project::on(db);
        project.file("migrations/0001_a/expand.sql", "CREATE TABLE t (id int PRIMARY KEY);\n");
        project.file("migrations/0002_b/expand.sql", "CREATE TABLE u (id int PRIMARY KEY);\n");
        project.zdm(&["expand"]).ended(0);
        std::fs::remove_dir_all(project.path().join("migrations/0002_b")).unwrap();
        project.zdm(&["expand"]).ended(2).says("0002_b");
        project.zdm(&["status"]).ended(0).says("its folder is gone");
    });
}

#[test]
fn signals_are_exit_codes_130_and_143_and_the_same_command_goes_on() {
    support::each(|db| {
        let project = rename(db);
        let holder = db.session();
        holder.run("BEGIN");
        holder.run("UPDATE users SET name = 'x' WHERE id = 1");
        for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
            let mut command = project.command(&["expand"]);
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
            let child = command.spawn().unwrap();
            wait_until(|| project.zdm(&["status"]).out.contains("at work"));
            stop(&child, signal);
            let ended = child.wait_with_output().unwrap();
            let words = String::from_utf8_lossy(&ended.stderr).into_owned();
            assert_eq!(ended.status.code(), Some(code), "{words}");
            assert!(words.contains("hint: "), "{words}");
        }
        holder.run("ROLLBACK");
        project.zdm(&["expand"]).ended(0);
    });
}

#[test]
fn an_edited_applied_step_is_exit_code_7_until_it_is_accepted() {
    support::each(|db| {
        let project = Project::on(db);
        let path = "migrations/0001_a/expand.sql";
        project.file(path, "CREATE TABLE t (id int PRIMARY KEY);\n");
        project.zdm(&["expand"]).ended(0);
        project.file(path, "-- a comment\nCREATE  TABLE t (id int PRIMARY KEY);\n");
        project.zdm(&["expand"]).ended(0);
        project.file(path, "CREATE TABLE t (id bigint PRIMARY KEY);\n");
        project.zdm(&["expand"]).ended(7).says("0001_a");
        project.zdm(&["plan"]).ended(7).says("0001_a");
        project.zdm(&["status"]).ended(0).says("The folder is not what has run");
        let accept = ["status", "--accept", "0001_a", "--reason", "widened by hand"];
        project.zdm(&accept).ended(0);
        project.zdm(&["expand"]).ended(0);
        project.zdm(&["events"]).ended(0).says("widened by hand");
    });
}

#[test]
fn findings_are_exit_code_3_and_expand_refuses_them() {
    let Some(db) = support::postgres() else { return };
    db.run("CREATE TABLE users (id bigint PRIMARY KEY, name text)");
    let project = Project::on(&db);
    let sql = "CREATE INDEX users_name ON users (name);\n";
    project.file("migrations/0001_index/expand.sql", sql);
    project.zdm(&["plan"]).ended(3).says("index-not-concurrent");
    project.zdm(&["lint"]).ended(3).says("migrations/0001_index/expand.sql:1");
    project.zdm(&["expand"]).ended(3).says("index-not-concurrent");
    assert_eq!(db.value("SELECT count(*) FROM pg_indexes WHERE indexname = 'users_name'"), "0");
}

#[test]
fn sql_that_does_not_parse_is_refused_with_its_line() {
    support::each(|db| {
        let project = Project::on(db);
        project.file("migrations/0001_a/expand.sql", "SELECT 1;\nALTER TABEL users ADD x int;\n");
        let plan = project.zdm(&["plan"]).ended(3).says("migrations/0001_a/expand.sql:2");
        assert!(plan.out.contains("not-understood"), "{}", plan.out);
        project.zdm(&["expand"]).ended(3).says("cannot be read as SQL");
    });
}

/// Sends a signal.
fn stop(child: &std::process::Child, signal: &str) {
    let mut kill = std::process::Command::new("kill");
    kill.args([signal, &child.id().to_string()]);
    assert_eq!(said(kill).code, 0);
}

/// Looks until it is so, or the test fails.
#[track_caller]
fn wait_until(mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(30), "it did not come to that");
        std::thread::sleep(Duration::from_millis(50));
    }
}
