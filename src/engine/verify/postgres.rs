//! PostgreSQL: what a statement does is looked at before its transaction commits; what no transaction may hold, while
//! it waits for a lock that is in its way on purpose.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::database::footprint::{Oid, TableFile};
use crate::model::name::TableName;
use crate::model::server::Engine;
use crate::plan::verified::{Difference, Footprint, Seen, tables_differ};
use crate::plan::view::PlannedStatement;
use crate::sql::change::Change;
use crate::sql::effect::Effect;
use crate::sql::effects::Mode;
use crate::sql::quote;
use crate::sql::rename::split_at_word;

/// How often a statement in flight is looked at, and for how long before what is in its way goes.
const LOOK_EVERY: Duration = Duration::from_millis(10);
const LOOK_FOR: Duration = Duration::from_secs(5);

/// What was seen of a statement, and where that is not what was foretold.
pub(super) type Judged = (Seen, Vec<Difference>);

/// Runs statements in one transaction, as a step does, and looks at each. `old`: the tables that were there before the
/// migration.
pub(super) async fn together(
    conn: &mut Connection,
    statements: &[PlannedStatement],
    old: &BTreeSet<Oid>,
) -> Result<Vec<Judged>, DbError> {
    conn.begin().await?;
    let looked = inside(conn, statements, old).await;
    match looked {
        Ok(judged) => conn.commit().await.map(|()| judged),
        Err(error) => {
            if !conn.is_closed() {
                conn.rollback().await?;
            }
            Err(error)
        }
    }
}

async fn inside(
    conn: &mut Connection,
    statements: &[PlannedStatement],
    old: &BTreeSet<Oid>,
) -> Result<Vec<Judged>, DbError> {
    let mut judged = Vec::new();
    // What this transaction holds by now, by the servers' numbers: a rename changes the name.
    let (mut said, mut held) = (BTreeMap::new(), BTreeMap::new());
    for statement in statements {
        let before = conn.table_files().await?;
        let earlier = held.clone();
        conn.run(&statement.sql).await?;
        let after = conn.table_files().await?;
        let backend = conn.backend();
        for lock in conn.table_locks(backend).await?.into_iter().filter(|lock| lock.held) {
            raise(&mut held, lock.table, Mode::parse(&lock.mode));
        }
        let by_name = names(&before);
        for lock in &statement.effect.locks {
            let Some(oid) = by_name.get(&lock.table) else { continue };
            let mode = Mode::parse(&lock.mode);
            // What is not there (or is already) leaves IF EXISTS nothing to do: less than foretold is right.
            if !may_do_nothing(&statement.sql) || held.get(oid).copied() >= mode {
                raise(&mut said, *oid, mode);
            }
        }
        let known = |oid: &Oid| old.contains(oid);
        let show = |modes: &BTreeMap<Oid, Mode>| -> Vec<(TableName, Mode)> {
            let shown = modes.iter().filter(|(oid, _)| known(oid));
            shown.filter_map(|(oid, mode)| Some((before.get(oid)?.name.clone(), *mode))).collect()
        };
        let mut seen = Footprint {
            locks: show(&held),
            rewrites: rewritten(statement, (&before, &after), old),
            partial: false,
        };
        let mut foretold = show(&said);
        // A table that is not there cannot have been locked: that is a difference, too.
        let missing =
            statement.effect.locks.iter().filter(|lock| {
                !by_name.contains_key(&lock.table) && !may_do_nothing(&statement.sql)
            });
        foretold.extend(
            missing.filter_map(|lock| Some((lock.table.clone(), Mode::parse(&lock.mode)?))),
        );
        let differences = tables_differ(&statement.effect, &foretold, &seen);
        // A difference is told once.
        said.clone_from(&held);
        // What earlier statements took is shown with them.
        seen.locks.retain(|(table, mode)| {
            let before = by_name.get(table).and_then(|oid| earlier.get(oid));
            before != Some(mode) || statement.effect.locks.iter().any(|lock| lock.table == *table)
        });
        judged.push((Seen::Tables(seen), differences));
    }
    Ok(judged)
}

