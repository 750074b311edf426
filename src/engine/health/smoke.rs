//! Trying triggers and rights in transactions that are rolled back.
//!
//! One row of a table gets another row's value, and the other side must follow; a declared role calls the function by
//! which instances join. Locks are waited for as shortly as by any strong statement, and nothing stays.

use crate::database::connection::{Connection, LockLimit};
use crate::database::error::{DbError, DbErrorKind};
use crate::engine::steps::keyset::{Key, Keyset};
use crate::model::server::Engine;
use crate::operation::sync::differs;
use crate::operation::{Sync, SyncMode};
use crate::plan::health::finding::{Finding, Kind};
use crate::sql::catalog::Table;
use crate::sql::quote::{ident, literal, table as quoted};

/// Among so many rows another value is looked for.
const AMONG: u64 = 1000;

/// What came out of a try.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Tried {
    /// It works.
    Works,
    /// It does not.
    Fails(Box<Finding>),
    /// It could not be tried: why.
    Not(String),
}

/// Tries what a trigger does for a sync, in each direction.
pub(crate) async fn sync(
    conn: &mut Connection,
    table: &Table,
    sync: &Sync,
) -> Result<Tried, DbError> {
    let engine = conn.engine();
    let keyset = match Keyset::new(engine, &sync.table, table) {
        Ok(keyset) => keyset,
        Err(none) => return Ok(Tried::Not(none.to_string())),
    };
    conn.limit_lock_waits(LockLimit::SHORT).await?;
    let mut columns = vec![&sync.new];
    if sync.mode == SyncMode::Both {
        columns.push(&sync.old);
    }
    let mut worst = Tried::Works;
    for column in columns {
        match direction(conn, &keyset, sync, column).await? {
            Tried::Works => {}
            fails @ Tried::Fails(_) => return Ok(fails),
            not @ Tried::Not(_) => worst = not,
        }
    }
    Ok(worst)
}

async fn direction(
    conn: &mut Connection,
    keyset: &Keyset,
    sync: &Sync,
    column: &str,
) -> Result<Tried, DbError> {
    let Some((row, other)) = two_rows(conn, keyset, sync, column).await? else {
        return Ok(Tried::Not("the table has no rows".to_owned()));
    };
    let engine = conn.engine();
    let name = ident(engine, column);
    let (table, at) = (keyset.table(), keyset.at(&row));
    let mut trials = Vec::new();
    if let Some(other) = &other {
        let at_other = keyset.at(other);
        let value =
            format!("SELECT v FROM (SELECT {name} AS v FROM {table} WHERE {at_other}) zdm_other");
        trials.push(format!("UPDATE {table} SET {name} = ({value}) WHERE {at}"));
    }
    // A value that stays as it is fires nothing.
    trials.push(format!("UPDATE {table} SET {name} = NULL WHERE {at} AND {name} IS NOT NULL"));
    let mut refused = String::new();
    for sql in trials {
        conn.begin().await?;
        let outcome = one(conn, keyset, sync, &row, &sql).await;
        if !conn.is_closed() {
            conn.rollback().await?;
        }
        match outcome {
            Ok(Some(true)) => return Ok(Tried::Works),
            Ok(Some(false)) => return Ok(Tried::Fails(Box::new(does_nothing(sync, column)))),
            Ok(None) => "no other value is near".clone_into(&mut refused),
            Err(error) => match error.kind {
                DbErrorKind::Lost | DbErrorKind::Unreachable => return Err(error),
                DbErrorKind::Undefined => {
                    return Ok(Tried::Fails(Box::new(breaks_writes(sync, &error))));
                }
                _ => refused = error.to_string(),
            },
        }
    }
    Ok(Tried::Not(format!("no value could be tried in column \"{column}\": {refused}")))
}

