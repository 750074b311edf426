//! The connection of a lease as evidence that needs no clock: its session lock lives as long as its process, even one
//! that is stopped and cannot renew.
//!
//! Sees: processes whose lease has expired, and which could wake up and go on. Blind: leases of `reports` kind written by
//! SQL alone, which hold no lock; a connection that the network has lost counts as open until the server notices
//! (about a minute on PostgreSQL, ten on MySQL and MariaDB).

use super::question::{describe, is_live};
use super::{Facts, Findings, Judged, Question, hard_fence};

/// Judges connections of leases that have expired.
pub(super) fn judge(question: &Question, facts: &Facts) -> Judged {
    let mut findings = Findings::default();
    // Their sessions end before the old structure goes.
    let cut = hard_fence::about_to_end(question, facts);
    for lease in &facts.leases {
        let counts =
            question.concerns(lease) && question.is_in_the_way(lease) && !cut.contains(&lease.role);
        let is_over = lease.left_at.is_none() && !is_live(lease, facts.now);
        if counts && is_over && facts.connected.contains(&lease.id) {
            findings.blocked.push(format!(
                "{} has not renewed its lease, but its connection is open: its process may be stopped, and go on",
                describe(lease)
            ));
        }
    }
    let seen = vec![format!("{} leases have their connection open", facts.connected.len())];
    Judged::Says { verdict: findings.verdict(), seen, not_seen: Vec::new() }
}
