//! Gate verdicts: what was seen, judged.
//!
//! Each source of evidence has one pure verdict function here, `decide` puts them together, and `watch` says whether a
//! gate that waits may go on. `engine::evidence` fetches the facts; nothing here reads a clock.

mod decide;
mod leases;
mod question;
mod soak;
#[cfg(test)]
mod tests;
mod watch;

pub(crate) use decide::decide;
#[cfg(test)]
pub(crate) use question::{Builds, ServiceFacts};
pub(crate) use question::{Facts, Question};
pub(crate) use watch::{Watch, wait, watch};

use std::time::Duration;

use crate::model::name::MigrationId;

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
    pub(crate) migration: MigrationId,
    /// Source by source.
    pub(crate) sources: Vec<SourceReport>,
}

/// The names of the sources, which `--override` takes.
pub(crate) const SOURCES: &[&str] = &["leases", "soak"];

impl SourceReport {
    /// What counts: an override turns a verdict into CLEAR.
    pub(crate) fn counts_as(&self) -> &Verdict {
        if self.overridden.is_some() { &Verdict::Clear } else { &self.verdict }
    }
}

impl GateReport {
    /// What the sources say together, overrides counted: UNKNOWN outranks BLOCKED, which outranks CLEAR.
    pub(crate) fn verdict(&self) -> Verdict {
        let mut blocked = Vec::new();
        let mut unknown = Vec::new();
        let mut longest = None;
        for source in &self.sources {
            match source.counts_as() {
                Verdict::Clear => {}
                Verdict::Blocked { reasons, retry_after } => {
                    blocked.extend_from_slice(reasons);
                    // All of them must go away: the last one counts.
                    longest = longest.max(*retry_after);
                }
                Verdict::Unknown { reasons } => unknown.extend_from_slice(reasons),
            }
        }
        if !unknown.is_empty() {
            unknown.extend(blocked);
            Verdict::Unknown { reasons: unknown }
        } else if !blocked.is_empty() {
            Verdict::Blocked { reasons: blocked, retry_after: longest }
        } else {
            Verdict::Clear
        }
    }
}
