//! What applications touch: the functions of the state, the library, and `zdm report`.

mod functions;
mod join;
mod outage;
mod phase;
mod renew;
mod report;
mod wait;

use std::time::{Duration, Instant};

use zdm::app::{InstanceBuilder, JoinError};

use crate::support::{Db, Engine};

/// How long a lease lives in these tests.
const TTL: Duration = Duration::from_millis(1500);
/// How long anything may take to happen on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

const POSTGRES: &[&str] = &[
    include_str!("../../../src/database/postgres/schema/V1__state.sql"),
    include_str!("../../../src/database/postgres/schema/V10__leases.sql"),
    include_str!("../../../src/database/postgres/schema/V11__reached.sql"),
];
const MYSQL: &[&str] = &[
    include_str!("../../../src/database/mysql/schema/V1__state.sql"),
    include_str!("../../../src/database/mysql/schema/V10__join.sql"),
    include_str!("../../../src/database/mysql/schema/V11__renew.sql"),
    include_str!("../../../src/database/mysql/schema/V12__leave.sql"),
    include_str!("../../../src/database/mysql/schema/V13__lift.sql"),
    include_str!("../../../src/database/mysql/schema/V14__reached.sql"),
];

/// Makes the tables and functions of the state, and declares service `api`.
pub(crate) fn install(db: &Db) {
    let session = db.session();
    if db.engine == Engine::Postgres {
        session.run("CREATE SCHEMA zdm");
    }
    let files = if db.engine == Engine::Postgres { POSTGRES } else { MYSQL };
    for file in files {
        for statement in file.split("\n-- next\n") {
            session.run(statement);
        }
    }
    // The run whose gate makes the fences below lives.
    session.run(&sql(db, "UPDATE zdm_run SET token = 'token', expires_at = '2100-01-01'"));
    let ttl = TTL.as_millis();
    session
        .run(&sql(db, &format!("INSERT INTO zdm_service VALUES ('api', {ttl}, 'leases', true)")));
}

/// A statement on the state, written with the names of MySQL and MariaDB.
fn sql(db: &Db, text: &str) -> String {
    match db.engine {
        Engine::Postgres => {
            text.replace("zdm_", "zdm.").replace("UTC_TIMESTAMP(6)", "clock_timestamp()")
        }
        Engine::MariaDb => text.to_owned(),
    }
}

pub(crate) fn run(db: &Db, text: &str) {
    db.run(&sql(db, text));
}

pub(crate) fn value(db: &Db, text: &str) -> String {
    db.value(&sql(db, text))
}

/// Calls one of the functions.
fn call(db: &Db, function: &str, arguments: &str) -> Vec<Vec<String>> {
    db.rows(&call_sql(db, function, arguments))
}

fn call_sql(db: &Db, function: &str, arguments: &str) -> String {
    match db.engine {
        Engine::Postgres => format!("SELECT * FROM zdm.{function}({arguments})"),
        Engine::MariaDb => format!("CALL zdm_{function}({arguments})"),
    }
}

/// What a gate does in its second step (the kind is `tolerate` or `withdraw`).
pub(crate) fn fence(db: &Db, migration: &str, kind: &str, status: &str) {
    run(db, "UPDATE zdm_gate SET epoch = epoch + 1");
    run(
        db,
        &format!(
            "INSERT INTO zdm_fence (migration, kind, services, status, epoch, run_token, since) \
             VALUES ('{migration}', '{kind}', NULL, '{status}', 1, 'token', UTC_TIMESTAMP(6))"
        ),
    );
}

pub(crate) fn unfence(db: &Db) {
    run(db, "UPDATE zdm_gate SET epoch = epoch + 1");
    run(db, "DELETE FROM zdm_fence");
}

pub(crate) fn migration(db: &Db, id: &str, state: &str) {
    run(db, &format!("DELETE FROM zdm_migration WHERE id = '{id}'"));
    run(
        db,
        &format!("INSERT INTO zdm_migration VALUES ('{id}', '{state}', UTC_TIMESTAMP(6), NULL)"),
    );
}

/// An instance of service `api` that tolerates nothing.
fn api(url: &str) -> InstanceBuilder {
    zdm::Instance::builder("api").version("41").instance("web-1").database_url(url)
}

/// Joins, on an executor that has nothing of zdm's.
fn join(builder: InstanceBuilder) -> Result<zdm::Instance, JoinError> {
    wait(builder.join())
}

fn wait<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// Waits until something is so.
pub(crate) fn until(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Waits until a lease has been renewed from now on. A join alone is no renewal: its answer may still be under way.
fn until_renewed(db: &Db) {
    let beats = || value(db, "SELECT coalesce(sum(beat), 0) FROM zdm_lease");
    let before = beats();
    until("a renewal", || beats() != before);
}
