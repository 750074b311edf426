//! All sources together.

use super::{Facts, GateKind, GateReport, Question, leases, soak};

/// What every source says of the facts. `overrides` are names of sources with reasons; a name that is no source's is
/// the caller's to refuse.
pub(crate) fn decide(
    question: &Question,
    facts: &Facts,
    overrides: &[(String, String)],
) -> GateReport {
    let mut sources = vec![leases::judge(question, facts)];
    if question.kind == GateKind::Contract {
        sources.push(soak::judge(question, facts));
    }
    for source in &mut sources {
        let given = overrides.iter().find(|(name, _)| name == source.source);
        source.overridden = given.map(|(_, reason)| reason.clone());
    }
    GateReport { kind: question.kind, migration: question.migration.clone(), sources }
}
