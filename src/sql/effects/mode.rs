//! Modes of table locks.

use crate::model::server::Engine;
use crate::sql::effect::Blocks;

/// How strong a lock is, by what it keeps others from; PostgreSQL's and InnoDB's on one scale.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Mode {
    /// Others read and write: readers' own.
    AccessShare,
    /// Others read and write: SELECT FOR UPDATE, and the far end of a foreign key.
    RowShare,
    /// Others read and write: writers' own; NONE.
    RowExclusive,
    /// Others read and write, but change no schema.
    ShareUpdateExclusive,
    /// Others read; SHARED.
    Share,
    /// Others read.
    ShareRowExclusive,
    /// Others read.
    Exclusive,
    /// Others wait; EXCLUSIVE.
    AccessExclusive,
}

/// As `pg_locks` names them.
const POSTGRES: &[(Mode, &str)] = &[
    (Mode::AccessShare, "AccessShareLock"),
    (Mode::RowShare, "RowShareLock"),
    (Mode::RowExclusive, "RowExclusiveLock"),
    (Mode::ShareUpdateExclusive, "ShareUpdateExclusiveLock"),
    (Mode::Share, "ShareLock"),
    (Mode::ShareRowExclusive, "ShareRowExclusiveLock"),
    (Mode::Exclusive, "ExclusiveLock"),
    (Mode::AccessExclusive, "AccessExclusiveLock"),
];

/// As ALTER TABLE names them.
const MYSQL: &[(Mode, &str)] =
    &[(Mode::RowExclusive, "NONE"), (Mode::Share, "SHARED"), (Mode::AccessExclusive, "EXCLUSIVE")];

impl Mode {
    /// The mode of that name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let known = POSTGRES.iter().chain(MYSQL).find(|(_, known)| *known == name);
        known.map(|(mode, _)| *mode)
    }

    /// Its name on a server.
    pub(crate) fn name(self, engine: Engine) -> &'static str {
        let names = if engine.is_mysql_family() { MYSQL } else { POSTGRES };
        // MySQL's names are fewer: the next stronger one.
        names.iter().find(|(mode, _)| *mode >= self).map_or("EXCLUSIVE", |(_, name)| name)
    }

    /// What others cannot do while it is held.
    pub(crate) fn blocks(self) -> Blocks {
        match self {
            Self::AccessShare | Self::RowShare | Self::RowExclusive => Blocks::Nothing,
            Self::ShareUpdateExclusive => Blocks::Ddl,
            Self::Share | Self::ShareRowExclusive | Self::Exclusive => Blocks::Writes,
            Self::AccessExclusive => Blocks::ReadsAndWrites,
        }
    }
}
