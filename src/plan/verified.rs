//! What statements did on a scratch server, held against what the plan foretells.

use crate::model::name::{MigrationId, TableName};
use crate::model::phase::Phase;
use crate::model::server::Server;
use crate::sql::effect::{Algorithm, Effect};
use crate::sql::effects::Mode;
use crate::sql::span::Span;

/// Every statement of a plan, as it ran.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Verified {
    /// The server on which it ran.
    pub(crate) server: Server,
    /// In the order in which they ran.
    pub(crate) statements: Vec<VerifiedStatement>,
    /// What people should know.
    pub(crate) notes: Vec<String>,
}

/// One statement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct VerifiedStatement {
    /// Of which migration.
    pub(crate) migration: MigrationId,
    /// In which phase.
    pub(crate) phase: Phase,
    /// The name of its step.
    pub(crate) step: String,
    /// Its text.
    pub(crate) sql: String,
    /// Where it stands; none for a generated one.
    pub(crate) place: Option<(String, Span)>,
    /// What the plan foretells.
    pub(crate) foretold: Effect,
    /// What it did.
    pub(crate) seen: Seen,
    /// Where the two are not the same.
    pub(crate) differences: Vec<Difference>,
}

/// What was seen of a statement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Seen {
    /// Its locks, and tables with a new file (PostgreSQL).
    Tables(Footprint),
    /// The best algorithm and lock that the server granted for a table (MySQL, MariaDB).
    Granted {
        /// The table.
        table: TableName,
        /// The best algorithm.
        algorithm: Algorithm,
        /// The best lock with it.
        lock: String,
        /// Whether the server refuses the statement as zdm would send it.
        refused_as_sent: bool,
    },
    /// Nothing: it ran, but the server does not show what it did.
    Nothing,
}

/// Locks and new files. Tables that the same migration made are left out: nobody uses them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Footprint {
    /// The strongest lock on each table.
    pub(crate) locks: Vec<(TableName, Mode)>,
    /// Tables that were written anew; none: that was not to be seen.
    pub(crate) rewrites: Option<Vec<TableName>>,
    /// Locks on other tables could not be seen.
    pub(crate) partial: bool,
}

/// Where what was seen is not what was foretold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Difference {
    /// What it is about: `lock on public.users`.
    pub(crate) what: String,
    /// As the plan has it.
    pub(crate) foretold: String,
    /// As it was.
    pub(crate) seen: String,
}

impl Verified {
    /// Every difference, with its statement.
    pub(crate) fn differences(&self) -> impl Iterator<Item = (&VerifiedStatement, &Difference)> {
        self.statements.iter().flat_map(|one| one.differences.iter().map(move |found| (one, found)))
    }
}

/// The weakest lock that counts: what is weaker keeps nobody from anything.
const COUNTS_FROM: Mode = Mode::RowExclusive;

const NONE: &str = "none";

/// Where a footprint is not what an effect foretells. `foretold`: locks as they must be by now, those of earlier
/// statements of the same transaction included.
pub(crate) fn tables_differ(
    effect: &Effect,
    foretold: &[(TableName, Mode)],
    seen: &Footprint,
) -> Vec<Difference> {
    if !effect.known {
        return Vec::new();
    }
    let strong = |locks: &[(TableName, Mode)], table: &TableName| {
        let found = locks.iter().find(|(known, _)| known == table).map(|(_, mode)| *mode);
        found.filter(|mode| *mode >= COUNTS_FROM)
    };
    let mut tables: Vec<_> = seen.locks.iter().map(|(table, _)| table).collect();
    if !seen.partial {
        tables.extend(foretold.iter().map(|(table, _)| table));
    }
    tables.sort();
    tables.dedup();
    let show = |mode: Option<Mode>| {
        mode.map_or(NONE, |mode| mode.name(crate::model::server::Engine::Postgres)).to_owned()
    };
    let mut differences = Vec::new();
    for table in tables {
        let (said, was) = (strong(foretold, table), strong(&seen.locks, table));
        if said != was {
            let what = format!("lock on {table}");
            differences.push(Difference { what, foretold: show(said), seen: show(was) });
        }
    }
    let Some(rewrites) = &seen.rewrites else { return differences };
    let mut tables: Vec<_> = rewrites.iter().chain(&effect.rewrites).collect();
    tables.sort();
    tables.dedup();
    for table in tables {
        let (said, was) = (effect.rewrites.contains(table), rewrites.contains(table));
        if said != was {
            let words = |yes: bool| if yes { "written anew" } else { "kept" }.to_owned();
            let what = format!("rows of {table}");
            differences.push(Difference { what, foretold: words(said), seen: words(was) });
        }
    }
    differences
}

