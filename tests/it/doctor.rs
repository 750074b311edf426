//! `zdm doctor`: what people left behind is explained, and repaired only when told to.

use serde_json::Value;

use crate::cli::{Project, Said, json};
use crate::engine::{CONTRACT, rename, state, state_table, users};
use crate::support::{self, Db, Engine, Session};

fn project(db: &Db) -> Project {
    users(db, 300);
    let project = Project::on(db);
    rename(&project);
    project.zdm(&["expand"]).ended(0);
    project.zdm(&["migrate"]).ended(0);
    project
}

/// What is found, as `kind apply`.
fn findings(project: &Project) -> Vec<String> {
    let said = project.zdm(&["doctor", "--format", "json"]);
    let value: Value = json::valid(&said);
    let findings = value["findings"].as_array().unwrap();
    let word = |one: &Value, key: &str| one[key].as_str().unwrap_or("-").to_owned();
    findings.iter().map(|one| format!("{} {}", word(one, "kind"), word(one, "apply"))).collect()
}

fn apply(project: &Project, what: &str) -> Said {
    project.zdm(&["doctor", "--apply", what])
}

#[test]
fn a_healthy_database_has_nothing_to_be_told() {
    support::each(|db| {
        let project = project(db);
        project.zdm(&["doctor"]).ended(0).says("nothing is wrong");
        apply(&project, "triggers").ended(0).says("nothing to apply");
    });
}

#[test]
fn dropped_triggers_are_made_again_and_only_when_told_to() {
    support::each(|db| {
        let project = project(db);
        let drop = |event: &str| match db.engine {
            Engine::Postgres => format!("DROP TRIGGER zzz_zdm_sync_{event} ON users"),
            Engine::MariaDb => format!("DROP TRIGGER zdm_sync_users_{event}"),
        };
        db.run(&drop("insert"));
        db.run(&drop("update"));
        for _again in 0..2 {
            assert_eq!(findings(&project), ["trigger triggers", "trigger triggers"]);
        }
        let said = apply(&project, "triggers").ended(0);
        said.says("made the triggers of table").says("nothing is wrong");
        db.run("INSERT INTO users (id, name) VALUES (9000, 'old')");
        db.run("UPDATE users SET title = 'new' WHERE id = 1");
        let sql = "SELECT count(*) FROM users WHERE name <> title OR title IS NULL";
        assert_eq!(db.value(sql), "0");
        project.zdm(&["events"]).ended(0).says("made the triggers of table");
        project.zdm(&["verify"]).ended(0);
        project.zdm(CONTRACT).ended(0);
    });
}

#[test]
fn a_trigger_that_nobody_needs_is_dropped() {
    support::each(|db| {
        let project = project(db);
        let again = match db.engine {
            Engine::Postgres => {
                "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
                 CREATE TRIGGER zzz_zdm_sync_insert BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION f()"
            }
            Engine::MariaDb => {
                "CREATE TRIGGER zdm_sync_users_insert BEFORE INSERT ON users FOR EACH ROW SET NEW.name = 'x'"
            }
        };
        project.zdm(&["rollback", "1"]).ended(0);
        db.run(again);
        assert_eq!(findings(&project), ["trigger triggers"]);
        apply(&project, "triggers").ended(0);
        db.run("INSERT INTO users (id, name) VALUES (9000, 'mine')");
        assert_eq!(db.value("SELECT name FROM users WHERE id = 9000"), "mine");
    });
}

#[test]
fn an_invalid_index_of_an_interrupted_build_is_dropped_and_one_by_hand_is_not() {
    let Some(db) = support::postgres() else { return };
    let project = project(&db);
    db.run("INSERT INTO users (id, name) VALUES (9001, 'twice'), (9002, 'twice')");
    let sql = "CREATE UNIQUE INDEX CONCURRENTLY titles ON users (title);\n";
    project.file("migrations/0002_titles/expand.sql", sql);
    // As a killed build leaves it: the intent is written, the index is invalid.
    assert!(db.session().try_run(sql.trim().trim_end_matches(';')).is_err());
    assert_eq!(findings(&project), ["invalid_index -", "in_the_way -"]);
    apply(&project, "indexes").ended(7).says("nothing to apply");
    db.run(
        "INSERT INTO zdm.migration (id, state, since) VALUES ('0002_titles', 'expanding', now());
         INSERT INTO zdm.step (migration, phase, name, title, seal, progress, begun_at, run_token)
         VALUES ('0002_titles', 'expand', 'expand.sql-1', 't', 's', 'begun', now(), 'x')",
    );
    assert_eq!(findings(&project), ["invalid_index indexes"]);
    apply(&project, "indexes").ended(0).says("dropped index \"titles\"");
    assert_eq!(db.value("SELECT count(*) FROM pg_class WHERE relname = 'titles'"), "0");
}

