//! How long a statement takes on tables of known sizes: an order of magnitude, not a promise.
//!
//! Bytes that are read or written, divided by what servers got through on one machine (`rates`). Disks, caches, other
//! load and wide rows move the answer by a factor, so that there is a range, too.

mod rates;

use std::fmt;
use std::time::Duration;

use super::catalog::{Catalog, Table};
use super::change::{Change, ConstraintDefKind, Located};
use super::effect::{Algorithm, Effect};
use crate::model::name::TableName;
use crate::model::server::Server;

/// How long a statement is likely to take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Estimate {
    /// At the rates that were measured.
    pub(crate) typical: Duration,
    /// On a faster machine, with everything in memory.
    pub(crate) shortest: Duration,
    /// On a slower disk, or beside much other work.
    pub(crate) longest: Duration,
    /// Bytes of the tables that it reads or writes from end to end.
    pub(crate) bytes: u64,
    /// Their rows, as far as the server's statistics know.
    pub(crate) rows: Option<u64>,
}

/// A machine may be so many times as fast as the one that was measured.
const FASTER: u32 = 3;
/// And so many times as slow.
const SLOWER: u32 = 5;

/// What is done with every row of a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Work {
    /// Read.
    Scan,
    /// Read and sorted into a new index.
    Build,
    /// The same, twice over.
    BuildConcurrently,
    /// Written anew, with all indexes.
    Rewrite,
    /// Written anew row by row through the server's upper layers (MySQL, MariaDB).
    Copy,
    /// Updated or deleted in one statement.
    Update,
    /// Updated in batches, with pauses.
    Fill,
}

/// How long a statement takes that costs `effect`; the catalog is as it is before it.
///
/// None when that does not depend on the size of a table, when a size is not known, or when the statement is not
/// understood.
pub(crate) fn estimate(
    changes: &[Located],
    effect: &Effect,
    catalog: &Catalog,
    server: Server,
) -> Option<Estimate> {
    if !effect.known {
        return None;
    }
    let mut done: Vec<(&TableName, Work)> = Vec::new();
    for table in effect.rewrites.iter().filter(|table| !is_emptied(changes, table)) {
        done.push((table, rewriting(changes, effect)));
    }
    for table in effect.scans.iter().filter(|table| !effect.rewrites.contains(table)) {
        done.push((table, reading(changes, table)));
    }
    for located in changes {
        let (Change::Update { table, filtered: false, .. }
        | Change::Delete { table, filtered: false }) = &located.change
        else {
            continue;
        };
        done.push((table, Work::Update));
    }
    sum(&done, catalog, server)
}

/// How long a backfill of a table takes at its usual pace.
pub(crate) fn filling(table: &TableName, catalog: &Catalog, server: Server) -> Option<Estimate> {
    sum(&[(table, Work::Fill)], catalog, server)
}

/// How long it takes to read a table from end to end.
pub(crate) fn checking(table: &TableName, catalog: &Catalog, server: Server) -> Option<Estimate> {
    sum(&[(table, Work::Scan)], catalog, server)
}

fn sum(done: &[(&TableName, Work)], catalog: &Catalog, server: Server) -> Option<Estimate> {
    if done.is_empty() {
        return None;
    }
    let (mut milliseconds, mut bytes, mut rows) = (0u64, 0u64, Some(0u64));
    for (name, work) in done {
        let table = catalog.tables.get(name)?;
        if table.is_new {
            continue;
        }
        let size = moved(table, *work)?;
        let rate = rates::megabytes_per_second(*work, server.engine).max(1);
        milliseconds = milliseconds.saturating_add(size / rate / 1_000);
        bytes = bytes.saturating_add(size);
        rows = rows.zip(table.estimated_rows).map(|(sum, more)| sum.saturating_add(more));
    }
    let typical = Duration::from_millis(milliseconds);
    let shortest = typical / FASTER;
    Some(Estimate { typical, shortest, longest: typical.saturating_mul(SLOWER), bytes, rows })
}

/// The bytes that pass through: new rows need new indexes.
fn moved(table: &Table, work: Work) -> Option<u64> {
    let rows = table.size.bytes?;
    match work {
        Work::Rewrite | Work::Copy => {
            Some(rows.saturating_add(table.size.index_bytes.unwrap_or(0)))
        }
        Work::Scan | Work::Build | Work::BuildConcurrently | Work::Update | Work::Fill => {
            Some(rows)
        }
    }
}

/// New, empty files take no time.
fn is_emptied(changes: &[Located], table: &TableName) -> bool {
    let empties = |change: &Change| match change {
        Change::Truncate { table: emptied, .. } | Change::DropTable { table: emptied, .. } => {
            emptied == table
        }
        _ => false,
    };
    changes.iter().any(|located| empties(&located.change))
}

fn rewriting(changes: &[Located], effect: &Effect) -> Work {
    let is_reindex = |located: &Located| matches!(&located.change, Change::Rebuild { what, .. } if what.starts_with("REINDEX"));
    if changes.iter().any(is_reindex) {
        Work::Build
    } else if effect.algorithm == Some(Algorithm::Copy) {
        Work::Copy
    } else {
        Work::Rewrite
    }
}

fn reading(changes: &[Located], table: &TableName) -> Work {
    let about = changes.iter().filter(|located| located.change.table() == Some(table));
    let works = about.map(|located| match &located.change {
        Change::CreateIndex { concurrently: true, .. } => Work::BuildConcurrently,
        Change::CreateIndex { .. } => Work::Build,
        Change::Act(act) if act.kind.starts_with("reindex_") => {
            if act.has("concurrently") {
                Work::BuildConcurrently
            } else {
                Work::Build
            }
        }
        Change::AddConstraint { constraint, .. } => match constraint.kind {
            ConstraintDefKind::PrimaryKey { using_index: false }
            | ConstraintDefKind::Unique { using_index: false }
            | ConstraintDefKind::Exclusion => Work::Build,
            _ => Work::Scan,
        },
        Change::AddColumn { column, .. } if column.unique || column.primary_key => Work::Build,
        _ => Work::Scan,
    });
    works.reduce(|one, other| if one == Work::Scan { other } else { one }).unwrap_or(Work::Scan)
}

/// `about 40 s on 12 GB`.
impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.typical;
        match time.as_secs() {
            0 => f.write_str("under a second")?,
            _ => write!(f, "about {}", words(time))?,
        }
        write!(f, " on {}", Bytes(self.bytes))
    }
}

/// `40 s`, `3 min`, `5 h`: one unit, as precise as an estimate can be.
pub(crate) fn words(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 => format!("{} ms", time.as_millis().max(1)),
        1..20 => format!("{seconds} s"),
        20..120 => format!("{} s", seconds.div_euclid(5) * 5),
        120..7_200 => format!("{} min", (seconds + 30) / 60),
        _ => format!("{} h", (seconds + 1_800) / 3_600),
    }
}

/// A number of bytes, for people: `340 kB`, `12 GB`, in powers of 1,000.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Bytes(pub(crate) u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB")];
        let (unit, word) =
            units.into_iter().find(|(unit, _)| self.0 >= *unit).unwrap_or((1_000, "kB"));
        let tenths = self.0.saturating_mul(10) / unit;
        if (10..100).contains(&tenths) && !tenths.is_multiple_of(10) {
            write!(f, "{}.{} {word}", tenths / 10, tenths % 10)
        } else {
            write!(f, "{} {word}", tenths / 10)
        }
    }
}

#[cfg(test)]
mod tests;
