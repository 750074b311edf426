//! PostgreSQL: a window of keys is visited in parts, a transaction each.
//!
//! The first part moves some rows of each page away; what they leave is free by the next visit, so that later versions
//! find room on their own page, and no index needs to know. Measured: faster than one UPDATE of all, with less WAL.

use crate::engine::run::Run;
use crate::engine::steps::keyset::Keyset;
use crate::model::step::Backfill;
use crate::sql::catalog::Table;
use crate::sql::update::assigned;

/// By what the parts of a window are told apart: a number from 0 on for each row, the same at every visit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Parts {
    number: String,
    /// Whether new windows are visited in parts; one that was begun is ended so in any case.
    pub(super) helps: bool,
}

impl Parts {
    /// How many parts a window has: a power of two.
    pub(super) const COUNT: u8 = 4;

    /// The parts; they do not help where an index on what is filled must know each new version anyway.
    pub(super) fn of(
        run: &mut Run<'_>,
        keyset: &Keyset,
        table: &Table,
        backfill: &Backfill,
    ) -> Option<Self> {
        let engine = run.work.conn().engine();
        let number = keyset.spread(Self::COUNT)?;
        let filled = assigned(&backfill.set, engine);
        let is_indexed = |column: &String| {
            let mut indexes = table.indexes.iter().flat_map(|index| &index.columns);
            indexes.any(|indexed| indexed == column) || table.key.contains(column)
        };
        let helps = run.job.project.config.backfill.interleave
            && !filled.is_empty()
            && !filled.iter().any(is_indexed);
        Some(Self { number, helps })
    }

    /// The rows of a part.
    pub(super) fn only(&self, part: u8) -> String {
        format!("{} = {part}", self.number)
    }

    /// The rows of a part and of those after it.
    pub(super) fn from(&self, part: u8) -> String {
        format!("{} >= {part}", self.number)
    }
}
