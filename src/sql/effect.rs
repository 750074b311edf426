//! What a change costs on a server.

use crate::model::name::TableName;

/// What a statement costs.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Effect {
    /// Whether it is understood; if not, the rest is the worst case.
    pub(crate) known: bool,
    /// The strongest lock on each existing table.
    pub(crate) locks: Vec<Lock>,
    /// What other clients cannot do meanwhile.
    pub(crate) blocks: Blocks,
    /// Tables that are written anew.
    pub(crate) rewrites: Vec<TableName>,
    /// Tables that are read from end to end.
    pub(crate) scans: Vec<TableName>,
    /// The best algorithm that the server grants (MySQL, MariaDB).
    pub(crate) algorithm: Option<Algorithm>,
}

/// A lock on a table.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Lock {
    /// The table.
    pub(crate) table: TableName,
    /// As `pg_locks` writes it (`AccessExclusiveLock`); NONE, SHARED, EXCLUSIVE on MySQL and MariaDB.
    pub(crate) mode: String,
}

/// What other clients cannot do while a statement runs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Blocks {
    /// Nothing.
    Nothing,
    /// Other schema changes.
    Ddl,
    /// Writes.
    Writes,
    /// Reads and writes.
    ReadsAndWrites,
}

/// How MySQL or MariaDB carries out an ALTER.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Algorithm {
    /// Only metadata.
    Instant,
    /// Without a copy of the clustered index (MariaDB).
    NoCopy,
    /// In place, perhaps with a rebuild.
    InPlace,
    /// A copy of the table.
    Copy,
    /// None: the server refuses the statement.
    Fails,
}

/// As ALTER TABLE names them.
const NAMES: &[(Algorithm, &str)] = &[
    (Algorithm::Instant, "INSTANT"),
    (Algorithm::NoCopy, "NOCOPY"),
    (Algorithm::InPlace, "INPLACE"),
    (Algorithm::Copy, "COPY"),
    (Algorithm::Fails, "FAILS"),
];

impl Algorithm {
    /// The algorithm of that name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        NAMES.iter().find(|(_, known)| *known == name).map(|(algorithm, _)| *algorithm)
    }

    /// Its name in ALTER TABLE; FAILS when the server refuses the statement.
    pub(crate) fn as_str(self) -> &'static str {
        NAMES.iter().find(|(known, _)| *known == self).map_or("FAILS", |(_, name)| name)
    }
}
