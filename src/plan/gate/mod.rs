//! Gate verdicts: what was seen, judged.
//!
//! Each source of evidence is a file with one pure verdict function and a line in [`SOURCES`]; `decide` puts them
//! together, and `watch` says whether a gate that waits may go on. `engine::evidence` fetches the facts; nothing here
//! reads a clock.

pub(crate) mod checks;
mod connections;
mod decide;
pub(crate) mod dependents;
mod freeze;
pub(crate) mod hard_fence;
mod leases;
mod question;
pub(crate) mod sessions;
#[cfg(test)]
mod set_ups;
mod soak;
mod start;
#[cfg(test)]
mod tests;
pub(crate) mod verification;
mod watch;

pub(crate) use decide::decide;
#[cfg(test)]
pub(crate) use question::{Builds, ServiceFacts};
pub(crate) use question::{Facts, Question, SlowFacts};
pub(crate) use start::may_start;
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
    /// What this source cannot see, as things are, one line each.
    pub(crate) not_seen: Vec<String>,
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
    /// The sources that were not asked, and why.
    pub(crate) not_asked: Vec<(&'static str, &'static str)>,
}

/// A source of evidence.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source {
    /// Its name, which `--override` takes.
    pub(crate) name: &'static str,
    judge: fn(&Question, &Facts) -> Judged,
}

/// What becomes of asking a source.
enum Judged {
    /// It says something.
    Says { verdict: Verdict, seen: Vec<String>, not_seen: Vec<String> },
    /// It has nothing to look at: why.
    NotAsked(&'static str),
}

/// Every source, in the order in which people read them.
pub(crate) const SOURCES: &[Source] = &[
    Source { name: "leases", judge: leases::judge },
    Source { name: "connections", judge: connections::judge },
    Source { name: "sessions", judge: sessions::judge },
    Source { name: "hard_fence", judge: hard_fence::judge },
    Source { name: "dependents", judge: dependents::judge },
    Source { name: "soak", judge: soak::judge },
    Source { name: "freeze", judge: freeze::judge },
    Source { name: "checks", judge: checks::judge },
    Source { name: "verification", judge: verification::judge },
];

/// The names of the sources, which `--override` takes.
pub(crate) fn source_names() -> Vec<&'static str> {
    SOURCES.iter().map(|source| source.name).collect()
}

/// What speaks against it.
#[derive(Default)]
struct Findings {
    blocked: Vec<String>,
    unknown: Vec<String>,
    retry_after: Option<Duration>,
}

impl Findings {
    fn verdict(self) -> Verdict {
        if !self.unknown.is_empty() {
            let reasons = [self.unknown, self.blocked].concat();
            Verdict::Unknown { reasons }
        } else if !self.blocked.is_empty() {
            Verdict::Blocked { reasons: self.blocked, retry_after: self.retry_after }
        } else {
            Verdict::Clear
        }
    }
}

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
