//! What zdm remembers, in schema `zdm` (PostgreSQL) or in tables `zdm_*` (MySQL, MariaDB) of the database itself.
//!
//! One file a subject; each is a few functions on [`Connection`]. SQL is written once for both families through
//! `Connection::sql`. Invariant: nothing here decides; reading never creates anything.
//!
//! Writing is for the owner of the run lock: each writing transaction calls `check_run` first. Rows are locked in one
//! order, so that no two transactions of zdm wait for each other: `run`, then `gate`, then the others.

pub(crate) mod checkpoints;
pub(crate) mod error;
pub(crate) mod events;
pub(crate) mod fences;
mod grants;
pub(crate) mod heartbeat;
mod history;
pub(crate) mod identity;
pub(crate) mod install;
pub(crate) mod journal;
pub(crate) mod leases;
pub(crate) mod newness;
pub(crate) mod parked;
pub(crate) mod parts;
pub(crate) mod promotion;
pub(crate) mod run_lock;
pub(crate) mod schema;
#[cfg(all(test, feature = "cli", feature = "postgres", feature = "mysql"))]
mod server_tests;
pub(crate) mod services;
pub(crate) mod steering;
pub(crate) mod taken_logins;

use std::time::Duration;

use super::connection::Connection;
use super::error::{DbError, DbErrorKind};
use crate::model::name::MigrationId;
use crate::model::server::Engine;

/// A moment that lies `after` the server's clock, as an expression.
fn later(engine: Engine, after: Duration) -> String {
    let micros = after.as_micros();
    if engine.is_mysql_family() {
        format!("UTC_TIMESTAMP(6) + INTERVAL {micros} MICROSECOND")
    } else {
        format!("clock_timestamp() + interval '{micros} microseconds'")
    }
}

/// The clause that locks the rows that are read against change, but not against others who lock them so.
fn for_share(engine: Engine) -> &'static str {
    // MariaDB does not know FOR SHARE.
    if engine.is_mysql_family() { "LOCK IN SHARE MODE" } else { "FOR SHARE" }
}

/// An INSERT that becomes an UPDATE when the row is there. `keys` are the columns of the table's primary key.
fn upsert(engine: Engine, table: &str, keys: &[&str], columns: &[&str]) -> String {
    let all = [keys, columns].concat();
    let marks = vec!["?"; all.len()].join(", ");
    let set = |new: &dyn Fn(&str) -> String| -> String {
        let sets: Vec<_> =
            columns.iter().map(|column| format!("{column} = {}", new(column))).collect();
        sets.join(", ")
    };
    let insert = format!("INSERT INTO {{zdm}}{table} ({}) VALUES ({marks})", all.join(", "));
    if engine.is_mysql_family() {
        format!("{insert} ON DUPLICATE KEY UPDATE {}", set(&|column| format!("VALUES({column})")))
    } else {
        let set = set(&|column| format!("EXCLUDED.{column}"));
        format!("{insert} ON CONFLICT ({}) DO UPDATE SET {set}", keys.join(", "))
    }
}

/// The moment on the server's clock: milliseconds since 1970.
pub(crate) async fn now(conn: &mut Connection) -> Result<i64, DbError> {
    let sql = conn.sql("SELECT {ms:clock.moment} FROM (SELECT {now} AS moment) clock");
    let rows = conn.query(&sql, &[]).await?;
    rows.first().ok_or_else(|| unexpected("the server's clock gave no answer"))?.int(0)
}

/// A name that the state holds.
fn migration_id(text: &str) -> Result<MigrationId, DbError> {
    MigrationId::parse(text)
        .map_err(|invalid| unexpected(format!("in the state of zdm: {invalid}")))
}

/// A word that the state holds and this zdm does not know.
fn unknown_word(what: &str, word: &str) -> DbError {
    unexpected(format!(
        "in the state of zdm: {what} \"{word}\" is not known to this version of zdm"
    ))
}

/// The state is not what zdm left there.
fn unexpected(message: impl Into<String>) -> DbError {
    DbError::new(DbErrorKind::Other, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upsert_is_written_for_each_family() {
        assert_eq!(
            upsert(Engine::Postgres, "t", &["a", "b"], &["c"]),
            "INSERT INTO {zdm}t (a, b, c) VALUES (?, ?, ?) ON CONFLICT (a, b) DO UPDATE SET c = EXCLUDED.c"
        );
        assert_eq!(
            upsert(Engine::MariaDb, "t", &["a"], &["b", "c"]),
            "INSERT INTO {zdm}t (a, b, c) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE b = VALUES(b), c = VALUES(c)"
        );
    }
}
