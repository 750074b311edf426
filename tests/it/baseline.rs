//! `zdm baseline`: an existing schema becomes the start.

use std::process::Stdio;

use crate::cli::Project;
use crate::engine::{state, state_table};
use crate::support::{self, Db};

const REASON: &[&str] = &["--reason", "made by hand in 2020"];

/// Two migrations whose tables are there already, and a third.
fn grown(db: &Db) -> Project {
    db.run("CREATE TABLE users (id bigint PRIMARY KEY, name varchar(50))");
    db.run("CREATE TABLE orders (id bigint PRIMARY KEY)");
    let project = Project::on(db);
    let file = |name: &str, sql: &str| project.file(&format!("migrations/{name}/expand.sql"), sql);
    file("0001_users", "CREATE TABLE users (id bigint PRIMARY KEY);\n");
    file("0002_orders", "CREATE TABLE orders (id bigint PRIMARY KEY);\n");
    file("0003_notes", "CREATE TABLE notes (id bigint PRIMARY KEY);\n");
    project
}

fn baseline(project: &Project, arguments: &[&str]) -> crate::cli::Said {
    project.zdm(&[&["baseline"], arguments, REASON].concat())
}

#[test]
fn an_existing_schema_becomes_the_start_and_what_is_new_runs_on_it() {
    support::each(|db| {
        let project = grown(db);
        baseline(&project, &["2", "--dry-run"]).ended(0).says("would record 0001_users as done");
        project.zdm(&["status"]).ended(0).says("pending");
        baseline(&project, &["2"])
            .ended(0)
            .says("recorded 0002_orders as done")
            .says("next: zdm expand");
        assert_eq!(
            (state(db, "0001"), state(db, "0002")),
            ("purged".to_owned(), "purged".to_owned())
        );
        baseline(&project, &["0002_orders"]).ended(0).says("nothing to record");
        project.zdm(&["events"]).ended(0).says("in 2020");
        project.zdm(&["expand"]).ended(0);
        assert_eq!(db.value("SELECT count(*) FROM notes"), "0");
        project.zdm(&["rollback", "1"]).ended(2).says("cannot be rolled back");
    });
}

#[test]
fn folders_that_a_baseline_holds_may_be_deleted_from_the_oldest_on() {
    support::each(|db| {
        let project = grown(db);
        baseline(&project, &["2"]).ended(0);
        let delete =
            |name| std::fs::remove_dir_all(project.path().join("migrations").join(name)).unwrap();
        delete("0002_orders");
        project.zdm(&["expand"]).ended(2).says("0002_orders was applied, and its folder is gone");
        delete("0001_users");
        project.zdm(&["expand"]).ended(0);
        project.zdm(&["status"]).ended(0);
        assert_eq!(state(db, "0003"), "purged");
    });
}

#[test]
fn what_the_schema_does_not_hold_is_refused_by_name() {
    support::each(|db| {
        let project = grown(db);
        baseline(&project, &["3"]).ended(7).says("notes, which 0003_notes makes, is not there");
        project.zdm(&["status"]).ended(0).says("pending");
        baseline(&project, &["3", "--override", "leases"]).ended(2).says("cannot override");
        baseline(&project, &["3", "--override", "schema"]).ended(0);
        assert_eq!(state(db, "0003"), "purged");
        baseline(&project, &["9"]).ended(2).says("there is no migration \"9\"");
    });
}

#[test]
fn what_has_been_run_here_is_not_recorded_over() {
    support::each(|db| {
        let project = grown(db);
        baseline(&project, &["2"]).ended(0);
        project.file("migrations/0003_notes/contract.sql", "DROP TABLE orders;\n");
        project.zdm(&["expand"]).ended(0);
        baseline(&project, &["3"]).ended(2).says("0003_notes is migrated");
    });
}

#[test]
fn baselines_at_once_record_each_migration_once() {
    support::each(|db| {
        let project = grown(db);
        let start = |_| {
            let arguments = [&["baseline", "2", "--run-wait", "1m"], REASON].concat();
            let mut command = project.command(&arguments);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        };
        for child in (0..4).map(start).collect::<Vec<_>>() {
            assert!(child.wait_with_output().unwrap().status.success());
        }
        let events = state_table(db, "event");
        assert_eq!(
            db.value(&format!("SELECT count(*) FROM {events} WHERE kind = 'baselined'")),
            "2"
        );
    });
}

#[test]
fn the_database_must_not_be_asked_to_believe_without_a_reason() {
    let project = Project::new();
    project.zdm(&["baseline", "1"]).ended(2).says("--reason");
}
