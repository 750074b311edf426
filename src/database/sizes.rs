//! How big and how busy tables are: what a plan's estimates stand on.

use std::collections::BTreeMap;
use std::time::Duration;

use super::connection::{Connection, LockLimit};
use super::error::{DbError, DbErrorKind};
use crate::model::name::TableName;
use crate::sql::catalog::{Catalog, Size};

/// Rows that have been inserted, updated and deleted, as the server counts them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Writes {
    /// By table.
    pub(crate) rows: BTreeMap<TableName, u64>,
    /// For how long the server has been counting, when it says so.
    pub(crate) counted_for: Option<Duration>,
}

/// A server that has counted for less does not know a day from a night: its average would mislead.
const WORTH_AN_AVERAGE: Duration = Duration::from_mins(10);

impl Connection {
    /// Adds to each table of a catalog how big it is, and how many rows were written in an hour on average. What
    /// cannot be read stays unknown. Waits for nobody's lock for longer than 100 ms.
    pub(crate) async fn measure(&mut self, catalog: &mut Catalog) -> Result<(), DbError> {
        let sizes = if self.engine().is_mysql_family() {
            super::mysql::sizes(self).await?
        } else {
            self.limit_lock_waits(LockLimit::SHORT).await?;
            let exact = super::postgres::sizes(self, super::postgres::Exactness::Files).await;
            self.limit_lock_waits(LockLimit::PATIENT).await?;
            match exact {
                Err(error) if error.kind != DbErrorKind::Lost => {
                    super::postgres::sizes(self, super::postgres::Exactness::Statistics).await?
                }
                exact => exact?,
            }
        };
        for (name, size) in sizes {
            if let Some(table) = catalog.tables.get_mut(&name) {
                table.size = size;
            }
        }
        if let Some(Writes { rows, counted_for: Some(time) }) = self.writes().await?
            && time >= WORTH_AN_AVERAGE
        {
            raise_rates(catalog, &rows, time);
        }
        Ok(())
    }

    /// Reads the server's counters. None: they cannot be read, or are switched off.
    pub(crate) async fn writes(&mut self) -> Result<Option<Writes>, DbError> {
        let read = if self.engine().is_mysql_family() {
            super::mysql::writes(self).await
        } else {
            super::postgres::writes(self).await
        };
        match read {
            Err(error) if error.kind == DbErrorKind::Lost => Err(error),
            Err(error) => {
                tracing::debug!(%error, "the counters of writes cannot be read");
                Ok(None)
            }
            Ok(writes) => Ok(Some(writes).filter(|writes| !writes.rows.is_empty())),
        }
    }
}

/// Takes over the rates of so many rows in that time where they are higher than what is known.
pub(crate) fn raise_rates(catalog: &mut Catalog, rows: &BTreeMap<TableName, u64>, time: Duration) {
    let milliseconds = time.as_millis().max(1);
    for (name, rows) in rows {
        let Some(table) = catalog.tables.get_mut(name) else { continue };
        let hourly = u128::from(*rows) * 3_600_000 / milliseconds;
        let hourly = u64::try_from(hourly).unwrap_or(u64::MAX);
        table.size.writes_per_hour = table.size.writes_per_hour.max(Some(hourly));
    }
}

/// What was written between two readings of the counters.
pub(crate) fn written_between(before: &Writes, after: &Writes) -> BTreeMap<TableName, u64> {
    let since = |(name, now): (&TableName, &u64)| {
        let then = before.rows.get(name).copied().unwrap_or(*now);
        (name.clone(), now.saturating_sub(then))
    };
    after.rows.iter().map(since).collect()
}

/// What adapters read.
pub(super) type Sizes = BTreeMap<TableName, Size>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::catalog::Table;

    #[test]
    fn a_rate_is_the_highest_that_was_seen() {
        let name = TableName::bare("t");
        let mut catalog = Catalog {
            tables: [(name.clone(), Table::default())].into_iter().collect(),
            complete: true,
            ..Catalog::default()
        };
        let rows = [(name.clone(), 10)].into();
        raise_rates(&mut catalog, &rows, Duration::from_secs(5));
        assert_eq!(catalog.tables[&name].size.writes_per_hour, Some(7_200));
        raise_rates(&mut catalog, &rows, Duration::from_hours(1));
        assert_eq!(catalog.tables[&name].size.writes_per_hour, Some(7_200));
    }

    #[test]
    fn a_counter_that_was_reset_in_between_counts_nothing() {
        let at = |rows| Writes { rows: [(TableName::bare("t"), rows)].into(), counted_for: None };
        assert_eq!(written_between(&at(5), &at(9)), at(4).rows);
        assert_eq!(written_between(&at(5), &at(1)), at(0).rows);
    }
}