/// The first row, and one with another value in a column, if one is near.
async fn two_rows(
    conn: &mut Connection,
    keyset: &Keyset,
    sync: &Sync,
    column: &str,
) -> Result<Option<(Key, Option<Key>)>, DbError> {
    let last = conn.query(&keyset.last(), &[]).await?;
    let Some(upper) = last.first().map(|row| keyset.read(row)).transpose()? else {
        return Ok(None);
    };
    let first = conn.query(&keyset.bound(None, &upper, 1), &[]).await?;
    let Some(first) = first.first().map(|row| keyset.read(row)).transpose()? else {
        return Ok(None);
    };
    let bound = conn.query(&keyset.bound(None, &upper, AMONG), &[]).await?;
    let bound = bound.first().map(|row| keyset.read(row)).transpose()?;
    let range = keyset.range(None, bound.as_ref().unwrap_or(&upper));
    let name = ident(conn.engine(), column);
    let (table, at) = (keyset.table(), keyset.at(&first));
    let own = format!("(SELECT v FROM (SELECT {name} AS v FROM {table} WHERE {at}) zdm_own)");
    let other = differs(conn.engine(), sync.image, &name, &own);
    let other = conn.query(&keyset.examples(&range, &other, 1), &[]).await?;
    let other = other.first().map(|row| keyset.read(row)).transpose()?;
    Ok(Some((first, other)))
}

/// Whether the other side followed; none: nothing was changed.
async fn one(
    conn: &mut Connection,
    keyset: &Keyset,
    sync: &Sync,
    row: &Key,
    sql: &str,
) -> Result<Option<bool>, DbError> {
    if conn.execute(sql, &[]).await? != 1 {
        return Ok(None);
    }
    let engine = conn.engine();
    let (old, new) = (ident(engine, &sync.old), ident(engine, &sync.new));
    let wrong = differs(engine, sync.image, &old, &new);
    let sql = keyset.count(&keyset.at(row), &wrong);
    Ok(Some(conn.query_one(&sql, &[]).await?.int(1)? == 0))
}

fn does_nothing(sync: &Sync, column: &str) -> Finding {
    let Sync { table, old, new, migration, .. } = sync;
    let message = format!(
        "an UPDATE of column \"{column}\" of table \"{table}\" does not reach its other side (\"{old}\" and \"{new}\" must be \
         kept alike)"
    );
    let way_out = "Another trigger of the table undoes it, or triggers do not fire for zdm's user (session_replication_role). \
                   Look at the table's triggers; zdm doctor says whether zdm's own are as they must be.";
    Finding::new(Kind::Trigger, message, way_out).of(migration)
}

fn breaks_writes(sync: &Sync, error: &DbError) -> Finding {
    let Sync { table, migration, .. } = sync;
    let message = format!("an UPDATE of table \"{table}\" fails: {error}");
    let way_out = "Every write of the application may fail so. If a command of zdm was killed, give it again; zdm doctor says \
                   whether the triggers are as they must be.";
    Finding::new(Kind::Trigger, message, way_out).of(migration)
}

/// Tries to join as a role of a service (PostgreSQL; on MySQL and MariaDB a call would commit).
pub(crate) async fn join(
    conn: &mut Connection,
    service: &str,
    role: &str,
) -> Result<Tried, DbError> {
    if conn.engine() != Engine::Postgres {
        return Ok(Tried::Not("a call of the procedure would commit".to_owned()));
    }
    conn.limit_lock_waits(LockLimit::SHORT).await?;
    conn.begin().await?;
    let become_role = format!("SET LOCAL ROLE {}", ident(Engine::Postgres, role));
    let outcome = if let Err(error) = conn.run(&become_role).await {
        Ok(Err(error))
    } else {
        let service = literal(Engine::Postgres, service);
        let call = format!(
            "SELECT outcome FROM zdm.join_v1({service}, 'zdm verify', 'zdm verify', '', '', 'suspends')"
        );
        conn.query(&call, &[]).await.map(Ok)
    };
    if !conn.is_closed() {
        conn.rollback().await?;
    }
    match outcome {
        Ok(Ok(_)) => Ok(Tried::Works),
        Ok(Err(error)) if error.kind == DbErrorKind::Lost => Err(error),
        Ok(Err(_)) => Ok(Tried::Not(format!("zdm's user may not become role \"{role}\""))),
        Err(error) if error.kind == DbErrorKind::Permission => {
            let message =
                format!("role \"{role}\" cannot report for service \"{service}\": {error}");
            let way_out = "zdm doctor --privileges prints the GRANTs that are missing.";
            Ok(Tried::Fails(Box::new(Finding::new(Kind::Right, message, way_out))))
        }
        Err(error) if error.kind == DbErrorKind::Lost => Err(error),
        Err(error) => Ok(Tried::Not(error.to_string())),
    }
}

/// The table, quoted: for messages that hold SQL.
pub(crate) fn table_of(sync: &Sync, engine: Engine) -> String {
    quoted(engine, &sync.table)
}
