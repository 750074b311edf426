//! Why an instance could not join, and why it was told to stop.

use std::fmt;
use std::time::Duration;

use crate::database::lease::Obstacle;
use crate::model::fence::FenceKind;

/// The migration that keeps a build out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    service: String,
    obstacle: Obstacle,
}

impl Refusal {
    pub(super) fn new(service: &str, obstacle: Obstacle) -> Self {
        Self { service: service.to_owned(), obstacle }
    }

    /// The migration, for example `0002_users_display_name`.
    pub fn migration(&self) -> &str {
        self.obstacle.migration.as_str()
    }

    /// What a gate is about to do with the migration, for a fence that is not final yet.
    pub(super) fn pending(&self) -> &'static str {
        match self.obstacle.kind {
            FenceKind::Tolerate => "contract",
            FenceKind::Withdraw => "rollback",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, obstacle } = self;
        let migration = &obstacle.migration;
        match obstacle.kind {
            FenceKind::Tolerate => write!(
                f,
                "migration {migration} has been contracted, and this build of service \"{service}\" does not \
                 tolerate it: deploy a newer build"
            ),
            FenceKind::Withdraw => write!(
                f,
                "migration {migration} has been rolled back, and this build of service \"{service}\" needs it: \
                 deploy an older build"
            ),
        }
    }
}

/// Why an instance may not use the database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JoinError {
    /// What the builder was given cannot be: the text says what.
    #[error("{0}")]
    Invalid(String),
    /// The database does not hold zdm's state yet.
    #[error("zdm's state is not in this database: run zdm expand first")]
    NotInstalled,
    /// This build must never use this database again: there is no point in another try.
    #[error("{0}")]
    Fenced(Refusal),
    /// What this build needs did not come within the time that it was ready to wait.
    #[error(
        "after {} s the database is still not ready for this build, which needs {}: run zdm expand and zdm migrate first",
        .waited.as_secs(), .needs.join(" and ")
    )]
    Missing {
        /// Each as `0002_users_display_name migrated`.
        needs: Vec<String>,
        /// How long it waited.
        waited: Duration,
    },
    /// A gate did not come to a decision within the time that the build was ready to wait.
    #[error(
        "after {} s a {} of migration {} is still being decided, and this build would be in its way: try again",
        .waited.as_secs(), .refusal.pending(), .refusal.migration()
    )]
    Deciding {
        /// What is being decided.
        refusal: Refusal,
        /// How long it waited.
        waited: Duration,
    },
    /// The database said no, or could not be reached within the time that the build was ready to wait.
    #[error("could not join: {0}")]
    Database(String),
    /// The machine gave no thread.
    #[error("could not start the threads that keep the lease")]
    Threads(#[source] std::io::Error),
}

/// A migration that the build does not say it needs.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "this build of service \"{service}\" does not need a migration \"{called}\": name it in the manifest, as needed from expand on"
)]
pub struct UnknownMigration {
    pub(super) called: String,
    pub(super) service: String,
}

/// Why an instance has to stop for good.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum StopReason {
    /// A final fence refused it: finish what is under way and exit.
    Fenced(Refusal),
    /// It left, as it was asked to.
    Left,
}

/// Whether an instance may use the database.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Readiness {
    /// Its lease holds.
    Serving,
    /// Its lease holds, and it was asked to [drain](crate::Instance::drain): finish what is under way, begin nothing.
    Draining,
    /// Its lease ran out: close the pools, hand out no connection. It may serve again soon.
    Suspended,
    /// For good: see [`StopReason`].
    Stopped,
}