#[test]
fn a_copy_of_a_database_is_adopted_and_goes_on() {
    support::each(|db| {
        let project = project(db);
        let table = state_table(db, "identity");
        db.run(&format!("UPDATE {table} SET database_name = 'elsewhere'"));
        project.zdm(&["status"]).ended(7).says("zdm doctor --apply adopt");
        assert_eq!(findings(&project), ["copy adopt"]);
        project.zdm(&["contract"]).ended(7);
        apply(&project, "adopt").ended(0).says("nothing is wrong");
        project.zdm(&["events"]).ended(0).says("elsewhere");
        project.zdm(CONTRACT).ended(0);
        assert_eq!(state(db, "0001"), "hidden");
        // It is not new any more, whatever it was.
        project.zdm(&["up"]).ended(2).says("not known to be new");
    });
}

#[test]
fn lost_parts_of_the_state_are_made_again_but_for_what_held_history() {
    support::each(|db| {
        let project = project(db);
        db.run(&format!("DELETE FROM {}", state_table(db, "run")));
        db.run(match db.engine {
            Engine::Postgres => "DROP FUNCTION zdm.join_v1(text, text, text, text, text, text)",
            Engine::MariaDb => "DROP PROCEDURE zdm_join_v1",
        });
        let gate = state_table(db, "gate");
        db.run(&format!("DELETE FROM {gate}"));
        assert_eq!(findings(&project), ["state state"; 3]);
        apply(&project, "state")
            .ended(0)
            .says("function \"join_v1\"")
            .says("lock row of table \"run\"");
        assert_eq!(db.value(&format!("SELECT epoch FROM {gate}")), "1");
        project.zdm(CONTRACT).ended(0);
        db.run(&format!("DROP TABLE {}", state_table(db, "step")));
        let said = project.zdm(&["doctor"]).ended(7);
        said.says("table \"step\" of zdm's state is not there").says("from the same backup");
        apply(&project, "state").ended(7).says("nothing to apply");
    });
}

#[test]
fn a_run_that_died_needs_nothing_but_its_command() {
    support::each(|db| {
        let project = project(db);
        let (run, long_ago) = match db.engine {
            Engine::Postgres => ("zdm.run", "now() - interval '1 hour'"),
            Engine::MariaDb => ("zdm_run", "UTC_TIMESTAMP(6) - INTERVAL 1 HOUR"),
        };
        db.run(&format!(
            "UPDATE {run} SET token = 't', owner = 'ann', host = 'h', command = 'zdm migrate', since = {long_ago}, \
             expires_at = {long_ago}"
        ));
        project
            .zdm(&["doctor"])
            .ended(0)
            .says("\"zdm migrate\" of ann on h")
            .says("Give the same command");
        project.zdm(&["migrate"]).ended(0);
        assert_eq!(findings(&project), [""; 0]);
    });
}

#[test]
fn the_rights_that_are_missing_are_printed_as_sql_that_helps() {
    support::each(|db| {
        users(db, 10);
        let stranger = db.user("zdm");
        let user = db.user_name("zdm");
        let project = Project::on(db).at(&stranger);
        rename(&project);
        if db.engine == Engine::MariaDb {
            db.run(&format!("GRANT SELECT ON {}.* TO '{user}'@'%'", db.name));
        }
        project.zdm(&["expand"]).ended(1);
        let said = project.zdm(&["doctor", "--privileges"]).ended(0);
        assert!(said.out.contains("GRANT "), "{}", said.out);
        let json = json::valid(&project.zdm(&["doctor", "--privileges", "--format", "json"]));
        assert!(!json["missing_rights"].as_array().unwrap().is_empty());
        // What it prints is run by somebody who may.
        let admin: Session = db.session();
        for line in said.out.lines().filter(|line| !line.starts_with("--")) {
            admin.run(line.trim_end_matches(';'));
        }
        project.zdm(&["doctor", "--privileges"]).ended(0).says("no right is missing");
        project.zdm(&["expand"]).ended(0);
        project.zdm(&["migrate"]).ended(0);
        project.zdm(&["verify"]).ended(0);
    });
}
