//! What a statement does: locks, new files, rows read.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::{Duration, Instant};

use crate::sql::effect::Effect;
use crate::sql::effects::mode::Mode;
use crate::support::Session;

/// By full names of tables.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Observed {
    pub(super) locks: BTreeMap<String, Mode>,
    pub(super) rewrites: BTreeSet<String>,
    pub(super) scans: BTreeSet<String>,
}

impl Observed {
    /// The same of what zdm says.
    pub(super) fn of(effect: &Effect) -> Self {
        let names = |tables: &[crate::model::name::TableName]| {
            tables.iter().map(ToString::to_string).collect()
        };
        let lock = |lock: &crate::sql::effect::Lock| {
            (lock.table.to_string(), Mode::parse(&lock.mode).unwrap())
        };
        Self {
            locks: effect.locks.iter().map(lock).collect(),
            rewrites: names(&effect.rewrites),
            scans: names(&effect.scans),
        }
    }
}

impl fmt::Display for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { locks, rewrites, scans } = self;
        writeln!(f, "  locks {locks:?}\n  rewrites {rewrites:?}\n  scans {scans:?}")
    }
}

/// Tables, partitioned tables and materialized views: oid, name, rows, file, rows read from it and its indexes.
const STATE: &str = "SELECT c.oid, n.nspname || '.' || c.relname, c.reltuples::bigint, \
       coalesce(pg_relation_filenode(c.oid), 0), coalesce(pg_stat_get_xact_tuples_returned(c.oid), 0), \
       (SELECT coalesce(max(pg_stat_get_xact_tuples_returned(i.indexrelid)), 0) FROM pg_index i WHERE i.indrelid = c.oid), \
       coalesce(pg_stat_get_xact_numscans(c.oid), 0) \
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
     WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname !~ '^(pg_|information_schema)' ORDER BY c.oid";

/// A table at one moment.
struct State {
    name: String,
    rows: f64,
    file: String,
    /// Rows read by sequential scans, and by scans of one of its indexes.
    read: [f64; 2],
    /// Sequential scans begun.
    scans: f64,
}

/// The tables by oid.
fn states(session: &Session) -> BTreeMap<String, State> {
    let rows = session.rows(STATE);
    let state = |row: Vec<String>| {
        let number = |i: usize| row[i].parse().unwrap();
        let state = State {
            name: row[1].clone(),
            rows: number(2),
            file: row[3].clone(),
            read: [number(4), number(5)],
            scans: number(6),
        };
        (row[0].clone(), state)
    };
    rows.into_iter().map(state).collect()
}

/// The strongest lock that a backend holds on each relation, by oid.
fn locks(session: &Session, backend: i64) -> BTreeMap<String, Mode> {
    let mut found = BTreeMap::new();
    for row in session.rows(&format!(
        "SELECT relation, mode FROM pg_locks WHERE locktype = 'relation' AND granted AND pid = {backend} \
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )) {
        let mode = Mode::parse(&row[1]).unwrap();
        let known = found.entry(row[0].clone()).or_insert(mode);
        *known = mode.max(*known);
    }
    found
}

/// The locks that another backend holds now, by name of table.
pub(super) fn held(session: &Session, backend: i64) -> BTreeMap<String, Mode> {
    let locks = locks(session, backend);
    let states = states(session).into_iter();
    states.filter_map(|(oid, state)| Some((state.name, *locks.get(&oid)?))).collect()
}

/// The names of tables, partitioned tables and materialized views.
pub(super) fn tables(session: &Session) -> Vec<String> {
    states(session).into_values().map(|state| state.name).collect()
}

/// What a statement does, which is taken back.
pub(super) fn in_transaction(session: &Session, sql: &str) -> Result<Observed, String> {
    session.run("BEGIN");
    let before = states(session);
    let outcome = session.try_run(sql);
    let observed = outcome.map(|()| {
        let locks = locks(session, session.backend);
        let held =
            before.iter().filter_map(|(oid, was)| Some((was.name.clone(), *locks.get(oid)?)));
        Observed { locks: held.collect(), ..difference(&before, &states(session)) }
    });
    session.run("ROLLBACK");
    observed
}

/// The same of a statement that cannot run in a transaction, but for locks, which are gone by its end.
pub(super) fn alone(session: &Session, sql: &str) -> Result<Observed, String> {
    session.run("CREATE TEMPORARY TABLE watched ()");
    passed_on(session, 1);
    let before = totals(session);
    session.try_run(sql)?;
    passed_on(session, 2);
    Ok(difference(&before, &totals(session)))
}

/// Waits until what has been read up to now is counted: up to PostgreSQL 14, a process of its own counts, in the order in
/// which backends pass on what they have read, a scan of `watched` here.
fn passed_on(session: &Session, scans: i64) {
    if session.value("SHOW server_version_num").as_str() >= "150000" {
        return;
    }
    session.run("SELECT FROM watched");
    let deadline = Instant::now() + Duration::from_secs(30);
    let number = "SELECT pg_stat_get_numscans('watched'::regclass)";
    while session.value(number).parse::<i64>().unwrap() < scans && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The tables with what the backend has counted, be it passed on or not: it does so when it has nothing to do.
fn totals(session: &Session) -> BTreeMap<String, State> {
    let mut all = states(session);
    for row in session.rows(&STATE.replace("pg_stat_get_xact_", "pg_stat_get_")) {
        let Some(state) = all.get_mut(&row[0]) else { continue };
        let number = |i: usize| row[i].parse::<f64>().unwrap();
        state.read = [state.read[0] + number(4), state.read[1] + number(5)];
        state.scans += number(6);
    }
    all
}

fn difference(before: &BTreeMap<String, State>, after: &BTreeMap<String, State>) -> Observed {
    let mut observed = Observed::default();
    for (oid, was) in before {
        let Some(now) = after.get(oid) else { continue };
        if now.file != was.file {
            observed.rewrites.insert(was.name.clone());
        }
        let is_read = |i: usize| now.read[i] - was.read[i] >= 0.9 * was.rows;
        // Of an empty table there is no more to be seen than that a scan was begun.
        let is_empty_read = was.rows <= 0.0 && now.scans > was.scans;
        if is_empty_read || was.rows > 0.0 && (is_read(0) || is_read(1)) {
            observed.scans.insert(was.name.clone());
        }
    }
    observed
}
