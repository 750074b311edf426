//! `zdm verify`: what people did behind zdm's back is seen, and nothing else.

use serde_json::Value;

use crate::cli::{Project, Said};
use crate::engine::{CONTRACT, PURGE, rename, state, state_table, users};
use crate::support::{self, Db, Engine};

/// What `zdm verify` says: the kinds of its findings.
fn kinds(project: &Project) -> Vec<String> {
    let said = project.zdm(&["verify", "--format", "json"]);
    let value = parsed(&said);
    let findings = value["findings"].as_array().unwrap();
    assert_eq!(said.code, if findings.is_empty() { 0 } else { 7 }, "{}", said.out);
    findings.iter().map(|one| one["kind"].as_str().unwrap().to_owned()).collect()
}

fn parsed(said: &Said) -> Value {
    crate::cli::json::valid(said)
}

/// A rename, an index, a check and a table by hand.
fn project(db: &Db) -> Project {
    users(db, 600);
    let project = Project::on(db);
    rename(&project);
    project.file(
        "migrations/0002_notes/expand.sql",
        "CREATE TABLE notes (id bigint PRIMARY KEY, body varchar(50) NOT NULL, CONSTRAINT short CHECK (id > 0));\n\
         CREATE INDEX notes_body ON notes (body);\n",
    );
    project
}

fn drop_trigger(db: &Db) {
    db.run(match db.engine {
        Engine::Postgres => "DROP TRIGGER zzz_zdm_sync_update ON users",
        Engine::MariaDb => "DROP TRIGGER zdm_sync_users_update",
    });
}

#[test]
fn a_migration_is_as_its_journal_says_in_every_state() {
    support::each(|db| {
        let project = project(db);
        project.zdm(&["verify"]).ended(0).says("never written");
        for command in [&["expand"], &["migrate"], CONTRACT, PURGE] as [&[&str]; 4] {
            project.zdm(command).ended(0);
            let rows = || db.rows("SELECT * FROM users ORDER BY id");
            let before = rows();
            assert_eq!(kinds(&project), [""; 0], "after {command:?}");
            // What was tried was rolled back.
            assert_eq!(rows(), before);
        }
        assert_eq!(state(db, "0001"), "purged");
    });
}

#[test]
fn a_rollback_leaves_nothing_to_find() {
    support::each(|db| {
        let project = project(db);
        project.zdm(&["expand"]).ended(0);
        project.zdm(&["migrate"]).ended(0);
        project.zdm(CONTRACT).ended(0);
        for to in ["migrated", "pending"] {
            project.zdm(&["rollback", "1", "--to", to]).ended(0);
            assert_eq!(kinds(&project), [""; 0], "after a rollback to {to}");
        }
    });
}

#[test]
fn a_dropped_trigger_and_the_rows_that_differ_since_are_found() {
    support::each(|db| {
        let project = project(db);
        project.zdm(&["expand"]).ended(0);
        project.zdm(&["migrate"]).ended(0);
        drop_trigger(db);
        assert_eq!(kinds(&project), ["trigger"]);
        db.run("UPDATE users SET name = 'changed' WHERE id = 7");
        project
            .zdm(&["verify"])
            .ended(7)
            .says("one row is wrong in table \"users\"")
            .says("id = 7")
            .says("writes no longer keep \"name\" and \"title\" alike");
    });
}

#[test]
fn a_trigger_that_does_something_else_is_found() {
    support::each(|db| {
        let project = project(db);
        project.zdm(&["expand"]).ended(0);
        match db.engine {
            Engine::Postgres => db.run("ALTER TABLE users DISABLE TRIGGER zzz_zdm_sync_insert"),
            Engine::MariaDb => db.run(
                "CREATE OR REPLACE TRIGGER zdm_sync_users_insert BEFORE INSERT ON users FOR EACH ROW SET NEW.title = 'x'",
            ),
        }
        let words =
            if db.engine == Engine::Postgres { "is switched off" } else { "is not the one" };
        project.zdm(&["verify"]).ended(7).says(words);
    });
}

