//! A database whose clock is set forward, and back.

use std::time::Duration;

use zdm::app::Readiness;

use super::{dropping, fences, has_column, new_build_ran, settings, wait};
use crate::cli::Project;
use crate::engine::until;
use crate::support::{self, Engine};

#[test]
fn no_contract_acts_beside_a_live_instance_however_the_clock_of_postgres_is_set() {
    is_stepped(Engine::Postgres);
}

#[test]
fn no_contract_acts_beside_a_live_instance_however_the_clock_of_mariadb_is_set() {
    is_stepped(Engine::MariaDb);
}

fn is_stepped(engine: Engine) {
    let Some((_server, db, clock)) = support::clock::stepped(engine) else { return };
    let project = Project::on(&db);
    project.file("zdm.toml", &settings(4));
    dropping(&project);
    let moment = match engine {
        Engine::Postgres => "SELECT extract(epoch FROM clock_timestamp())::bigint",
        Engine::MariaDb => "SELECT UNIX_TIMESTAMP()",
    };
    let seconds = || db.value(moment).parse::<i64>().unwrap();
    let builder = zdm::Instance::builder("api").instance("web-1").database_url(&db.url);
    let old = wait(builder.join()).unwrap();
    for ahead in [3600, 0, 5, -5, 0, 7200] {
        clock.set_ahead(ahead);
        until("the step", || (seconds() - machine_seconds() - ahead).abs() <= 2);
        // Whoever started last is new: of the old one its own signs alone are left.
        new_build_ran(engine, &db.session());
        project.zdm(&["contract"]).ended(4).says("no fence is left");
        let session = db.session();
        assert!(has_column(&session) && fences(engine, &session).is_empty());
        assert_ne!(old.readiness(), Readiness::Stopped);
        until("serving", || old.ready());
    }
    wait(old.leave());
    new_build_ran(engine, &db.session());
    project.zdm(&["contract"]).ended(0);
    assert!(!has_column(&db.session()));
}

/// Seconds since 1970 by the machine's clock.
fn machine_seconds() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(since.unwrap_or(Duration::ZERO).as_secs()).unwrap()
}
