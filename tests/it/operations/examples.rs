//! The examples, planned without a database and run through every phase.

use super::{columns, examples, report};
use crate::cli::Project;
use crate::support::{self, Engine};

#[test]
fn the_examples_are_planned_without_a_database_and_without_findings() {
    for (engine, server) in [(Engine::Postgres, "postgres:15"), (Engine::MariaDb, "mariadb:10.11")]
    {
        let project = Project::empty();
        let folder = examples(engine);
        let arguments = ["plan", "--dir", folder.to_str().unwrap(), "--server", server];
        let said = project.zdm(&arguments).ended(0);
        let out = said.says("0002_users_display_name").says("no findings").out;
        for words in
            ["point of no return", "fill users.display_name from name", "hide column name of users"]
        {
            assert!(out.contains(words), "{words}: {out}");
        }
    }
}

#[test]
fn the_examples_run_through_every_phase() {
    support::each(|db| {
        let project = Project::on(db);
        let folder = examples(db.engine);
        let zdm = |command: &[&str]| {
            let arguments = [command, &["--dir", folder.to_str().unwrap()]].concat();
            project.zdm(&arguments)
        };
        zdm(&["expand", "--to", "1"]).ended(0);
        db.run(
            "INSERT INTO users (name, email, signup_source) VALUES ('ann', 'a@x.org', 'web'), ('bob', 'b@y.org', 'ad')",
        );
        zdm(&["expand"]).ended(0);
        zdm(&["verify"]).ended(0);
        // An old build.
        db.run("INSERT INTO users (name, email, signup_source) VALUES ('eve', 'e@z.org', 'web')");
        zdm(&["migrate"]).ended(0);
        zdm(&["verify"]).ended(0);
        // A new build.
        db.run("INSERT INTO users (display_name, email, email_domain) VALUES ('kim', 'k@y.org', 'y.org')");
        let expected = [
            ["ann", "ann", "x.org"],
            ["bob", "bob", "y.org"],
            ["eve", "eve", "z.org"],
            ["kim", "kim", "y.org"],
        ];
        assert_eq!(
            db.rows("SELECT name, display_name, email_domain FROM users ORDER BY id"),
            expected
        );
        zdm(&["contract"]).ended(5);
        report(&project, &["0002_users_display_name", "0005_users_drop_signup_source"]);
        zdm(&["contract"]).ended(0);
        zdm(&["verify"]).ended(0);
        assert!(!columns(db, "users").contains(&"signup_source".to_owned()));
        zdm(&["purge", "--override", "keep_for", "--reason", "a test"]).ended(0);
        zdm(&["verify"]).ended(0);
        assert_eq!(
            columns(db, "users"),
            ["created_at", "display_name", "email", "email_domain", "id"]
        );
        for command in ["expand", "migrate", "contract", "purge"] {
            zdm(&[command]).ended(0).says(&format!("nothing to {command}"));
        }
        assert_eq!(db.value("SELECT count(*) FROM users"), "4");
    });
}

#[test]
fn the_examples_can_be_rolled_back_in_reverse_order() {
    support::each(|db| {
        let project = Project::on(db);
        let folder = examples(db.engine);
        let zdm = |command: &[&str]| {
            let arguments = [command, &["--dir", folder.to_str().unwrap()]].concat();
            project.zdm(&arguments)
        };
        zdm(&["expand", "--to", "1"]).ended(0);
        let before = columns(db, "users");
        db.run("INSERT INTO users (name, email, signup_source) VALUES ('ann', 'a@x.org', 'web')");
        zdm(&["expand"]).ended(0);
        for id in ["5", "3", "2"] {
            zdm(&["rollback", id]).ended(0);
        }
        assert_eq!(columns(db, "users"), before);
        db.run("INSERT INTO users (name, email, signup_source) VALUES ('bob', 'b@x.org', 'web')");
    });
}