#[test]
fn a_users_trigger_that_undoes_the_sync_is_found_by_trying() {
    let Some(db) = support::postgres() else { return };
    let project = project(&db);
    project.zdm(&["expand"]).ended(0);
    project.zdm(&["migrate"]).ended(0);
    let said = project.zdm(&["verify"]).ended(0);
    said.says("tried, and rolled back: the triggers of table \"public.users\"");
    db.run(
        "CREATE FUNCTION undo() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.title := OLD.title; RETURN NEW; END$$",
    );
    // It fires behind zdm's.
    db.run("CREATE TRIGGER zzzz BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION undo()");
    project.zdm(&["verify"]).ended(7).says("does not reach its other side");
    assert_eq!(db.value("SELECT count(*) FROM users WHERE name <> title"), "0");
}

#[test]
fn what_a_step_made_and_a_person_took_away_is_found() {
    support::each(|db| {
        let project = project(db);
        project.zdm(&["expand"]).ended(0);
        project.zdm(&["migrate"]).ended(0);
        db.run(match db.engine {
            Engine::Postgres => "DROP INDEX notes_body",
            Engine::MariaDb => "DROP INDEX notes_body ON notes",
        });
        let said = project.zdm(&["verify"]).ended(7);
        said.says(
            "index \"notes_body\" of table \"notes\" is not there, though expand of 0002_notes",
        )
        .says("Make it again by hand: CREATE INDEX notes_body ON notes (body)");
        db.run("ALTER TABLE notes DROP CONSTRAINT short");
        db.run(match db.engine {
            Engine::Postgres => "ALTER TABLE notes ALTER COLUMN body DROP NOT NULL",
            Engine::MariaDb => "ALTER TABLE notes MODIFY body varchar(50) NULL",
        });
        assert_eq!(kinds(&project), ["missing"; 3]);
        db.run("DROP TABLE notes");
        // Once, not for each column.
        assert_eq!(kinds(&project), ["missing"]);
    });
}

#[test]
fn a_column_that_came_back_shows_a_backup_restored_in_part() {
    support::each(|db| {
        let project = project(db);
        for command in [&["expand"], &["migrate"], CONTRACT, PURGE] as [&[&str]; 4] {
            project.zdm(command).ended(0);
        }
        db.run("ALTER TABLE users ADD COLUMN zdm_hidden_0001_name varchar(50)");
        project.zdm(&["verify"]).ended(7).says("a backup was restored in part");
    });
}

#[test]
fn data_changed_behind_the_hidden_column_is_found() {
    support::each(|db| {
        let project = project(db);
        for command in [&["expand"], &["migrate"], CONTRACT] as [&[&str]; 3] {
            project.zdm(command).ended(0);
        }
        db.run("UPDATE users SET title = 'kept' WHERE id = 3");
        assert_eq!(kinds(&project), [""; 0]);
        drop_trigger(db);
        db.run("UPDATE users SET title = 'lost' WHERE id = 4");
        let said = project.zdm(&["verify"]).ended(7);
        said.says("id = 4").says("A rollback of 0001_title would bring back old values");
    });
}

#[test]
fn time_that_is_up_is_said() {
    support::each(|db| {
        let project = project(db);
        project.zdm(&["expand"]).ended(0);
        project.zdm(&["migrate"]).ended(0);
        let said = project.zdm(&["verify", "--within", "0s"]).ended(0);
        said.says("not verified").says("time was up");
    });
}

#[test]
fn an_invalid_index_is_found() {
    let Some(db) = support::postgres() else { return };
    let project = project(&db);
    project.zdm(&["expand"]).ended(0);
    db.run("INSERT INTO users (id, name) VALUES (9001, 'twice'), (9002, 'twice')");
    assert!(
        db.session().try_run("CREATE UNIQUE INDEX CONCURRENTLY by_hand ON users (name)").is_err()
    );
    let said = project.zdm(&["verify"]).ended(7);
    said.says("index \"by_hand\" of table \"users\" is not valid")
        .says("REINDEX INDEX CONCURRENTLY");
}

