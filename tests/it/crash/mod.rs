//! Everything that can go wrong at each named point of `src/engine/fault.rs`, one thing at a time, then the same command:
//! the end is that of an undisturbed run, in schema, journal and rows, while an old and a new build write all the time.
//!
//! `make test` tries a fifth of the points with one fault each; `make test-faults` (`ZDM_FAULTS=all`) each with all of
//! them. `ZDM_FAULTS=postgres:contract:fence-after-commit:1` tries one point alone, `postgres:contract` one command. The list of points is `points.txt`.

mod elsewhere;
mod faults;
mod killed;
mod life;
mod points;
mod seldom;
mod stage;
mod takeover;
mod writers;

use faults::Fault;

use crate::support::Engine;

/// A test for each fault on each database.
macro_rules! suite {
    ($($name:ident: $fault:ident,)*) => {
        mod postgres {
            use super::*;
            $(#[test] fn $name() { life::tried_at_every_point(Engine::Postgres, Fault::$fault); })*
        }
        mod mariadb {
            use super::*;
            $(#[test] fn $name() { life::tried_at_every_point(Engine::MariaDb, Fault::$fault); })*
        }
    };
}

suite! {
    kill_9: Kill,
    a_connection_that_the_server_ends: SessionsEnded,
    an_answer_that_is_lost_with_its_connection: AnswerLost,
    sigterm: Terminate,
    sigint: Interrupt,
    a_second_zdm: SecondRun,
    a_crash_of_the_server: ServerCrash,
    a_state_that_refuses_a_write: StateRefuses,
    a_lock_that_somebody_holds: LockHeld,
    a_statement_timeout: StatementTimeout,
    a_serialization_failure: Serialization,
    a_deadlock: Deadlock,
    a_trigger_that_refuses_some_rows: UserTrigger,
}
