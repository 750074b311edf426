//! The wait behind a provisional fence: how long, and what ends it.
//!
//! Why there is a wait: an instance whose renewal was sent before the fence had committed serves on until a deadline
//! that it counts from before it sent it. Why it is watched: whoever the fence turns away is alive.

use std::collections::BTreeMap;
use std::time::Duration;

use super::question::{describe, millis};
use super::{Facts, Question, Verdict, decide};
use crate::model::fence::{Fence, FenceStatus};

/// How much longer than a TTL is waited: clocks do not run alike.
const MARGIN: (u32, u32) = (105, 100);
/// For how long an instance that is in the way, or may still read the old structure, and did not say that it left, is
/// believed to be possible whatever its lease says: the database's clock may have been set forward, so that a lease that
/// is renewed looks expired.
const DOUBT: Duration = Duration::from_hours(24);

/// How long to wait, counted by the gate's own clock from after the fence's commit was acknowledged.
///
/// The longest TTL that was granted to a lease that could still be somebody's, and a margin; nothing when there is none.
/// Behind a server that has just been promoted there may be leases that it never heard of.
pub(crate) fn wait(question: &Question, facts: &Facts) -> Duration {
    let possible = facts.leases.iter().filter(|lease| {
        let silence = facts.now.saturating_sub(lease.seen_at);
        let uses_old = question.is_in_the_way(lease) || question.may_read_old(lease);
        let believed = if uses_old { DOUBT } else { lease.ttl * 2 };
        question.concerns(lease)
            && lease.left_at.is_none()
            && silence <= millis(believed.max(lease.ttl * 2))
    });
    let known = possible.map(|lease| lease.ttl).max().unwrap_or(Duration::ZERO);
    let is_new = |at: i64| facts.now.saturating_sub(at) <= millis(question.longest_ttl * 2);
    let lost = facts.slow.replaced_at.filter(|at| is_new(*at)).map(|_| question.longest_ttl);
    let longest = known.max(lost.unwrap_or(Duration::ZERO));
    longest.saturating_mul(MARGIN.0) / MARGIN.1
}

/// Whether a gate that waits may go on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Watch {
    /// Nothing has happened.
    GoOn,
    /// Something has: lift the fence and refuse.
    Abort(Verdict),
}

/// Compares what was seen when the fence was made with what is seen now. `own` is the fence that was made; `found` the
/// one that is there.
pub(crate) fn watch(
    question: &Question,
    own: &Fence,
    found: Option<&Fence>,
    (then, now): (&Facts, &Facts),
    overrides: &[(String, String)],
) -> Watch {
    let is_own = |fence: &&Fence| {
        fence.epoch == own.epoch
            && fence.run_token == own.run_token
            && fence.status == FenceStatus::Provisional
    };
    let Some(found) = found.filter(is_own) else {
        let reason = format!("the fence for {} was lifted by somebody else", question.migration);
        return blocked(vec![reason]);
    };
    let mut reasons = Vec::new();
    // Whoever says that leases do not count here says it of knocks, too.
    if !overrides.iter().any(|(source, _)| source == "leases") {
        reasons.extend(signs_of_life(question, found, (then, now)));
    }
    if !reasons.is_empty() {
        return blocked(reasons);
    }
    match decide(question, now, overrides).verdict() {
        Verdict::Clear => Watch::GoOn,
        verdict => Watch::Abort(verdict),
    }
}

/// What an old instance did behind the fence, one line each.
fn signs_of_life(question: &Question, fence: &Fence, (then, now): (&Facts, &Facts)) -> Vec<String> {
    let mut signs = Vec::new();
    let beats: BTreeMap<i64, i64> =
        then.leases.iter().map(|lease| (lease.id, lease.beat)).collect();
    let in_the_way =
        now.leases.iter().filter(|lease| question.concerns(lease) && question.is_in_the_way(lease));
    for lease in in_the_way {
        let has_beaten = beats.get(&lease.id) != Some(&lease.beat);
        if lease.knocked_epoch.is_some_and(|epoch| epoch >= fence.epoch) {
            signs.push(format!("{} asked to go on", describe(lease)));
        } else if lease.left_at.is_none() && has_beaten {
            signs.push(format!("{} is alive", describe(lease)));
        }
    }
    // A join that was turned away left no lease, but its name.
    if let (Some(name), true) = (&fence.knocked_by, signs.is_empty()) {
        signs.push(format!("{name} asked to join, and does not tolerate what the fence asks for"));
    }
    signs
}

fn blocked(reasons: Vec<String>) -> Watch {
    Watch::Abort(Verdict::Blocked { reasons, retry_after: None })
}
