//! The gate's protocol where something goes wrong around it, and what must come of it:
//!
//! | fault | must come of it | |
//! |---|---|---|
//! | rows were changed past the triggers | BLOCKED with the table, the count and keys; no fence is left | `verification.rs` |
//! | the renewals of an instance are lost, its statements are not | it stops at its deadline, before contract acts: no statement fails | `faults.rs` |
//! | an old instance starts while the old structure is being hidden | it waits, and is refused for good | `faults.rs` |
//! | the database is away for three leases, under load | nobody is stopped, nothing is sent without a lease, all serve again | `faults.rs` |
//! | an application comes through a pooler that shares connections | it is named like any other; contract goes on when it has left | `faults.rs` |
//! | the database's clock is set forward, and back | no contract acts beside an old instance, which is never stopped | `clock.rs` |
//! | a standby is promoted that lacks an instance's lease | the instance joins again; a contract waits a lease for it | `fail_over.rs` |
//! | a standby is promoted that lacks a gate's fence | the gate does not act | `fail_over.rs` |
//! | a process is stopped for longer than its lease, in a service with a hard fence | its sessions are ended, it cannot log in again | `hard_fence.rs` |
//!
//! More: `gate_faults.rs`, `evidence.rs`, `app/outage.rs`, `engine/fail_over.rs`.

mod clock;
mod fail_over;
mod faults;
pub(crate) mod hard_fence;
mod verification;

use crate::cli::Project;
use crate::support::{Db, Engine, Session};

const NEW: &str = "0002_name";

/// A zdm.toml in which service `api` has leases of so many seconds.
fn settings(ttl: u32) -> String {
    format!("[services.api]\nttl = \"{ttl}s\"\n[gate]\nsoak = \"0s\"\n")
}

/// Two migrations of which the second takes `users.name` away, as far as its contract.
fn dropping(project: &Project) {
    let create = "CREATE TABLE users (id bigint PRIMARY KEY, name varchar(100));\n";
    project.file("migrations/0001_users/expand.sql", create);
    let drop = "ALTER TABLE users DROP COLUMN name;\n";
    project.file("migrations/0002_name/contract.sql", drop);
    project.zdm(&["expand"]).ended(0);
}

/// A statement on the state, written with the names of MySQL and MariaDB.
fn state(engine: Engine, text: &str) -> String {
    match engine {
        Engine::Postgres => text.replace("zdm_", "zdm."),
        Engine::MariaDb => text.to_owned(),
    }
}

/// Joins as an instance of service `api`: outcome and lease.
fn join(engine: Engine, session: &Session, tolerates: &str) -> (String, String) {
    let call = format!("join_v1('api', '41', 'web-1', '{tolerates}', '', 'suspends')");
    let rows = match engine {
        Engine::Postgres => session.rows(&format!("SELECT outcome, lease FROM zdm.{call}")),
        Engine::MariaDb => session.rows(&format!("CALL zdm_{call}")),
    };
    (rows[0][0].clone(), rows[0][1].clone())
}

/// The new build runs, and leaves: nobody is there, and whoever starts next is new.
fn new_build_ran(engine: Engine, session: &Session) {
    let (outcome, lease) = join(engine, session, NEW);
    assert_eq!(outcome, "joined");
    leave(engine, session, &lease);
}

fn leave(engine: Engine, session: &Session, lease: &str) {
    match engine {
        Engine::Postgres => session.run(&format!("SELECT * FROM zdm.leave_v1({lease})")),
        Engine::MariaDb => session.run(&format!("CALL zdm_leave_v1({lease})")),
    }
}

fn fences(engine: Engine, session: &Session) -> String {
    session.rows(&state(engine, "SELECT status FROM zdm_fence")).concat().concat()
}

fn has_column(session: &Session) -> bool {
    session.try_run("SELECT name FROM users").is_ok()
}

/// The events of these kinds, in their order.
fn events(db: &Db, like: &str) -> String {
    let sql = format!("SELECT kind FROM zdm_event WHERE kind LIKE '{like}' ORDER BY id");
    db.rows(&state(db.engine, &sql)).concat().join(" ")
}

/// Lets a future run to its end.
fn wait<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}
