//! Gate verdicts: what was seen, judged.
//!
//! Each source of evidence has one pure verdict function here; `engine::evidence` fetches the facts.

use std::time::Duration;

/// What a source of evidence, or the gate as a whole, says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// Nothing is in the way.
    Clear,
    /// Something is in the way, and may go away.
    Blocked {
        /// Why, one line each, by name.
        reasons: Vec<String>,
        /// When it can change by itself at the earliest.
        retry_after: Option<Duration>,
    },
    /// It could not see, so it refuses: a retry cannot help.
    Unknown {
        /// What it could not see, one line each.
        reasons: Vec<String>,
    },
}

/// For what a gate decides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum GateKind {
    /// Contract: every live instance must tolerate the migration.
    Contract,
    /// Rollback: no live instance may need the migration.
    Rollback,
}

/// What one source of evidence saw and says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct SourceReport {
    /// The source: `leases`, `soak`, ... the name that `--override` takes.
    pub(crate) source: &'static str,
    /// What it says.
    pub(crate) verdict: Verdict,
    /// What was seen, one line each.
    pub(crate) seen: Vec<String>,
    /// Whether somebody overrode it, and why.
    pub(crate) overridden: Option<String>,
}

/// What every source says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct GateReport {
    /// For what.
    pub(crate) kind: GateKind,
    /// For which migration.
    pub(crate) migration: crate::model::name::MigrationId,
    /// Source by source.
    pub(crate) sources: Vec<SourceReport>,
}
