//! What a database says of the migrations.

use std::collections::BTreeMap;

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

    /// What is recorded of a step.
    pub(crate) fn step(&self, id: &MigrationId, phase: Phase, name: &str) -> Option<&StepRecord> {
        self.record(id)?.steps.iter().find(|step| step.phase == phase && step.name == name)
    }
}
