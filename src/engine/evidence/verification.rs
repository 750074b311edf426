//! Compares the rows that a migration has filled: in batches, on a connection of its own, without a lock.
//!
//! Not one of the sources that a gate asks together: it reads whole tables. So it is asked last, when nothing else is in
//! the way, and once more while the gate waits behind its fence.

use std::time::{Duration, Instant};

use super::Looking;
use crate::database::connection::Connection;
use crate::database::error::{DbError, DbErrorKind};
use crate::database::state;
use crate::engine::health::rows::{Bounds, count};
use crate::engine::{failure, open};
use crate::error::Error;
use crate::plan::gate::verification::{Compared, FRESH, Verification};
use crate::plan::health::data::{Check, Counted, checks};
use crate::sql::catalog::Catalog;

/// For how long somebody who only wants to know looks at rows.
const ADVICE: Duration = Duration::from_secs(20);

/// Rows to compare, and where.
pub(in crate::engine) struct Rows {
    conn: Connection,
    catalog: Catalog,
    checks: Vec<Check>,
}

impl Rows {
    /// What there is to compare; none: the migration has filled no row, or does not want to be asked.
    pub(in crate::engine) async fn of(
        conn: &mut Connection,
        looking: Looking<'_>,
    ) -> Result<Option<Self>, Error> {
        let Looking { job, migration, .. } = looking;
        let history = open::history(conn).await?;
        let mut own = checks(&job.project, &history, conn.server());
        own.retain(|check| check.migration == migration.id);
        if own.is_empty() {
            return Ok(None);
        }
        let failed = |error| failure::connecting(&job.target, error);
        let mut conn = Connection::open(&job.target).await.map_err(failed)?;
        let catalog = conn.catalog(None).await;
        let catalog = catalog.map_err(|error| failure::working("read the catalog", error))?;
        Ok(Some(Self { conn, catalog, checks: own }))
    }

    /// Nothing is known of the rows yet.
    pub(in crate::engine) fn unknown(&self) -> Verification {
        let conditions = self.checks.len();
        Verification { conditions, whole_since: None, compared: Compared::No }
    }

    /// As many as can be compared in a short time, for advice.
    pub(in crate::engine) async fn some(&mut self) -> Result<Verification, DbError> {
        let counted = self.every(Instant::now() + ADVICE, &|| true).await?;
        Ok(Verification { compared: Compared::ForAdvice(counted), ..self.unknown() })
    }

    /// All of them. What takes longer than it would count for is not done.
    pub(in crate::engine) async fn all(
        &mut self,
        go_on: &(dyn Fn() -> bool + Sync),
    ) -> Result<Verification, DbError> {
        let since = state::now(&mut self.conn).await?;
        let counted = self.every(Instant::now() + FRESH, go_on).await?;
        let is_whole = counted.iter().all(|counted| counted.cut_short.is_none());
        let whole_since = is_whole.then_some(since);
        Ok(Verification { whole_since, compared: Compared::BeforeFence(counted), ..self.unknown() })
    }

    /// As many as can be compared until then, behind the fence: first those that came since `before`.
    pub(in crate::engine) async fn again(
        &mut self,
        before: &Verification,
        until: Instant,
        go_on: &(dyn Fn() -> bool + Sync),
    ) -> Result<Verification, DbError> {
        let Compared::BeforeFence(before_fence) = &before.compared else {
            return Ok(before.clone());
        };
        let mut counted = Vec::new();
        for earlier in before_fence {
            let new = Bounds { after: earlier.last.as_ref(), to: None, until, go_on };
            counted.push(self.one(&earlier.check, new).await?);
        }
        for (earlier, new) in before_fence.iter().zip(&mut counted) {
            if earlier.last.is_some() {
                let old = Bounds { after: None, to: earlier.last.as_ref(), until, go_on };
                add(new, self.one(&earlier.check, old).await?);
            }
        }
        Ok(Verification { compared: Compared::BehindFence(counted), ..before.clone() })
    }

    async fn every(
        &mut self,
        until: Instant,
        go_on: &(dyn Fn() -> bool + Sync),
    ) -> Result<Vec<Counted>, DbError> {
        let mut counted = Vec::new();
        for check in self.checks.clone() {
            let bounds = Bounds { go_on, ..Bounds::all(until) };
            counted.push(self.one(&check, bounds).await?);
        }
        Ok(counted)
    }

    async fn one(&mut self, check: &Check, bounds: Bounds<'_>) -> Result<Counted, DbError> {
        match count(&mut self.conn, &self.catalog, check.clone(), bounds).await {
            // The server's own limit: what was counted is lost, and the time is up.
            Err(error) if error.kind == DbErrorKind::Cancelled => {
                let cut_short = Some(error.to_string());
                let check = check.clone();
                Ok(Counted {
                    check,
                    rows: 0,
                    wrong: 0,
                    examples: Vec::new(),
                    cut_short,
                    last: None,
                })
            }
            counted => counted,
        }
    }

    /// Ends the connection.
    pub(in crate::engine) async fn close(self) {
        self.conn.close().await;
    }
}

/// Two parts of a table together.
fn add(one: &mut Counted, other: Counted) {
    (one.rows, one.wrong) = (one.rows + other.rows, one.wrong + other.wrong);
    one.examples.extend(other.examples);
    one.cut_short = other.cut_short.or(one.cut_short.take());
}
