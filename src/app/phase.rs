//! Which structure a build reads that may start before a migration's rows are filled.
//!
//! Invariant: an instance whose lease holds knows what was so when its last renewal was sent, or later: the keeper asks
//! after each call, and takes a grant only with the answer. A gate waits until every lease has been renewed after its
//! fence, and fences nothing that is not migrated; so whoever still serves then reads the new structure.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::error::UnknownMigration;
use crate::model::lease::{Need, Reached};
use crate::model::name::MigrationId;

/// Where a migration stands for this build: see [`Instance::phase`](crate::Instance::phase).
#[derive(Clone, Debug)]
pub struct Phase {
    /// None: for good.
    is_migrated: Option<Arc<AtomicBool>>,
}

impl Phase {
    /// Whether the new structure is complete and verified, so that it is to be read. Until then the old one is. Ask for
    /// each request anew: the answer changes while the process runs, from false to true.
    pub fn reads_new(&self) -> bool {
        self.is_migrated.as_ref().is_none_or(|flag| flag.load(Ordering::SeqCst))
    }
}

/// What is known of the migrations that a build needs.
pub(super) enum Phases {
    /// Nobody asks: everything is taken for migrated.
    Unasked,
    /// Each with whether it is migrated; the others are, or the build would not have joined.
    Asked { service: String, needs: Vec<Need>, switches: Vec<Switch> },
}

/// A migration that may not be migrated yet.
pub(super) struct Switch {
    pub(super) migration: MigrationId,
    flag: Arc<AtomicBool>,
}

impl Phases {
    /// For a build that needs something.
    pub(super) fn of(service: &str, needs: &[Need]) -> Self {
        let expanded = needs.iter().filter(|(_, reached)| *reached == Reached::Expanded);
        let switch = |(migration, _): &Need| Switch {
            migration: migration.clone(),
            flag: Arc::new(AtomicBool::new(false)),
        };
        let switches = expanded.map(switch).collect();
        Self::Asked { service: service.to_owned(), needs: needs.to_vec(), switches }
    }

    /// Those that may not be migrated yet.
    pub(super) fn switches(&self) -> &[Switch] {
        match self {
            Self::Unasked => &[],
            Self::Asked { switches, .. } => switches,
        }
    }

    /// The migration that a name or number means.
    pub(super) fn find(&self, called: &str) -> Result<Phase, UnknownMigration> {
        let Self::Asked { service, needs, switches } = self else {
            return Ok(Phase { is_migrated: None });
        };
        let switch = switches.iter().find(|switch| switch.migration.is_called(called));
        if let Some(switch) = switch {
            return Ok(Phase { is_migrated: Some(Arc::clone(&switch.flag)) });
        }
        if needs.iter().any(|(migration, _)| migration.is_called(called)) {
            return Ok(Phase { is_migrated: None });
        }
        Err(UnknownMigration { called: called.to_owned(), service: service.clone() })
    }
}

impl Switch {
    /// What the database said.
    pub(super) fn set(&self, reached: Option<Reached>) {
        self.flag.store(reached == Some(Reached::Migrated), Ordering::SeqCst);
    }

    /// While the lease holds nobody takes a migration back that the build needs.
    pub(super) fn is_migrated(&self) -> bool {
        self.flag.load(Ordering::SeqCst)
    }
}
