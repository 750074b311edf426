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

/// How far a needed migration must be.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Reached {
    /// The new structure is there.
    Expanded,
    /// It is complete, verified and constrained.
    Migrated,
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
    pub(crate) needs: Vec<(MigrationId, Reached)>,
    /// How the lease ends.
    pub(crate) ending: Ending,
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
