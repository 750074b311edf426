//! Making and upgrading the state, safely when many zdm start at once; and finding out what is there.

use std::time::Duration;

use refinery_core::error::Kind;
use refinery_core::{Migration, Runner};
use tokio::time::{Instant, sleep};

use super::error::StateError;
use super::history::{Migrator, table};
use super::{identity, schema, unexpected};
use crate::database::connection::Connection;
use crate::database::error::{DbError, DbErrorKind};
use crate::model::server::Engine;

/// What is there of the state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Installed {
    /// Nothing, or not enough to be read.
    No,
    /// A state made by an older zdm: it can be read; the next command that writes upgrades it.
    Older,
    /// What this zdm makes.
    Yes,
    /// A state made by a newer zdm.
    Newer {
        /// The newest file that has been applied.
        newest: i64,
    },
}

/// How long to wait for another zdm that is making the state.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often to ask for the lock. Asked for again and again rather than waited for: on PostgreSQL a waiter's snapshot
/// would deadlock with somebody's CREATE INDEX CONCURRENTLY.
const PAUSE: Duration = Duration::from_millis(50);
/// The PostgreSQL advisory lock: "zdm" in ASCII, then 1.
const POSTGRES_LOCK: i64 = 0x007A_646D_0001;

/// What is there. Never creates anything.
pub(crate) async fn installed(conn: &mut Connection) -> Result<Installed, DbError> {
    if !has_history(conn).await? {
        return Ok(Installed::No);
    }
    let sql = format!("SELECT version FROM {} ORDER BY version", table(conn.engine()));
    let rows = match conn.query(&sql, &[]).await {
        Ok(rows) => rows,
        // Gone between the two looks.
        Err(error) if error.kind == DbErrorKind::Undefined => return Ok(Installed::No),
        Err(error) => return Err(error),
    };
    let applied: Vec<i64> = rows.iter().map(|row| row.int(0)).collect::<Result<_, _>>()?;
    let known: Vec<i64> =
        files(conn.engine())?.iter().map(|file| i64::from(file.version())).collect();
    Ok(match applied.last() {
        None => Installed::No,
        Some(newest) if !known.contains(newest) => Installed::Newer { newest: *newest },
        Some(_) if known.iter().all(|version| applied.contains(version)) => Installed::Yes,
        Some(_) => Installed::Older,
    })
}

/// For commands that only read: what is there, and whether it belongs to this database.
///
/// `false`: there is no state, so nothing has ever run here.
pub(crate) async fn open_for_reading(
    conn: &mut Connection,
    environment: Option<&str>,
) -> Result<bool, StateError> {
    match installed(conn).await? {
        Installed::No => Ok(false),
        Installed::Newer { newest } => Err(StateError::Newer { newest }),
        Installed::Older | Installed::Yes => {
            identity::check(conn, environment).await?;
            Ok(true)
        }
    }
}

/// For commands that write: makes or upgrades the state where needed, and records, or compares, the identity of the
/// database.
///
/// Safe when many do it at once: one makes it, the others wait for it.
pub(crate) async fn install(
    conn: &mut Connection,
    environment: Option<&str>,
) -> Result<(), StateError> {
    match installed(conn).await? {
        Installed::Yes => {}
        Installed::Newer { newest } => return Err(StateError::Newer { newest }),
        Installed::No | Installed::Older => {
            lock(conn).await?;
            let made = make(conn).await;
            // The lock ends with the connection at the latest; a failure to make the state is the error that counts.
            let unlocked = unlock(conn).await;
            made?;
            unlocked?;
        }
    }
    identity::record(conn, environment).await?;
    identity::check(conn, environment).await
}

/// The files of an engine, as refinery wants them.
fn files(engine: Engine) -> Result<Vec<Migration>, DbError> {
    schema::files(engine)
        .iter()
        .map(|(name, text)| {
            Migration::unapplied(name, text)
                .map_err(|error| unexpected(format!("state file {name}: {error}")))
        })
        .collect()
}

