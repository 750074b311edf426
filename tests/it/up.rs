//! `zdm up`: all phases at once, where nobody relies on the database.

use crate::cli::{Project, Said};
use crate::engine::{fill, rename, state, state_table};
use crate::support::{self, Db};

const DISPOSABLE: &str = "[environments.test]\ndisposable = true\n[environments.staging]\n[services.api]\nttl = \"2s\"\n";

/// A table, its column's new name, and another table.
fn project(db: &Db) -> Project {
    let project = Project::on(db);
    project.file("zdm.toml", DISPOSABLE);
    project.file(
        "migrations/0000_users/expand.sql",
        "CREATE TABLE users (id bigint PRIMARY KEY, name varchar(50) NOT NULL);\n",
    );
    rename(&project);
    project.file(
        "migrations/0002_notes/expand.sql",
        "CREATE TABLE notes (id bigint PRIMARY KEY, title varchar(50));\nCREATE INDEX notes_title ON notes (title);\n",
    );
    project.file("migrations/0003_titles/migration.toml", "[[operation]]\nkind = \"rename_column\"\ntable = \"users\"\nfrom = \"title\"\nto = \"label\"\n");
    project
}

fn fresh(project: &Project) -> Said {
    project.zdm(&["up", "--env", "test", "--fresh"])
}

/// Nothing was done to it.
fn is_untouched(db: &Db) {
    assert!(db.session().try_run(&format!("SELECT 1 FROM {}", state_table(db, "run"))).is_err());
}

#[test]
fn a_new_database_is_brought_through_all_phases_and_may_be_again() {
    support::each(|db| {
        let project = project(db);
        project.zdm(&["up"]).ended(0).says("purge 0003_titles");
        for id in ["0000", "0001", "0002", "0003"] {
            assert_eq!(state(db, id), "purged");
        }
        db.run("INSERT INTO users (id, label) VALUES (1, 'x')");
        for gone in ["name", "title", "zdm_hidden_0001_name"] {
            assert!(db.session().try_run(&format!("SELECT {gone} FROM users")).is_err(), "{gone}");
        }
        let again = project.zdm(&["up", "--format", "json"]).ended(0);
        assert!(again.out.contains("\"nothing_to_do\""), "{}", again.out);
        project.file(
            "migrations/0004_more/expand.sql",
            "CREATE TABLE more (id bigint PRIMARY KEY);\n",
        );
        project.zdm(&["up"]).ended(0);
        assert_eq!(db.value("SELECT count(*) FROM more"), "0");
    });
}

#[test]
fn a_database_with_tables_is_refused_and_left_alone() {
    support::each(|db| {
        db.run("CREATE TABLE mine (id bigint PRIMARY KEY)");
        let project = project(db);
        project
            .zdm(&["up"])
            .ended(2)
            .says("is not new: it had one table")
            .says("disposable = true");
        is_untouched(db);
        // Another command has looked at it first: it still had a table then.
        project.zdm(&["expand", "--only", "0"]).ended(0);
        db.run("DROP TABLE mine");
        project.zdm(&["up"]).ended(2).says("it had one table");
        assert_eq!(state(db, "0000"), "purged");
        // Staging is not test.
        project.zdm(&["up", "--env", "staging"]).ended(2).says("is not new");
        project.zdm(&["up", "--env", "test"]).ended(0);
        assert_eq!(state(db, "0003"), "purged");
    });
}

#[test]
fn a_database_in_use_is_refused() {
    support::each(|db| {
        let project = project(db);
        project.zdm(&["up"]).ended(0);
        let join = match db.engine {
            support::Engine::Postgres => {
                "SELECT * FROM zdm.join_v1('api', '1', 'one', '', '', 'suspends')"
            }
            support::Engine::MariaDb => "CALL zdm_join_v1('api', '1', 'one', '', '', 'suspends')",
        };
        db.run(join);
        project.file(
            "migrations/0004_more/expand.sql",
            "CREATE TABLE more (id bigint PRIMARY KEY);\n",
        );
        project.zdm(&["up"]).ended(2).says("instances of service \"api\" have reported");
        assert!(db.session().try_run("SELECT 1 FROM more").is_err());
        project.zdm(&["expand"]).ended(0);
    });
}

#[test]
fn a_migration_that_was_run_phase_by_phase_is_not_rushed_past_its_gate() {
    support::each(|db| {
        let project = project(db);
        project.zdm(&["expand", "--to", "1"]).ended(0);
        assert_eq!(state(db, "0001"), "expanded");
        project.zdm(&["up"]).ended(2).says("was run phase by phase");
        assert_eq!(state(db, "0001"), "expanded");
        // Where it is disposable, open migrations are brought to their end, too.
        fill(db, "users (id, name)", "n, concat('n', n)", 300);
        project.zdm(&["up", "--env", "test"]).ended(0);
        assert_eq!(db.value("SELECT count(*) FROM users WHERE label = concat('n', id)"), "300");
    });
}

#[test]
fn fresh_drops_what_zdm_made_for_this_environment_and_nothing_else() {
    support::each(|db| {
        let project = project(db);
        db.run("CREATE TABLE mine (id bigint PRIMARY KEY)");
        project.zdm(&["up", "--fresh"]).ended(2).says("is not new");
        fresh(&project).ended(2).says("does not drop what it does not know");
        assert_eq!(db.value("SELECT count(*) FROM mine"), "0");
        project.zdm(&["up", "--env", "test"]).ended(0);
        db.run("INSERT INTO users (id, label) VALUES (1, 'x')");
        db.run("CREATE VIEW labels AS SELECT label FROM users");
        // A migration that has been edited since: a fresh start forgets the old text.
        project.file(
            "migrations/0002_notes/expand.sql",
            "CREATE TABLE notes (id bigint PRIMARY KEY, body text);\n",
        );
        project.zdm(&["up", "--env", "test"]).ended(7);
        fresh(&project).ended(0);
        assert_eq!(db.value("SELECT count(*) FROM users"), "0");
        assert_eq!(db.value("SELECT count(body) FROM notes"), "0");
        for gone in ["mine", "labels"] {
            assert!(db.session().try_run(&format!("SELECT 1 FROM {gone}")).is_err(), "{gone}");
        }
        fresh(&project).ended(0);
        // The same database under another environment's name.
        project.file(
            "zdm.toml",
            &DISPOSABLE.replace("staging", "ci]\ndisposable = true\n[environments.staging"),
        );
        project.zdm(&["up", "--env", "ci", "--fresh"]).ended(7).says("environment \"test\"");
        assert_eq!(state(db, "0003"), "purged");
    });
}
