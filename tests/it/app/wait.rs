//! `zdm wait`: what must come before an application starts.

use super::{install, migration};
use crate::cli::Project;
use crate::engine::{Running, until};
use crate::support::{self, Db, Engine};

#[test]
fn whoever_may_call_the_functions_waits_until_a_migration_is_as_far_as_needed() {
    support::each(|db| {
        // Nothing is there yet: the first deployment.
        let url = db.user("app");
        db.run("CREATE TABLE users (id int)");
        let app = db.user_name("app");
        match db.engine {
            Engine::Postgres => db.run(&format!("GRANT SELECT ON users TO {app}")),
            Engine::MariaDb => db.run(&format!("GRANT SELECT ON users TO '{app}'@'%'")),
        }
        let project = Project::empty();
        let waiting = |arguments: &[&str]| {
            let mut command = project.command(&[&["wait"], arguments].concat());
            command.env("DATABASE_URL", &url);
            Running::start(command)
        };
        let mut one = waiting(&["--expanded", "0002_b"]);
        let mut all =
            waiting(&["--expanded", "0002_b", "--migrated", "0001_a", "--format", "json"]);
        install(db);
        grant(db);
        migration(db, "0002_b", "expanding");
        migration(db, "0001_a", "migrating");
        for running in [&mut one, &mut all] {
            assert!(!running.has_ended(), "it has not waited");
        }
        migration(db, "0002_b", "expanded");
        until("the end of the first wait", || one.has_ended());
        one.end().ended(0).says("0002_b is expanded");
        assert!(!all.has_ended());
        migration(db, "0001_a", "hidden");
        until("the end of the second wait", || all.has_ended());
        all.end().ended(0).says("\"migration\": \"0001_a\"");
    });
}

#[test]
fn a_wait_ends_with_words_when_its_time_is_over_or_it_is_told_to() {
    support::each(|db| {
        install(db);
        migration(db, "0001_a", "expanded");
        let project = Project::on(db);
        project
            .zdm(&["wait", "--migrated", "0001_a", "--timeout", "0s"])
            .ended(6)
            .says("0001_a is expanded, not yet migrated")
            .says("--timeout");
        project.zdm(&["wait", "--timeout", "0s"]).ended(2).says("--expanded");
        project.zdm(&["wait", "--expanded", "7"]).ended(2);
        let running = Running::start(project.command(&["wait", "--expanded", "0002_b"]));
        let sessions = match db.engine {
            Engine::Postgres => {
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'zdm'"
            }
            Engine::MariaDb => {
                "SELECT count(*) - 1 FROM information_schema.processlist WHERE db = DATABASE()"
            }
        };
        until("its connection", || db.value(sessions) == "1");
        running.signal("TERM");
        running.end().ended(143).says("0002_b is not there");
    });
}

fn grant(db: &Db) {
    let app = db.user_name("app");
    match db.engine {
        Engine::Postgres => {
            db.run(&format!("GRANT USAGE ON SCHEMA zdm TO {app}"));
            db.run(&format!("GRANT EXECUTE ON FUNCTION zdm.reached_v1 TO {app}"));
        }
        Engine::MariaDb => {
            db.run(&format!("GRANT EXECUTE ON PROCEDURE zdm_reached_v1 TO '{app}'@'%'"));
        }
    }
}
