//! What a database says of the migrations.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::journal::{MigrationRecord, StepRecord};
use crate::model::name::MigrationId;
use crate::model::phase::Phase;
use crate::model::state::State;
use crate::sql::catalog::Catalog;

/// The journal, and the tables as they were before each migration's expand.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct History {
    /// In the order in which the migrations began.
    pub(crate) records: Vec<MigrationRecord>,
    /// The saved base of each migration that has begun (`MigrationRecord::base`, decoded).
    pub(crate) bases: BTreeMap<MigrationId, Catalog>,
    /// When that was so: milliseconds since 1970. None: nobody asks for how long a migration has been open.
    pub(crate) now: Option<i64>,
}

impl History {
    /// Where a migration stands.
    pub(crate) fn state(&self, id: &MigrationId) -> State {
        self.record(id).map_or(State::Pending, |record| record.state)
    }

    /// What is recorded of a migration.
    pub(crate) fn record(&self, id: &MigrationId) -> Option<&MigrationRecord> {
        self.records.iter().find(|record| record.id == *id)
    }

    /// For how long a migration has been where it stands; none: it has not begun, or nobody knows what time it is.
    pub(crate) fn open_for(&self, id: &MigrationId) -> Option<Duration> {
        let since = self.record(id)?.since;
        let millis = u64::try_from(self.now?.saturating_sub(since)).ok()?;
        Some(Duration::from_millis(millis))
    }

    /// What is recorded of a step.
    pub(crate) fn step(&self, id: &MigrationId, phase: Phase, name: &str) -> Option<&StepRecord> {
        self.record(id)?.steps.iter().find(|step| step.phase == phase && step.name == name)
    }
}