#[test]
fn a_hand_made_index_in_the_way_of_a_migration_is_found() {
    support::each(|db| {
        let project = project(db);
        project.zdm(&["expand"]).ended(0);
        db.run("CREATE INDEX users_name_now ON users (name)");
        let index = match db.engine {
            Engine::Postgres => "CREATE INDEX CONCURRENTLY users_name_now ON users (name);\n",
            Engine::MariaDb => "CREATE INDEX users_name_now ON users (name);\n",
        };
        project.file("migrations/0003_index/expand.sql", index);
        let said = project.zdm(&["verify"]).ended(7);
        said.says("index \"users_name_now\" of table \"users\" is there already")
            .says("zdm baseline 0003_index");
    });
}

#[test]
fn a_role_that_may_use_the_old_column_alone_is_found() {
    support::each(|db| {
        let project = project(db);
        db.user("api");
        let role = db.user_name("api");
        project.file(
            "zdm.toml",
            &format!("[services.api]\nroles = [\"{role}\"]\n[gate]\nsoak = \"0s\"\n"),
        );
        project.zdm(&["expand"]).ended(0);
        assert_eq!(kinds(&project), [""; 0]);
        let leases = format!("SELECT count(*) FROM {}", state_table(db, "lease"));
        assert_eq!(db.value(&leases), "0");
        let account = match db.engine {
            Engine::Postgres => role,
            Engine::MariaDb => format!("'{role}'@'%'"),
        };
        db.run(&format!("GRANT SELECT (id, name) ON users TO {account}"));
        let said = project.zdm(&["verify"]).ended(7);
        said.says("may SELECT column \"name\"").says("GRANT SELECT (");
        db.run(&format!("GRANT SELECT (title) ON users TO {account}"));
        assert_eq!(kinds(&project), [""; 0]);
        db.run(&match db.engine {
            Engine::Postgres => format!(
                "REVOKE EXECUTE ON FUNCTION zdm.join_v1(text, text, text, text, text, text) FROM {account}"
            ),
            Engine::MariaDb => format!("REVOKE EXECUTE ON PROCEDURE zdm_join_v1 FROM {account}"),
        });
        project.zdm(&["verify"]).ended(7).says("GRANT EXECUTE ON");
    });
}

#[test]
fn a_column_that_is_bound_by_everything_is_verified_in_every_state() {
    support::each(|db| {
        db.run("CREATE TABLE teams (code varchar(20) PRIMARY KEY)");
        db.run("INSERT INTO teams VALUES ('a'), ('b')");
        let counts = match db.engine {
            Engine::Postgres => "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
            Engine::MariaDb => "bigint AUTO_INCREMENT PRIMARY KEY",
        };
        // The rules hold back what MariaDB copies the table for.
        let checked = match db.engine {
            Engine::Postgres => {
                ", CONSTRAINT name_team FOREIGN KEY (name) REFERENCES teams (code), \
                 CONSTRAINT name_short CHECK (char_length(name) < 9)"
            }
            Engine::MariaDb => "",
        };
        db.run(&format!(
            "CREATE TABLE users (id {counts}, name varchar(20) NOT NULL DEFAULT 'a', kind int NOT NULL DEFAULT 1, \
             CONSTRAINT name_once UNIQUE (name, kind){checked})"
        ));
        db.run("CREATE INDEX users_name ON users (name)");
        db.run("INSERT INTO users (name, kind) VALUES ('a', 1), ('a', 2), ('b', 3)");
        let project = Project::on(db);
        rename(&project);
        for command in [&["expand"], &["migrate"], CONTRACT] as [&[&str]; 3] {
            project.zdm(command).ended(0);
            assert_eq!(kinds(&project), [""; 0], "after {command:?}");
        }
        project.zdm(&["rollback", "1"]).ended(0);
        assert_eq!(kinds(&project), [""; 0], "after rollback");
        for command in [CONTRACT, PURGE] {
            project.zdm(command).ended(0);
            assert_eq!(kinds(&project), [""; 0], "after {command:?}");
        }
    });
}