/// Where what a server granted is not what an effect foretells.
pub(crate) fn grants_differ(effect: &Effect, seen: &Seen) -> Vec<Difference> {
    let Seen::Granted { table, algorithm, lock, refused_as_sent } = seen else { return Vec::new() };
    let mut differences = Vec::new();
    let mut differ = |what: String, foretold: &str, seen: &str| {
        if foretold != seen {
            let (foretold, seen) = (foretold.to_owned(), seen.to_owned());
            differences.push(Difference { what, foretold, seen });
        }
    };
    if effect.known {
        let said = effect.algorithm.map_or(NONE, Algorithm::as_str);
        differ(format!("algorithm on {table}"), said, algorithm.as_str());
        let said = effect.locks.iter().find(|known| known.table == *table);
        differ(format!("lock on {table}"), said.map_or(NONE, |known| &known.mode), lock);
    }
    if *refused_as_sent {
        differ(format!("statement on {table}"), "runs as sent", "refused as sent");
    }
    differences
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::effect::{Blocks, Lock};

    fn effect(locks: &[(&str, &str)], rewrites: &[&str]) -> Effect {
        let lock = |(table, mode): &(&str, &str)| Lock {
            table: TableName::bare(*table),
            mode: (*mode).to_owned(),
        };
        Effect {
            known: true,
            locks: locks.iter().map(lock).collect(),
            blocks: Blocks::Nothing,
            rewrites: rewrites.iter().map(|table| TableName::bare(*table)).collect(),
            scans: Vec::new(),
            algorithm: None,
        }
    }

    fn locks(locks: &[(&str, Mode)]) -> Vec<(TableName, Mode)> {
        locks.iter().map(|(table, mode)| (TableName::bare(*table), *mode)).collect()
    }

    fn check(effect: &Effect, foretold: &[(&str, Mode)], seen: &Footprint, expected: &[&str]) {
        let found = tables_differ(effect, &locks(foretold), seen);
        let lines: Vec<_> = found
            .iter()
            .map(|found| format!("{}: {}, {}", found.what, found.foretold, found.seen))
            .collect();
        assert_eq!(lines, expected);
    }

    #[test]
    fn every_lock_that_keeps_somebody_from_something_is_compared() {
        let said = [("t", Mode::Share), ("u", Mode::ShareRowExclusive)];
        let seen = |seen: &[(&str, Mode)]| Footprint {
            locks: locks(seen),
            rewrites: Some(Vec::new()),
            partial: false,
        };
        let nothing = effect(&[], &[]);
        check(&nothing, &said, &seen(&said), &[]);
        check(&nothing, &[], &seen(&[("t", Mode::AccessShare), ("u", Mode::RowShare)]), &[]);
        check(
            &nothing,
            &said,
            &seen(&[("t", Mode::AccessExclusive), ("v", Mode::RowExclusive)]),
            &[
                "lock on t: ShareLock, AccessExclusiveLock",
                "lock on u: ShareRowExclusiveLock, none",
                "lock on v: none, RowExclusiveLock",
            ],
        );
        let partial = Footprint { partial: true, ..seen(&[("t", Mode::Share)]) };
        check(&nothing, &said, &partial, &[]);
        let unknown = Effect { known: false, ..nothing };
        check(&unknown, &said, &seen(&[]), &[]);
    }

    #[test]
    fn new_files_are_compared_where_they_can_be_seen() {
        let seen = |rewrites: Option<Vec<TableName>>| Footprint {
            locks: Vec::new(),
            rewrites,
            partial: false,
        };
        let said = effect(&[], &["t"]);
        check(&said, &[], &seen(Some(vec![TableName::bare("t")])), &[]);
        check(&said, &[], &seen(Some(Vec::new())), &["rows of t: written anew, kept"]);
        check(&said, &[], &seen(None), &[]);
    }

    #[test]
    fn what_a_server_grants_is_compared() {
        let mut said = effect(&[("t", "NONE")], &[]);
        said.algorithm = Some(Algorithm::Instant);
        let granted = |algorithm, lock: &str, refused_as_sent| {
            let (table, lock) = (TableName::bare("t"), lock.to_owned());
            grants_differ(&said, &Seen::Granted { table, algorithm, lock, refused_as_sent })
        };
        assert!(granted(Algorithm::Instant, "NONE", false).is_empty());
        let found = granted(Algorithm::Copy, "SHARED", true);
        let seen: Vec<_> = found.iter().map(|found| found.seen.as_str()).collect();
        assert_eq!(seen, ["COPY", "SHARED", "refused as sent"]);
        assert!(grants_differ(&said, &Seen::Nothing).is_empty());
    }
}
