//! What a run tells while it goes: listened to by the terminal, the log, JSON and the events table.

use std::time::Duration;

use crate::model::name::MigrationId;
use crate::model::phase::Phase;

/// Something that happened in a run.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Event {
    /// A phase of a migration begins.
    PhaseBegan { migration: MigrationId, phase: Phase },
    /// A step begins.
    StepBegan { migration: MigrationId, phase: Phase, name: String, title: String },
    /// A step is done.
    StepDone { migration: MigrationId, phase: Phase, name: String, title: String, took: Duration },
    /// A step had been done by an earlier run.
    StepSkipped { migration: MigrationId, phase: Phase, name: String, title: String },
    /// A phase is done.
    PhaseDone { migration: MigrationId, phase: Phase },
    /// A backfill or verification got on.
    Progress {
        migration: MigrationId,
        title: String,
        rows_done: u64,
        rows_estimate: Option<u64>,
        rows_per_second: f64,
    },
    /// A backfill runs no batch for the time being.
    BackfillStays { title: String, reason: String },
    /// It runs batches again.
    BackfillGoesOn,
    /// It waits for a lock: who holds it, one line each.
    WaitsForLock { title: String, blockers: Vec<String>, attempt: u32 },
    /// It waits for the end of another run.
    WaitsForRun { owner: String },
    /// The gate waits: for `remaining`, until every instance that could not renew has stopped itself.
    GateWaits { migration: MigrationId, remaining: Duration },
    /// The connection was lost and made again.
    Reconnected,
    /// Something that people should know, in a sentence.
    Note { message: String },
}

/// Hears events. Must not block.
pub(crate) trait Listener: Send + Sync {
    /// Takes one event.
    fn hear(&self, event: &Event);
}
