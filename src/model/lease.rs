//! Leases: what instances report about themselves.

use std::collections::BTreeSet;
use std::time::Duration;

use super::name::MigrationId;

/// How a lease ends when its beats stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ending {
    /// The instance stops itself at its deadline, so that an expired lease means "gone".
    Suspends,
    /// It only reports: without leave, an expired lease means nothing.
    Reports,
}

impl Ending {
    /// The word of the state and of its functions.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Suspends => "suspends",
            Self::Reports => "reports",
        }
    }

    /// The ending that a stored word means.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        [Self::Suspends, Self::Reports].into_iter().find(|ending| ending.as_str() == word)
    }
}

/// How far a needed migration must be.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Reached {
    /// The new structure is there.
    Expanded,
    /// It is complete, verified and constrained.
    Migrated,
}

impl Reached {
    /// The word of manifests and of the state.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Expanded => "expanded",
            Self::Migrated => "migrated",
        }
    }

    /// How far a stored word means.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        [Self::Expanded, Self::Migrated].into_iter().find(|reached| reached.as_str() == word)
    }
}

/// A migration and how far it must be, for one that cannot run without it.
pub(crate) type Need = (MigrationId, Reached);

/// What is tolerated, as the state's functions take and keep it: `0002_x,0003_y`.
pub(crate) fn list_tolerates(tolerates: &BTreeSet<MigrationId>) -> String {
    let names: Vec<_> = tolerates.iter().map(MigrationId::as_str).collect();
    names.join(",")
}

/// The reverse of [`list_tolerates`]; what is not the name of a migration is left out.
pub(crate) fn parse_tolerates(list: &str) -> BTreeSet<MigrationId> {
    list.split(',').filter_map(|name| MigrationId::parse(name).ok()).collect()
}

/// What is needed, as the state's functions take and keep it: `0002_x=migrated,0003_y=expanded`.
pub(crate) fn list_needs(needs: &[Need]) -> String {
    let items: Vec<_> =
        needs.iter().map(|(id, reached)| format!("{id}={}", reached.as_str())).collect();
    items.join(",")
}

/// The reverse of [`list_needs`]; what is not a migration with a known word is left out.
pub(crate) fn parse_needs(list: &str) -> Vec<Need> {
    let parse = |item: &str| {
        let (name, word) = item.split_once('=')?;
        Some((MigrationId::parse(name).ok()?, Reached::parse(word)?))
    };
    list.split(',').filter_map(parse).collect()
}

/// An instance's report, as the state holds it. Times are milliseconds since 1970 on the database's clock.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Lease {
    /// Its number: a later join has a higher one.
    pub(crate) id: i64,
    /// The service, for example `api`.
    pub(crate) service: String,
    /// The build's version, for people.
    pub(crate) version: String,
    /// The instance's name, for people: host, pod, process.
    pub(crate) instance: String,
    /// The migrations whose contract it survives.
    pub(crate) tolerates: BTreeSet<MigrationId>,
    /// The migrations that it cannot run without.
    pub(crate) needs: Vec<Need>,
    /// How the lease ends.
    pub(crate) ending: Ending,
    /// The database role (or user) under which it was joined.
    pub(crate) role: String,
    /// How long each renewal holds.
    pub(crate) ttl: Duration,
    /// Counts renewals.
    pub(crate) beat: i64,
    /// When it joined.
    pub(crate) joined_at: i64,
    /// When it last renewed (or joined).
    pub(crate) seen_at: i64,
    /// When it left, if it said so.
    pub(crate) left_at: Option<i64>,
    /// The epoch of the provisional fence that last turned it away, if one did.
    pub(crate) knocked_epoch: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_the_state_are_read_as_they_were_written() {
        let id = |name| MigrationId::parse(name).unwrap();
        let tolerates = BTreeSet::from([id("0002_x"), id("10_y")]);
        assert_eq!(list_tolerates(&tolerates), "0002_x,10_y");
        assert_eq!(parse_tolerates("0002_x,10_y"), tolerates);
        assert_eq!(parse_tolerates(""), BTreeSet::new());
        let needs = vec![(id("0002_x"), Reached::Migrated), (id("10_y"), Reached::Expanded)];
        assert_eq!(list_needs(&needs), "0002_x=migrated,10_y=expanded");
        assert_eq!(parse_needs("0002_x=migrated,10_y=expanded"), needs);
        assert_eq!(parse_needs(""), Vec::new());
    }
}
