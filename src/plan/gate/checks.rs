//! Commands of the project's own: `[gate.checks.NAME]`.
//!
//! Sees: what the command sees. Exit code 0 is CLEAR, 1 BLOCKED. A command that cannot be started, is killed, takes too
//! long or ends otherwise could not see: UNKNOWN.

use super::{Facts, Findings, GateKind, Judged, Question};

/// What became of one check.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct CheckResult {
    /// Which one.
    pub(crate) name: String,
    /// How it ended.
    pub(crate) ended: CheckEnd,
    /// What it printed at the end, one line.
    pub(crate) said: String,
}

/// How a check ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum CheckEnd {
    /// With this exit code.
    Code(i32),
    /// Without one: why.
    Failed(String),
}

/// Judges every check that is declared.
pub(super) fn judge(question: &Question, facts: &Facts) -> Judged {
    if question.kind == GateKind::Rollback {
        return Judged::NotAsked("a rollback need not wait");
    }
    if question.checks.is_empty() {
        return Judged::NotAsked("no [gate.checks] is declared");
    }
    let mut findings = Findings::default();
    let mut seen = Vec::new();
    for name in &question.checks {
        let result = facts.slow.checks.iter().find(|result| result.name == *name);
        let Some(CheckResult { ended, said, .. }) = result else {
            findings.unknown.push(format!("check \"{name}\" was not asked"));
            continue;
        };
        let said = if said.is_empty() { String::new() } else { format!(": {said}") };
        match ended {
            CheckEnd::Code(0) => seen.push(format!("check \"{name}\" is clear{said}")),
            CheckEnd::Code(1) => findings.blocked.push(format!("check \"{name}\" says no{said}")),
            CheckEnd::Code(code) => findings.unknown.push(format!(
                "check \"{name}\" ended with exit code {code}, which says nothing{said}"
            )),
            CheckEnd::Failed(why) => {
                findings.unknown.push(format!("check \"{name}\" {why}{said}"));
            }
        }
    }
    Judged::Says { verdict: findings.verdict(), seen, not_seen: Vec::new() }
}