/// Runs a statement that no transaction may hold. The lock that it takes first is seen, as others stand in its way for a
/// moment.
pub(super) async fn alone(
    (conn, other, watcher): (&mut Connection, &mut Connection, &mut Connection),
    statement: &PlannedStatement,
    old: &BTreeSet<Oid>,
) -> Result<Judged, DbError> {
    let before = conn.table_files().await?;
    let by_name = names(&before);
    let tables: Vec<_> = (statement.effect.locks.iter())
        .filter(|lock| by_name.contains_key(&lock.table))
        .map(|lock| quote::table(Engine::Postgres, &lock.table))
        .collect();
    if tables.is_empty() {
        conn.run(&statement.sql).await?;
        return Ok((Seen::Nothing, Vec::new()));
    }
    other.begin().await?;
    other.run(&format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", tables.join(", "))).await?;
    let (backend, ended) = (conn.backend(), CancellationToken::new());
    let run = async {
        let ran = conn.run(&statement.sql).await;
        ended.cancel();
        ran
    };
    let look = async {
        let seen = look(watcher, backend, &ended).await;
        // Whatever was seen: now it may go on.
        other.rollback().await?;
        seen
    };
    let (ran, seen) = tokio::join!(run, look);
    ran?;
    let modes = seen?;
    let after = conn.table_files().await?;
    let locks = modes.iter().filter(|(oid, _)| old.contains(oid));
    let seen = Footprint {
        locks: locks
            .filter_map(|(oid, mode)| Some((before.get(oid)?.name.clone(), *mode)))
            .collect(),
        rewrites: rewritten(statement, (&before, &after), old),
        partial: true,
    };
    let foretold = statement.effect.locks.iter();
    let foretold: Vec<_> =
        foretold.filter_map(|lock| Some((lock.table.clone(), Mode::parse(&lock.mode)?))).collect();
    let differences = tables_differ(&statement.effect, &foretold, &seen);
    Ok((Seen::Tables(seen), differences))
}

/// The locks that a statement holds and waits for, once it waits for one.
async fn look(
    watcher: &mut Connection,
    backend: i64,
    ended: &CancellationToken,
) -> Result<BTreeMap<Oid, Mode>, DbError> {
    let began = Instant::now();
    let mut modes = BTreeMap::new();
    while !ended.is_cancelled() && began.elapsed() < LOOK_FOR {
        let locks = watcher.table_locks(backend).await?;
        if locks.iter().any(|lock| !lock.held) {
            for lock in locks {
                raise(&mut modes, lock.table, Mode::parse(&lock.mode));
            }
            break;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(modes)
}

/// Whether a statement says IF EXISTS or IF NOT EXISTS.
fn may_do_nothing(sql: &str) -> bool {
    split_at_word(Engine::Postgres, sql, "IF").is_some()
        && split_at_word(Engine::Postgres, sql, "EXISTS").is_some()
}

fn raise(modes: &mut BTreeMap<Oid, Mode>, table: Oid, mode: Option<Mode>) {
    let Some(mode) = mode else { return };
    let known = modes.entry(table).or_insert(mode);
    *known = mode.max(*known);
}

fn names(tables: &BTreeMap<Oid, TableFile>) -> BTreeMap<TableName, Oid> {
    tables.iter().map(|(oid, table)| (table.name.clone(), *oid)).collect()
}

/// The tables that have another file now. REINDEX writes indexes anew, and no table.
fn rewritten(
    statement: &PlannedStatement,
    (before, after): (&BTreeMap<Oid, TableFile>, &BTreeMap<Oid, TableFile>),
    old: &BTreeSet<Oid>,
) -> Option<Vec<TableName>> {
    let is_reindex = |change: &Change| matches!(change, Change::Rebuild { what, .. } if what.starts_with("REINDEX"));
    let Effect { rewrites, .. } = &statement.effect;
    if !rewrites.is_empty() && statement.changes.iter().any(|located| is_reindex(&located.change)) {
        return None;
    }
    let changed = before.iter().filter(|(oid, was)| {
        let now = after.get(oid);
        old.contains(oid) && now.is_some_and(|now| now.file != was.file)
    });
    Some(changed.map(|(_, was)| was.name.clone()).collect())
}
