//! Soak: for how long no old instance has been seen. Time for a deployment to be rolled back by its owners.

use std::time::Duration;

use super::question::{is_live, last_seen, millis};
use super::{Facts, GateKind, Judged, Question, Verdict};

/// Judges how long ago the last instance that was in the way was seen.
pub(super) fn judge(question: &Question, facts: &Facts) -> Judged {
    if question.kind == GateKind::Rollback {
        return Judged::NotAsked("a rollback need not wait");
    }
    let old = facts
        .leases
        .iter()
        .filter(|lease| question.concerns(lease) && question.is_in_the_way(lease));
    // One that is there now may have renewed just before: its time has not begun.
    let last =
        old.map(|lease| if is_live(lease, facts.now) { facts.now } else { last_seen(lease) }).max();
    let (verdict, seen) = match last {
        None => (Verdict::Clear, "no old instance has ever been seen".to_owned()),
        Some(last) => {
            let passed = facts.now.saturating_sub(last).max(0);
            let rest = millis(question.soak).saturating_sub(passed);
            let seen = format!(
                "the last old instance was seen {} s ago; asked for: {} s",
                passed / 1000,
                question.soak.as_secs()
            );
            if rest <= 0 {
                (Verdict::Clear, seen)
            } else {
                let rest = Duration::from_millis(rest.unsigned_abs());
                let reasons = vec![seen.clone()];
                (Verdict::Blocked { reasons, retry_after: Some(rest) }, seen)
            }
        }
    };
    Judged::Says { verdict, seen: vec![seen], not_seen: Vec::new() }
}
