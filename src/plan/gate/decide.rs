//! All sources together.

use super::{Facts, GateReport, Judged, Question, SOURCES, SourceReport};

/// What every source says of the facts. `overrides` are names of sources with reasons; a name that is no source's is
/// the caller's to refuse.
pub(crate) fn decide(
    question: &Question,
    facts: &Facts,
    overrides: &[(String, String)],
) -> GateReport {
    let (mut sources, mut not_asked) = (Vec::new(), Vec::new());
    for source in SOURCES {
        match (source.judge)(question, facts) {
            Judged::NotAsked(why) => not_asked.push((source.name, why)),
            Judged::Says { verdict, seen, not_seen } => {
                let given = overrides.iter().find(|(name, _)| name == source.name);
                let overridden = given.map(|(_, reason)| reason.clone());
                let name = source.name;
                sources.push(SourceReport { source: name, verdict, seen, not_seen, overridden });
            }
        }
    }
    GateReport { kind: question.kind, migration: question.migration.clone(), sources, not_asked }
}