async fn has_history(conn: &mut Connection) -> Result<bool, DbError> {
    let sql = if conn.engine().is_mysql_family() {
        "SELECT COUNT(*) FROM information_schema.tables \
         WHERE table_schema = DATABASE() AND table_name = 'zdm_schema_history'"
    } else {
        // The catalog can be read without any right on the schema.
        "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = 'zdm' AND c.relname = 'schema_history'"
    };
    Ok(count(conn, sql).await? > 0)
}

async fn make(conn: &mut Connection) -> Result<(), StateError> {
    let engine = conn.engine();
    if !engine.is_mysql_family() {
        // CREATE SCHEMA IF NOT EXISTS needs the right to create even when the schema is there.
        let there = "SELECT count(*) FROM pg_namespace WHERE nspname = 'zdm'";
        if count(conn, there).await? == 0 {
            conn.run("CREATE SCHEMA zdm").await.map_err(|error| refused(engine, error))?;
        }
    }
    let runner = {
        let mut runner = Runner::new(&files(engine)?);
        runner.set_migration_table_name(table(engine));
        runner
    };
    match runner.run_async(&mut Migrator(conn)).await {
        Ok(_) => Ok(()),
        Err(error) => Err(match error.kind() {
            Kind::MissingVersion(file) => StateError::Newer { newest: i64::from(file.version()) },
            Kind::DivergentVersion(there, here) => {
                StateError::Divergent(format!("{there} was applied, {here} is known"))
            }
            Kind::Connection(_, source) => match source.downcast_ref::<DbError>() {
                Some(source) => refused(engine, source.clone()),
                None => StateError::Database(unexpected(error.to_string())),
            },
            _ => StateError::Database(unexpected(error.to_string())),
        }),
    }
}

/// An error while making the state, with help when a right is missing.
fn refused(engine: Engine, mut error: DbError) -> StateError {
    if error.kind != DbErrorKind::Permission {
        return StateError::Database(error);
    }
    error.hint = Some(if engine.is_mysql_family() {
        "zdm keeps its state in tables zdm_* of the database: grant the role CREATE, ALTER, INDEX, TRIGGER, CREATE \
         ROUTINE, ALTER ROUTINE, EXECUTE, SELECT, INSERT, UPDATE and DELETE on it."
            .to_owned()
    } else {
        "zdm keeps its state in schema zdm: GRANT CREATE ON DATABASE to the role, or CREATE SCHEMA zdm AUTHORIZATION \
         the role."
            .to_owned()
    });
    StateError::NoRight(error)
}

async fn lock(conn: &mut Connection) -> Result<(), DbError> {
    let started = Instant::now();
    loop {
        let got = if conn.engine().is_mysql_family() {
            // A name of this lock is the server's, not the database's, and holds 64 characters. MySQL 9 has no SHA1.
            count(conn, "SELECT GET_LOCK(CONCAT('zdm:', LEFT(SHA2(DATABASE(), 256), 32)), 0)")
                .await?
        } else {
            count(conn, &format!("SELECT pg_try_advisory_lock({POSTGRES_LOCK})::int")).await?
        };
        if got == 1 {
            return Ok(());
        }
        if started.elapsed() > PATIENCE {
            let message = "another zdm is making its state in this database and does not get done";
            return Err(DbError::new(DbErrorKind::LockTimeout, message));
        }
        sleep(PAUSE).await;
    }
}

async fn unlock(conn: &mut Connection) -> Result<(), DbError> {
    let sql = if conn.engine().is_mysql_family() {
        "SELECT RELEASE_LOCK(CONCAT('zdm:', LEFT(SHA2(DATABASE(), 256), 32)))".to_owned()
    } else {
        format!("SELECT pg_advisory_unlock({POSTGRES_LOCK})::int")
    };
    count(conn, &sql).await?;
    Ok(())
}

/// The one number that a query answers; NULL counts as 0.
async fn count(conn: &mut Connection, sql: &str) -> Result<i64, DbError> {
    let rows = conn.query(sql, &[]).await?;
    let row = rows.first().ok_or_else(|| unexpected("a query without an answer"))?;
    Ok(row.opt_int(0)?.unwrap_or(0))
}
