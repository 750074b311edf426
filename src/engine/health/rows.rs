//! Counting rows that must not exist, in batches over the key, until all are done or time is up. Nothing is locked and
//! nothing written.

use std::time::{Duration, Instant};

use crate::database::connection::Connection;
use crate::database::error::{DbError, DbErrorKind};
use crate::engine::steps::keyset::{Key, Keyset};
use crate::model::server::Engine;
use crate::plan::health::data::{Check, Counted};
use crate::plan::pacing::{self, Batch, Limits, Speed, State};
use crate::sql::catalog::Catalog;

/// So many wrong rows are named.
const EXAMPLES: usize = 3;

/// Lets no statement of this connection go on when time is up.
pub(crate) async fn limit(conn: &mut Connection, left: Duration) -> Result<(), DbError> {
    let left = left.max(Duration::from_millis(100)).as_millis();
    let sql = match conn.engine() {
        Engine::Postgres => format!("SET statement_timeout = {left}"),
        Engine::MariaDb => {
            format!("SET SESSION max_statement_time = {}.{:03}", left / 1000, left % 1000)
        }
        // For SELECT alone.
        Engine::MySql => format!("SET SESSION max_execution_time = {left}"),
    };
    conn.run(&sql).await.map(drop)
}

/// Which rows are counted, and for how long.
#[derive(Clone, Copy)]
pub(crate) struct Bounds<'a> {
    /// Those behind this key; none: from the first.
    pub(crate) after: Option<&'a Key>,
    /// Up to this key; none: to the last that is there now.
    pub(crate) to: Option<&'a Key>,
    /// Until then.
    pub(crate) until: Instant,
    /// As long as this holds: asked before each batch.
    pub(crate) go_on: &'a (dyn Fn() -> bool + Sync),
}

impl Bounds<'_> {
    /// Every row, until then.
    pub(crate) fn all(until: Instant) -> Self {
        Self { after: None, to: None, until, go_on: &|| true }
    }

    fn are_over(&self) -> bool {
        Instant::now() >= self.until || !(self.go_on)()
    }
}

/// Counts within bounds. What cannot be asked is said in [`Counted::cut_short`].
pub(crate) async fn count(
    conn: &mut Connection,
    now: &Catalog,
    check: Check,
    bounds: Bounds<'_>,
) -> Result<Counted, DbError> {
    let mut counted =
        Counted { check, rows: 0, wrong: 0, examples: Vec::new(), cut_short: None, last: None };
    let table = now.tables.get(&counted.check.table);
    let Some(table) = table else {
        counted.cut_short = Some("the table is not there".to_owned());
        return Ok(counted);
    };
    let keyset = match Keyset::new(conn.engine(), &counted.check.table, table) {
        Ok(keyset) => keyset,
        Err(none) => {
            counted.cut_short = Some(none.to_string());
            return Ok(counted);
        }
    };
    match every(conn, &keyset, &mut counted, bounds).await {
        Ok(()) => {}
        Err(error) if error.kind == DbErrorKind::Cancelled => {
            counted.cut_short = Some(time_is_up(counted.rows, table.estimated_rows));
        }
        // A column that is gone is told by what the catalog shows.
        Err(error) if matches!(error.kind, DbErrorKind::Undefined | DbErrorKind::Permission) => {
            counted.cut_short = Some(error.to_string());
        }
        Err(error) => return Err(error),
    }
    Ok(counted)
}

fn time_is_up(rows: u64, estimate: Option<u64>) -> String {
    match estimate {
        Some(all) => format!("time was up after {rows} of about {} rows", all.max(rows)),
        None => format!("time was up after {rows} rows"),
    }
}

async fn every(
    conn: &mut Connection,
    keyset: &Keyset,
    counted: &mut Counted,
    bounds: Bounds<'_>,
) -> Result<(), DbError> {
    let limits = Limits::of(conn.engine(), Speed::Full);
    let mut state = State::start(&limits);
    let last = conn.query(&keyset.last(), &[]).await?;
    counted.last = last.first().map(|row| keyset.read(row)).transpose()?;
    let Some(upper) = bounds.to.or(counted.last.as_ref()).cloned() else { return Ok(()) };
    let mut cursor = bounds.after.cloned();
    while !bounds.are_over() {
        let began = Instant::now();
        limit(conn, bounds.until.saturating_duration_since(began)).await?;
        let rows = u64::from(state.rows());
        let bound = conn.query(&keyset.bound(cursor.as_deref(), &upper, rows), &[]).await?;
        let bound = bound.first().map(|row| keyset.read(row)).transpose()?;
        let range = keyset.range(cursor.as_deref(), bound.as_ref().unwrap_or(&upper));
        let row = conn.query_one(&keyset.count(&range, &counted.check.wrong), &[]).await?;
        let (visited, wrong) = (row.int(0)?.unsigned_abs(), row.int(1)?.unsigned_abs());
        if wrong > 0 && counted.examples.len() < EXAMPLES {
            let few = EXAMPLES - counted.examples.len();
            let sql = keyset.examples(&range, &counted.check.wrong, few);
            for row in conn.query(&sql, &[]).await? {
                counted.examples.push(keyset.title(&keyset.read(&row)?));
            }
        }
        (counted.rows, counted.wrong) = (counted.rows + visited, counted.wrong + wrong);
        let Some(bound) = bound else { return Ok(()) };
        cursor = Some(bound);
        let seen = Batch::Done {
            rows: u32::try_from(visited.max(1)).unwrap_or(u32::MAX),
            took: began.elapsed(),
        };
        (state, _) = pacing::step(&limits, state, seen.alone());
    }
    counted.cut_short = Some(time_is_up(counted.rows, None));
    Ok(())
}
