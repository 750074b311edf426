//! Locks of statements that cannot run in a transaction: what they wait for while another session is in their way.

use std::collections::BTreeMap;
use std::time::Duration;

use super::copies::{Copies, Copy};
use super::observed::{held, tables};
use crate::sql::effects::mode::Mode;
use crate::support::Session;

/// How often a statement is begun at most: twice for each table that it locks.
const TRIES: usize = 80;

/// What is there: a concurrent build that is ended leaves things behind.
const OBJECTS: &str = "SELECT (SELECT count(*) FROM pg_class) || ' ' || (SELECT max(oid::bigint) FROM pg_class) || ' ' \
     || (SELECT count(*) FROM pg_index WHERE indisvalid) || ' ' || (SELECT count(*) FROM pg_inherits)";

/// The strongest lock that a statement takes on each table.
///
/// Another session holds ACCESS EXCLUSIVE on every table; for what the statement waits is noted, and the next time that
/// table is held in a mode which lets this lock through, but not the stronger ones. And so on, until it runs through.
pub(super) fn locks(
    copies: &Copies<'_>,
    mut copy: Copy,
    setup: &str,
    sql: &str,
) -> Result<BTreeMap<String, Mode>, String> {
    let mut found = BTreeMap::new();
    let mut way = Way::Narrow;
    let untouched = copy.session().value(OBJECTS);
    for _ in 0..TRIES {
        if copy.session().value(OBJECTS) != untouched {
            copy = copies.fresh(setup)?;
        }
        match attempt(&copy, sql, &mut found, way)? {
            Outcome::Done => return Ok(found),
            Outcome::Waited => {}
            Outcome::WaitedForTransactions => {
                way = if way == Way::Narrow { Way::Wide } else { Way::Free };
            }
        }
    }
    Err(format!("still waits after {TRIES} tries; found {found:?}"))
}

/// How much stands in the statement's way on tables whose locks are known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    /// Whatever it would have to wait for.
    Narrow,
    /// What concurrent builds need not wait for.
    Wide,
    /// Nothing.
    Free,
}

enum Outcome {
    Done,
    /// For a lock on a table.
    Waited,
    /// For the end of the other session's transaction: CONCURRENTLY.
    WaitedForTransactions,
}

fn attempt(
    copy: &Copy,
    sql: &str,
    found: &mut BTreeMap<String, Mode>,
    way: Way,
) -> Result<Outcome, String> {
    let (watcher, blocker, worker) = (copy.session(), copy.session(), copy.session());
    blocker.run("BEGIN");
    for table in tables(&watcher) {
        block(&blocker, &table, found.get(&table).copied(), way);
    }
    let pending = worker.start(sql);
    let mut pending = Some(pending);
    loop {
        if !pending.as_ref().is_some_and(|pending| pending.waits(Duration::from_millis(20))) {
            // Its answer was taken by the look at it; what it said is asked again by `alone`.
            return Ok(Outcome::Done);
        }
        let waits = watcher.rows(&format!(
            "SELECT l.locktype, coalesce(n.nspname || '.' || c.relname, ''), l.mode FROM pg_locks l \
             LEFT JOIN pg_class c ON c.oid = l.relation LEFT JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE l.pid = {} AND NOT l.granted",
            worker.backend
        ));
        let Some([kind, table, mode]) = waits.first().and_then(|row| row.first_chunk()) else {
            continue;
        };
        note(found, held(&watcher, worker.backend));
        let outcome = if kind == "relation" {
            note(found, [(table.clone(), Mode::parse(mode).unwrap())]);
            Outcome::Waited
        } else {
            Outcome::WaitedForTransactions
        };
        watcher.run(&format!("SELECT pg_cancel_backend({})", worker.backend));
        drop(pending.take().map(crate::support::Pending::answer));
        return Ok(outcome);
    }
}

fn note(found: &mut BTreeMap<String, Mode>, more: impl IntoIterator<Item = (String, Mode)>) {
    for (table, mode) in more {
        let known = found.entry(table).or_insert(mode);
        *known = mode.max(*known);
    }
}

/// Holds a table so that a stronger lock than the known one must wait.
fn block(blocker: &Session, table: &str, known: Option<Mode>, way: Way) {
    let mode = match known {
        None => "ACCESS EXCLUSIVE",
        Some(_) if way == Way::Free => return,
        Some(Mode::AccessExclusive) => return,
        Some(Mode::Exclusive) => "ACCESS SHARE",
        Some(_) if way == Way::Wide => "ROW SHARE",
        Some(Mode::AccessShare) => "EXCLUSIVE",
        Some(Mode::RowShare) => "SHARE ROW EXCLUSIVE",
        Some(Mode::RowExclusive) => "SHARE UPDATE EXCLUSIVE",
        Some(Mode::ShareUpdateExclusive) => "ROW EXCLUSIVE",
        Some(Mode::Share) => "SHARE",
        Some(Mode::ShareRowExclusive) => "ROW SHARE",
    };
    if blocker.try_run(&format!("SAVEPOINT s; LOCK TABLE ONLY {table} IN {mode} MODE")).is_ok() {
        return;
    }
    // A materialized view cannot be locked by name.
    blocker.run("ROLLBACK TO s");
    if mode == "ACCESS EXCLUSIVE" {
        blocker.run(&format!("ALTER MATERIALIZED VIEW {table} OWNER TO CURRENT_USER"));
    } else {
        blocker.run(&format!("SELECT FROM {table} LIMIT 0"));
    }
}
