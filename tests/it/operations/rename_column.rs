//! `rename_column` by the built `zdm`: the way forth and back, and what is refused.

use super::{columns, report};
use crate::cli::Project;
use crate::support::{self, Db, Engine};

const RENAME: &str = "[[operation]]\nkind = \"rename_column\"\ntable = \"users\"\nfrom = \"name\"\nto = \"title\"\n\
    [contract]\ntolerated_by = [\"api\"]\n";

fn project(db: &Db) -> Project {
    let project = Project::on(db);
    project.file("migrations/0002_title/migration.toml", RENAME);
    project
}

#[test]
fn a_rename_goes_forth_and_back_and_loses_no_write() {
    support::each(|db| {
        let project = project(db);
        db.run("CREATE TABLE users (id int PRIMARY KEY, name varchar(20) NOT NULL)");
        db.run("INSERT INTO users (id, name) VALUES (1, 'a'), (2, 'b')");
        for command in ["expand", "migrate"] {
            project.zdm(&[command]).ended(0);
        }
        project.zdm(&["rollback", "2"]).ended(0);
        assert_eq!(columns(db, "users"), ["id", "name"]);
        for command in ["expand", "migrate"] {
            project.zdm(&[command]).ended(0);
        }
        report(&project, &["0002_title"]);
        project.zdm(&["contract"]).ended(0);
        let late =
            db.session().try_run("INSERT INTO users (id, name) VALUES (9, 'late')").unwrap_err();
        assert!(late.contains("42703") || late.contains("1054"), "{late}");
        db.run("INSERT INTO users (id, title) VALUES (3, 'c')");
        db.run("UPDATE users SET title = 'B' WHERE id = 2");
        project.zdm(&["rollback", "2"]).ended(0);
        assert_eq!(
            db.rows("SELECT id, name FROM users ORDER BY id"),
            [["1", "a"], ["2", "B"], ["3", "c"]]
        );
        db.run("INSERT INTO users (id, name) VALUES (4, 'd')");
        project.zdm(&["contract"]).ended(0);
        project.zdm(&["purge", "--override", "keep_for", "--reason", "a test"]).ended(0);
        assert_eq!(columns(db, "users"), ["id", "title"]);
        assert_eq!(db.value("SELECT title FROM users WHERE id = 4"), "d");
        project.zdm(&["rollback", "2"]).ended(2);
    });
}

#[test]
fn a_view_that_uses_the_old_column_holds_back_contract_by_name() {
    support::each(|db| {
        let project = project(db);
        db.run("CREATE TABLE users (id int PRIMARY KEY, name varchar(20) NOT NULL)");
        db.run("CREATE VIEW names AS SELECT name FROM users");
        for command in ["expand", "migrate"] {
            project.zdm(&[command]).ended(0);
        }
        report(&project, &["0002_title"]);
        project
            .zdm(&["contract"])
            .ended(2)
            .says("names")
            .says("column \"name\" of table \"users\"");
        assert_eq!(columns(db, "users"), ["id", "name", "title"]);
        db.run(match db.engine {
            Engine::Postgres => {
                "DROP VIEW names; CREATE VIEW names AS SELECT title AS name FROM users"
            }
            Engine::MariaDb => "CREATE OR REPLACE VIEW names AS SELECT title AS name FROM users",
        });
        project.zdm(&["contract"]).ended(0);
    });
}

#[test]
fn what_cannot_be_renamed_is_refused_by_name_before_anything_is_changed() {
    support::each(|db| {
        let project = project(db);
        db.run("CREATE TABLE users (id int, name varchar(20) PRIMARY KEY)");
        project
            .zdm(&["expand"])
            .ended(2)
            .says("column \"name\" is part of the key of table \"users\"");
        assert_eq!(columns(db, "users"), ["id", "name"]);
        db.run("DROP TABLE users");
        project.zdm(&["expand"]).ended(2).says("table \"users\" does not exist");
        db.run("CREATE TABLE users (id int PRIMARY KEY, name varchar(20), title varchar(20))");
        project.zdm(&["expand"]).ended(2).says("table \"users\" has a column \"title\" already");
    });
}
