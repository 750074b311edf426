//! What a gate says, for programs.

use schemars::JsonSchema;
use serde::Serialize;

use super::FORMAT;
use crate::plan::gate::{GateKind, GateReport, SourceReport, Verdict};

/// What `gate --format json` writes.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Gate {
    /// Always 1.
    format: u32,
    /// The command's name.
    command: String,
    /// The worst of the sources' verdicts.
    result: VerdictWord,
    /// contract or rollback.
    kind: String,
    /// The migration.
    migration: String,
    /// Source by source.
    sources: Vec<Source>,
    /// The sources that had nothing to look at.
    not_asked: Vec<NotAsked>,
}

/// A source that had nothing to look at.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct NotAsked {
    /// Its name.
    source: String,
    /// Why.
    why: String,
}

/// What a source of evidence says.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the keys of the format")]
pub(crate) struct Source {
    /// The name that --override takes.
    source: String,
    /// What it says.
    verdict: VerdictWord,
    /// Why, one line each.
    reasons: Vec<String>,
    /// What was seen, one line each.
    seen: Vec<String>,
    /// What it cannot see, one line each.
    not_seen: Vec<String>,
    /// When it can change by itself at the earliest: seconds from now.
    retry_after: Option<f64>,
    /// Why somebody overrode it.
    overridden: Option<String>,
}

/// A verdict.
#[derive(Serialize, JsonSchema, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "snake_case")]
pub(crate) enum VerdictWord {
    /// Nothing is in the way.
    Clear,
    /// Something is in the way, and may go away.
    Blocked,
    /// It could not see, so it refuses.
    Unknown,
}

/// What `gate --start-with FILE --format json` writes.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Start {
    /// Always 1.
    format: u32,
    /// The command's name.
    command: String,
    /// Whether the build may start.
    result: VerdictWord,
    /// Always start.
    kind: String,
    /// The service of the manifest.
    service: String,
    /// Why not, one line each.
    reasons: Vec<String>,
}

/// Whether a build of a service may start.
pub(crate) fn start(service: &str, verdict: &Verdict) -> Start {
    let reasons = match verdict {
        Verdict::Clear => Vec::new(),
        Verdict::Blocked { reasons, .. } | Verdict::Unknown { reasons } => reasons.clone(),
    };
    Start {
        format: FORMAT,
        command: "gate".to_owned(),
        result: word(verdict),
        kind: "start".to_owned(),
        service: service.to_owned(),
        reasons,
    }
}

/// The report of a gate.
pub(crate) fn gate(report: &GateReport) -> Gate {
    Gate {
        format: FORMAT,
        command: "gate".to_owned(),
        result: worst(report),
        kind: match report.kind {
            GateKind::Contract => "contract".to_owned(),
            GateKind::Rollback => "rollback".to_owned(),
        },
        migration: report.migration.to_string(),
        sources: report.sources.iter().map(source).collect(),
        not_asked: report
            .not_asked
            .iter()
            .map(|(source, why)| NotAsked { source: (*source).to_owned(), why: (*why).to_owned() })
            .collect(),
    }
}

/// The worst verdict of the sources that nobody overrode.
pub(crate) fn worst(report: &GateReport) -> VerdictWord {
    let sources = report.sources.iter().filter(|source| source.overridden.is_none());
    sources.map(|source| word(&source.verdict)).max().unwrap_or(VerdictWord::Clear)
}

fn word(verdict: &Verdict) -> VerdictWord {
    match verdict {
        Verdict::Clear => VerdictWord::Clear,
        Verdict::Blocked { .. } => VerdictWord::Blocked,
        Verdict::Unknown { .. } => VerdictWord::Unknown,
    }
}

fn source(report: &SourceReport) -> Source {
    let (reasons, retry_after) = match &report.verdict {
        Verdict::Clear => (Vec::new(), None),
        Verdict::Blocked { reasons, retry_after } => (reasons.clone(), *retry_after),
        Verdict::Unknown { reasons } => (reasons.clone(), None),
    };
    Source {
        source: report.source.to_owned(),
        verdict: word(&report.verdict),
        reasons,
        seen: report.seen.clone(),
        not_seen: report.not_seen.clone(),
        retry_after: retry_after.map(|wait| wait.as_secs_f64()),
        overridden: report.overridden.clone(),
    }
}
