//! The whole life of a migration, forwards and backwards.

use super::{CONTRACT, PURGE, filled, rename, state, users};
use crate::cli::Project;
use crate::support;

#[test]
fn a_column_is_renamed_from_expand_to_purge() {
    support::each(|db| {
        users(db, 3000);
        let project = Project::on(db);
        rename(&project);
        project.zdm(&["expand"]).ended(0).says("next: zdm migrate");
        db.run("INSERT INTO users (id, name) VALUES (5000, 'by an old build')");
        project.zdm(&["migrate"]).ended(0).says("next: zdm contract");
        let wrong = "SELECT count(*) FROM users WHERE title IS NULL OR title <> name";
        assert_eq!(db.value(wrong), "0");
        project.zdm(CONTRACT).ended(0);
        db.run("UPDATE users SET title = 'since' WHERE id = 1");
        project.zdm(&["purge"]).ended(4).says("is kept for another");
        project.zdm(PURGE).ended(0);
        assert_eq!(state(db, "0001"), "purged");
        assert_eq!(db.value("SELECT title FROM users WHERE id = 1"), "since");
        assert!(db.session().try_run("SELECT name FROM users").is_err());
        project.zdm(&["rollback", "1"]).ended(2).says("cannot be rolled back");
    });
}

#[test]
fn every_command_may_be_run_again() {
    support::each(|db| {
        users(db, 500);
        let project = Project::on(db);
        rename(&project);
        for command in [&["expand"], &["migrate"], CONTRACT, PURGE] as [&[&str]; 4] {
            project.zdm(command).ended(0);
            let before = state(db, "0001");
            project.zdm(command).ended(0);
            assert_eq!(state(db, "0001"), before);
        }
    });
}

#[test]
fn a_rollback_leads_back_from_every_state_up_to_hidden() {
    support::each(|db| {
        users(db, 500);
        let project = Project::on(db);
        rename(&project);
        project.zdm(&["expand"]).ended(0);
        project.zdm(&["rollback", "1"]).ended(0);
        assert_eq!(state(db, "0001"), "pending");
        assert!(db.session().try_run("SELECT title FROM users").is_err());

        project.zdm(&["expand"]).ended(0);
        project.zdm(&["migrate"]).ended(0);
        project.zdm(&["rollback", "1"]).ended(0);
        assert_eq!(state(db, "0001"), "pending");

        project.zdm(&["expand"]).ended(0);
        project.zdm(&["migrate"]).ended(0);
        project.zdm(CONTRACT).ended(0);
        db.run("INSERT INTO users (id, title) VALUES (9000, 'while hidden')");
        for _again in 0..2 {
            project.zdm(&["rollback", "1", "--to", "migrated"]).ended(0);
            assert_eq!(state(db, "0001"), "migrated");
        }
        assert_eq!(db.value("SELECT name FROM users WHERE id = 9000"), "while hidden");

        project.zdm(CONTRACT).ended(0);
        project.zdm(&["rollback", "1", "--to", "pending"]).ended(0);
        assert_eq!(state(db, "0001"), "pending");
        assert_eq!(db.value("SELECT count(*) FROM users WHERE name IS NULL"), "0");
        project.zdm(&["rollback", "1"]).ended(0);
    });
}

#[test]
fn a_migration_that_takes_nothing_away_is_done_when_it_is_filled() {
    support::each(|db| {
        users(db, 700);
        let project = Project::on(db);
        filled(&project, "concat('d', id)");
        project.zdm(&["expand"]).ended(0);
        assert_eq!(state(db, "0001"), "expanded");
        project.zdm(&["migrate"]).ended(0);
        assert_eq!(state(db, "0001"), "purged");
        assert_eq!(db.value("SELECT count(*) FROM users WHERE domain = concat('d', id)"), "700");
    });
}

#[test]
fn an_edited_step_is_drift_until_it_is_undone_or_accepted() {
    support::each(|db| {
        users(db, 10);
        let project = Project::on(db);
        filled(&project, "'x'");
        project.zdm(&["expand"]).ended(0);
        let file = "migrations/0001_domain/expand.sql";
        project.file(
            file,
            "-- comments do not count\nALTER TABLE users ADD COLUMN domain varchar(100);\n",
        );
        project.zdm(&["expand"]).ended(0);
        project.file(file, "ALTER TABLE users ADD COLUMN domain varchar(200);\n");
        project.zdm(&["migrate"]).ended(7).says("expand.sql").says("--accept 0001_domain");
        assert_eq!(state(db, "0001"), "expanded");
        project
            .zdm(&["status", "--accept", "1", "--reason", "as it is in production"])
            .ended(0)
            .says("accepted expand");
        project.zdm(&["migrate"]).ended(0);
    });
}

#[test]
fn a_migration_that_was_applied_and_is_gone_is_named() {
    support::each(|db| {
        users(db, 10);
        let project = Project::on(db);
        filled(&project, "'x'");
        project.zdm(&["expand"]).ended(0);
        std::fs::remove_dir_all(project.path().join("migrations/0001_domain")).unwrap();
        project.file("migrations/0002_b/expand.sql", "CREATE TABLE b (id bigint PRIMARY KEY);");
        project.zdm(&["migrate"]).ended(2).says("0001_domain");
    });
}

#[test]
fn a_file_with_a_mistake_can_be_corrected_and_goes_on_where_it_failed() {
    support::each(|db| {
        let project = Project::on(db);
        let file = "migrations/0001_tables/expand.sql";
        let good =
            "CREATE TABLE a (id bigint PRIMARY KEY);\nCREATE TABLE b (id bigint PRIMARY KEY);\n";
        project.file(file, &format!("{good}CREATE TABLE c (id nonsense_type PRIMARY KEY);\n"));
        project.zdm(&["expand"]).ended(1).says("expand.sql, line 3").says("not done: 0001_tables");
        assert_eq!(state(db, "0001"), "expanding");
        project.file(file, &format!("{good}CREATE TABLE c (id bigint PRIMARY KEY);\n"));
        project.zdm(&["expand"]).ended(0);
        assert_eq!(db.value("SELECT count(*) FROM c"), "0");
    });
}
