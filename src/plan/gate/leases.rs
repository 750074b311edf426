//! Leases as evidence: who says of itself that it is there, and what it says it tolerates or needs.

use std::collections::BTreeSet;
use std::time::Duration;

use super::question::{describe, expires_at, is_live, is_silent};
use super::{Facts, Findings, GateKind, Judged, Question, hard_fence, sessions};
use crate::config::ServiceEvidence;
use crate::model::lease::Lease;

/// Judges leases. The world is closed: what nobody declared, and what cannot be seen, is UNKNOWN.
pub(super) fn judge(question: &Question, facts: &Facts) -> Judged {
    let mut findings = Findings::default();
    if question.fears_the_unseen() {
        unseen(question, facts, &mut findings);
    }
    let mut concerned: Vec<_> =
        facts.leases.iter().filter(|lease| question.concerns(lease)).collect();
    concerned.sort_by_key(|lease| (&lease.service, &lease.instance));
    let cut = hard_fence::excused(question, facts);
    for lease in concerned {
        one_lease(question, lease, facts, &cut, &mut findings);
    }
    if question.kind == GateKind::Contract {
        for name in of_leases(question) {
            next_start(question, name, facts, &mut findings);
        }
    }
    Judged::Says { verdict: findings.verdict(), seen: seen(question, facts), not_seen: Vec::new() }
}

/// What leases cannot show.
fn unseen(question: &Question, facts: &Facts, findings: &mut Findings) {
    if question.services.is_empty() {
        findings.unknown.push(
            "no service is declared, so zdm cannot know who uses the database: list every one in zdm.toml, \
             for example [services.api]"
                .to_owned(),
        );
        return;
    }
    for name in question.concerned.iter().flatten() {
        if !question.services.contains_key(name) {
            findings.unknown.push(format!(
                "service \"{name}\" is concerned by {}, but not declared in zdm.toml",
                question.migration
            ));
        }
    }
    for lease in &facts.leases {
        let is_there = is_live(lease, facts.now) || is_silent(lease, facts.now);
        if !question.services.contains_key(&lease.service) && is_there {
            findings
                .unknown
                .push(format!("{} is there, but its service is not declared", describe(lease)));
        }
    }
}

/// The concerned services whose instances report.
fn of_leases(question: &Question) -> impl Iterator<Item = &str> {
    let services = question.services.iter();
    services
        .filter(|(name, service)| {
            service.evidence == ServiceEvidence::Leases && question.concerns_service(name)
        })
        .map(|(name, _)| name.as_str())
}

/// One instance that may be in the way. `cut`: the roles of which nobody is left when the old structure goes.
fn one_lease(
    question: &Question,
    lease: &Lease,
    facts: &Facts,
    cut: &BTreeSet<String>,
    findings: &mut Findings,
) {
    // One of a service that nobody declared is named already, where the unseen count.
    let is_named = question.fears_the_unseen() && !question.services.contains_key(&lease.service);
    if is_named || !question.is_in_the_way(lease) {
        return;
    }
    if is_live(lease, facts.now) {
        findings.blocked.push(question.why(lease, facts.now));
        let rest = expires_at(lease).saturating_sub(facts.now).unsigned_abs();
        findings.retry_after = findings.retry_after.max(Some(Duration::from_millis(rest)));
    } else if is_silent(lease, facts.now)
        && !sessions::show_nobody(question, facts, &lease.service)
        && !cut.contains(&lease.role)
    {
        findings.unknown.push(format!(
            "{}; it only reports, and did not say that it ends, so that it may still be there",
            question.why(lease, facts.now)
        ));
    }
}

/// Nobody old may be there now. But who starts next, a nightly job or a service scaled to zero, is of the build that was
/// started last.
fn next_start(question: &Question, name: &str, facts: &Facts, findings: &mut Findings) {
    let all: Vec<&Lease> = facts.leases.iter().filter(|lease| lease.service == name).collect();
    let old_lives = |lease: &&Lease| question.is_in_the_way(lease) && is_live(lease, facts.now);
    match all.iter().max_by_key(|lease| lease.id) {
        None => findings.unknown.push(format!(
            "service \"{name}\" has never reported: its builds join with zdm::app, or run under zdm report"
        )),
        // It is named already.
        _ if all.iter().any(old_lives) => {}
        Some(last) if question.is_in_the_way(last) => {
            let k = &question.migration;
            findings.blocked.push(if all.iter().all(|lease| question.is_in_the_way(lease)) {
                format!("no instance of service \"{name}\" that tolerates {k} has reported yet")
            } else {
                format!(
                    "{} joined last and does not tolerate {k}: the next one may be like it",
                    describe(last)
                )
            });
        }
        Some(_) => {}
    }
}

/// Who is there, a line a service.
fn seen(question: &Question, facts: &Facts) -> Vec<String> {
    let mut names: Vec<&str> = question.services.keys().map(String::as_str).collect();
    names.extend(facts.leases.iter().map(|lease| lease.service.as_str()));
    names.sort_unstable();
    names.dedup();
    let line = |name: &str| {
        let live = |lease: &&Lease| lease.service == name && is_live(lease, facts.now);
        let live: Vec<_> = facts.leases.iter().filter(live).collect();
        let against = live.iter().filter(|lease| question.is_in_the_way(lease)).count();
        let verb = match question.kind {
            GateKind::Contract => "not tolerating",
            GateKind::Rollback => "needing",
        };
        format!("service \"{name}\": {} live, {against} {verb} {}", live.len(), question.migration)
    };
    names.into_iter().map(line).collect()
}
