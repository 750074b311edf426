//! Freeze windows: when nothing is contracted, by the clocks of people.
//!
//! Sees: the database's clock. Blind: nothing, but a clock that is wrong. A time that comes twice when clocks are set is
//! in the window both times.

use std::time::Duration;

use chrono::DateTime;

use super::{Facts, Findings, GateKind, Judged, Question};
use crate::config::freeze::thawed;

/// Judges whether a window holds now.
pub(super) fn judge(question: &Question, facts: &Facts) -> Judged {
    if question.kind == GateKind::Rollback {
        return Judged::NotAsked("a rollback need not wait");
    }
    if question.freeze.is_empty() {
        return Judged::NotAsked("no freeze window is declared");
    }
    let mut findings = Findings::default();
    let Some(now) = DateTime::from_timestamp_millis(facts.now) else {
        findings.unknown.push("the database's clock stands at no date".to_owned());
        return Judged::Says {
            verdict: findings.verdict(),
            seen: Vec::new(),
            not_seen: Vec::new(),
        };
    };
    let holding: Vec<_> = question.freeze.iter().filter(|freeze| freeze.holds(now)).collect();
    let end = thawed(&question.freeze, now);
    for freeze in &holding {
        let until = end.with_timezone(&freeze.zone).format("%Y-%m-%d %H:%M %Z");
        findings
            .blocked
            .push(format!("nothing is contracted in {freeze}: contract may act from {until} on"));
    }
    if !holding.is_empty() {
        let rest = (end - now).num_milliseconds().unsigned_abs();
        findings.retry_after = Some(Duration::from_millis(rest));
    }
    let seen = vec![format!("{} of {} windows hold", holding.len(), question.freeze.len())];
    Judged::Says { verdict: findings.verdict(), seen, not_seen: Vec::new() }
}
