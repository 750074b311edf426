//! What answers after a connection was lost: the same server later, another one, or nobody.

use std::time::Duration;

use zdm::scratch::{self, Durability};

use super::faults::{ended, has_stopped};
use super::stage::Stage;
use crate::cli::Project;
use crate::engine::{Running, rename, state_table};
use crate::support::{Engine, Network, Proxy, Session};

/// An expanded migration on a server of its own.
fn expanded(engine: Engine) -> Option<Stage> {
    let stage = Stage::alone(engine)?;
    stage.project.zdm(&["expand"]).ended(0);
    Some(stage)
}

/// Starts a migrate that stops after its first batch.
fn stopped(stage: &Stage, url: &str) -> Running {
    let mut command = stage.project.command(&["migrate"]);
    command.env("ZDM_FAULT_STOP", "batch-after-commit").env("DATABASE_URL", url);
    let running = Running::start(command);
    assert!(has_stopped(running.pid()));
    running
}

#[test]
fn a_backfill_waits_for_a_server_that_is_away_for_a_while() {
    for engine in [Engine::Postgres, Engine::MariaDb] {
        let Some(stage) = expanded(engine) else { continue };
        let running = stopped(&stage, &stage.db.url);
        stage.server.as_ref().unwrap().borrow_mut().crash();
        running.signal("CONT");
        std::thread::sleep(Duration::from_secs(3));
        stage.server.as_ref().unwrap().borrow_mut().start_again().unwrap();
        ended(running).ended(0).says("the connection was lost and made again");
        assert_eq!(stage.state(), "migrated");
    }
}

#[test]
fn a_copy_that_answers_at_the_address_is_told_from_the_database_and_not_written_to() {
    for engine in [Engine::Postgres, Engine::MariaDb] {
        let Some(stage) = expanded(engine) else { continue };
        let made = match engine {
            Engine::Postgres => scratch::postgres(Durability::Fast),
            Engine::MariaDb => scratch::mariadb(Durability::Fast),
        };
        let (other, name) = (made.unwrap(), &stage.db.name);
        let password = stage.db.url.split_once("owner:").unwrap().1.split('@').next().unwrap();
        let (database, same_password) = match engine {
            Engine::Postgres => ("postgres", format!("ALTER ROLE owner PASSWORD '{password}'")),
            Engine::MariaDb => {
                ("mysql", format!("SET PASSWORD FOR owner = PASSWORD('{password}')"))
            }
        };
        let admin = Session::open(&other.url(database));
        admin.run(&format!("CREATE DATABASE {name}"));
        admin.run(&same_password);
        // As a restored backup has it: the tables and the state, which says where it was made.
        let own = stage.db.url.rsplit(':').next().unwrap().split('/').next().unwrap();
        let url = stage.db.url.replacen(own, &other.port().to_string(), 1);
        let copy = Session::open(&url);
        copy.run("CREATE TABLE users (id bigint PRIMARY KEY, name varchar(50) NOT NULL)");
        copy.run("INSERT INTO users VALUES (1, 'n1'), (650, 'n650')");
        let project = Project::on(&stage.db).at(&url);
        rename(&project);
        project.zdm(&["expand"]).ended(0);
        let identity = state_table(&stage.db, "identity");
        let here = stage.db.value(&format!("SELECT system_id FROM {identity}"));
        copy.run(&format!("UPDATE {identity} SET system_id = '{here}'"));

        let proxy = Proxy::before(&stage.db.url);
        let running = stopped(&stage, &proxy.url(&stage.db.url));
        proxy.lead_to(&url);
        proxy.set(Network::Down);
        proxy.set(Network::Up);
        running.signal("CONT");
        let said = ended(running).ended(7).says("this database is a copy");
        said.says("nothing was written to it");
        assert_eq!(copy.value("SELECT count(*) FROM users WHERE title IS NOT NULL"), "0");
        let state = format!("SELECT state FROM {}", state_table(&stage.db, "migration"));
        assert_eq!(copy.value(&state), "expanded");
        stage.project.zdm(&["migrate"]).ended(0);
        assert_eq!(stage.state(), "migrated");
    }
}
