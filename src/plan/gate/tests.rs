//! The gate's decisions, as tables.

use super::hard_fence::Cut;
use std::time::Duration;

use super::*;
use crate::config::ServiceEvidence;
use crate::model::fence::{Fence, FenceKind, FenceStatus};
use crate::model::lease::{Ending, Lease, Reached, parse_tolerates};

const NOW: i64 = 1_800_000_000_000;
const TTL: Duration = Duration::from_mins(1);

fn id(name: &str) -> MigrationId {
    MigrationId::parse(name).unwrap()
}

/// May `0005_k` be contracted, with `api` and `worker` declared, and a soak of a minute?
pub(super) fn contract() -> Question {
    let leases = ServiceFacts {
        evidence: ServiceEvidence::Leases,
        roles: Vec::new(),
        applications: Vec::new(),
        pooled: false,
        hard_fence: false,
    };
    Question {
        kind: GateKind::Contract,
        migration: id("0005_k"),
        services: [("api".to_owned(), leases.clone()), ("worker".to_owned(), leases)].into(),
        concerned: Some(vec!["api".to_owned()]),
        soak: Duration::from_mins(1),
        builds: Builds::MayRun,
        ignore_roles: Vec::new(),
        freeze: Vec::new(),
        checks: Vec::new(),
        longest_ttl: Duration::ZERO,
        cut: Cut::Coming,
    }
}

pub(super) fn rollback() -> Question {
    Question { kind: GateKind::Rollback, ..contract() }
}

/// Where in its life a lease is.
#[derive(Clone, Copy)]
pub(super) enum At {
    /// Renewed ten seconds ago.
    Live,
    /// Renewed two minutes ago, and a minute was granted.
    Expired,
    /// It left two minutes ago.
    Left,
}

pub(super) fn lease(number: i64, service: &str, tolerates: &str, at: At) -> Lease {
    let seen_at = match at {
        At::Live => NOW - 10_000,
        At::Expired | At::Left => NOW - 120_000,
    };
    Lease {
        id: number,
        service: service.to_owned(),
        version: "41".to_owned(),
        instance: format!("{service}-{number}"),
        tolerates: parse_tolerates(tolerates),
        needs: Vec::new(),
        ending: Ending::Suspends,
        role: "api".to_owned(),
        ttl: TTL,
        beat: 7,
        joined_at: NOW - 3_600_000,
        seen_at,
        left_at: matches!(at, At::Left).then_some(seen_at),
        knocked_epoch: None,
    }
}

/// The same, but it only reports.
fn reporting(number: i64, tolerates: &str, at: At) -> Lease {
    Lease { ending: Ending::Reports, ..lease(number, "api", tolerates, at) }
}

fn needing(number: i64, needs: &[&str], at: At) -> Lease {
    let needs = needs.iter().map(|name| (id(name), Reached::Migrated)).collect();
    Lease { needs, ..lease(number, "api", "", at) }
}

pub(super) fn facts(leases: Vec<Lease>) -> Facts {
    Facts { now: NOW, leases, ..Facts::default() }
}

pub(super) const NEW: &str = "0005_k";
pub(super) const OLD: &str = "0004_j";

/// `clear`, or the verdict and its reasons.
pub(super) fn shown(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Clear => "clear".to_owned(),
        Verdict::Blocked { reasons, .. } => format!("blocked: {}", reasons.join(" | ")),
        Verdict::Unknown { reasons } => format!("unknown: {}", reasons.join(" | ")),
    }
}

fn source<'a>(report: &'a GateReport, name: &str) -> Option<&'a SourceReport> {
    report.sources.iter().find(|source| source.source == name)
}

/// What leases say.
fn check(question: &Question, leases: Vec<Lease>, expected: &str) {
    let report = decide(question, &facts(leases), &[]);
    assert_eq!(shown(&source(&report, "leases").unwrap().verdict), expected);
}

#[test]
fn contract_is_clear_when_the_newest_tolerates_and_no_old_one_lives() {
    check(&contract(), vec![lease(1, "api", NEW, At::Live)], "clear");
    check(
        &contract(),
        vec![lease(1, "api", OLD, At::Left), lease(2, "api", NEW, At::Live)],
        "clear",
    );
    check(
        &contract(),
        vec![lease(1, "api", OLD, At::Expired), lease(2, "api", NEW, At::Live)],
        "clear",
    );
    // Scaled to zero since: the build that was started last is what counts.
    check(
        &contract(),
        vec![lease(1, "api", OLD, At::Left), lease(2, "api", NEW, At::Left)],
        "clear",
    );
}

#[test]
fn contract_is_blocked_by_every_old_instance_by_name() {
    check(
        &contract(),
        vec![
            lease(1, "api", OLD, At::Live),
            lease(2, "api", "", At::Live),
            lease(3, "api", NEW, At::Live),
        ],
        "blocked: instance \"api-1\" of service \"api\", version 41, does not tolerate 0005_k, last seen 10 s ago \
         | instance \"api-2\" of service \"api\", version 41, does not tolerate 0005_k, last seen 10 s ago",
    );
}

#[test]
fn tolerance_is_a_set_and_not_a_number() {
    // Merged out of order: it knows of 0006, and still uses what 0005 takes away.
    check(
        &contract(),
        vec![lease(1, "api", "0004_j,0006_l", At::Live), lease(2, "api", "0005_k", At::Live)],
        "blocked: instance \"api-1\" of service \"api\", version 41, does not tolerate 0005_k, last seen 10 s ago",
    );
    check(&contract(), vec![lease(1, "api", "0001_a,0005_k", At::Live)], "clear");
}

#[test]
fn contract_waits_for_a_build_that_tolerates_it() {
    check(
        &contract(),
        vec![],
        "unknown: service \"api\" has never reported: its builds join with zdm::app, or run under zdm report",
    );
    check(
        &contract(),
        vec![lease(1, "api", OLD, At::Left)],
        "blocked: no instance of service \"api\" that tolerates 0005_k has reported yet",
    );
    // A nightly job that was started from an old image, after a new one had run.
    check(
        &contract(),
        vec![lease(1, "api", NEW, At::Live), lease(2, "api", OLD, At::Left)],
        "blocked: instance \"api-2\" of service \"api\", version 41, joined last and does not tolerate 0005_k: the \
         next one may be like it",
    );
}

#[test]
fn only_the_concerned_services_count() {
    let all = vec![lease(1, "api", NEW, At::Live), lease(2, "worker", OLD, At::Live)];
    check(&contract(), all.clone(), "clear");
    check(
        &Question { concerned: None, ..contract() },
        all,
        "blocked: instance \"worker-2\" of service \"worker\", version 41, does not tolerate 0005_k, last seen 10 s ago",
    );
    let concerned = Some(vec!["api".to_owned(), "gone".to_owned()]);
    check(
        &Question { concerned, ..contract() },
        vec![lease(1, "api", NEW, At::Live)],
        "unknown: service \"gone\" is concerned by 0005_k, but not declared in zdm.toml",
    );
}

#[test]
fn a_world_that_nobody_closed_is_unknown() {
    let open = Question { services: [].into(), concerned: None, ..contract() };
    let words = "unknown: no service is declared, so zdm cannot know who uses the database: list every one in \
                 zdm.toml, for example [services.api]";
    check(&open, vec![], words);
    check(&open, vec![lease(1, "api", NEW, At::Live)], words);
    check(&Question { kind: GateKind::Rollback, ..open }, vec![], words);
}

#[test]
fn whoever_reports_for_an_undeclared_service_is_unknown() {
    let words = "unknown: instance \"cron-2\" of service \"cron\", version 41, is there, but its service is not declared";
    for question in [contract(), rollback()] {
        for tolerates in [OLD, NEW] {
            let new = lease(1, "api", NEW, At::Live);
            check(&question, vec![new.clone(), lease(2, "cron", tolerates, At::Live)], words);
            check(&question, vec![new, lease(2, "cron", tolerates, At::Left)], "clear");
        }
    }
}

#[test]
fn silence_of_an_instance_that_only_reports_is_unknown() {
    let new = lease(9, "api", NEW, At::Live);
    check(
        &contract(),
        vec![reporting(1, OLD, At::Expired), new.clone()],
        "unknown: instance \"api-1\" of service \"api\", version 41, does not tolerate 0005_k, last seen 2 min ago; it \
         only reports, and did not say that it ends, so that it may still be there",
    );
    check(&contract(), vec![reporting(1, OLD, At::Left), new.clone()], "clear");
    check(&contract(), vec![reporting(1, NEW, At::Expired), new.clone()], "clear");
    check(
        &contract(),
        vec![reporting(1, OLD, At::Live), new],
        "blocked: instance \"api-1\" of service \"api\", version 41, does not tolerate 0005_k, last seen 10 s ago",
    );
}

#[test]
fn unknown_outranks_blocked_and_keeps_its_reasons() {
    let report = decide(
        &contract(),
        &facts(vec![lease(1, "api", OLD, At::Live), reporting(2, OLD, At::Expired)]),
        &[],
    );
    let Verdict::Unknown { reasons } = report.verdict() else { panic!("{report:?}") };
    assert!(reasons[0].contains("api-2") && reasons[1].contains("api-1"), "{reasons:?}");
    assert!(reasons[2].contains("asked for: 60 s"), "{reasons:?}");
}

#[test]
fn rollback_is_blocked_by_whoever_needs_the_migration() {
    check(&rollback(), vec![], "clear");
    check(&rollback(), vec![needing(1, &["0004_j", "0006_l"], At::Live)], "clear");
    check(&rollback(), vec![needing(1, &["0005_k"], At::Expired)], "clear");
    check(&rollback(), vec![needing(1, &["0005_k"], At::Left)], "clear");
    check(
        &rollback(),
        vec![needing(1, &["0005_k", "0006_l"], At::Live)],
        "blocked: instance \"api-1\" of service \"api\", version 41, needs 0005_k, last seen 10 s ago",
    );
    check(
        &rollback(),
        vec![Lease { ending: Ending::Reports, ..needing(1, &["0005_k"], At::Expired) }],
        "unknown: instance \"api-1\" of service \"api\", version 41, needs 0005_k, last seen 2 min ago; it only \
         reports, and did not say that it ends, so that it may still be there",
    );
}

#[test]
fn before_its_builds_may_start_a_rollback_fears_only_those_that_report() {
    let early = Question { services: [].into(), builds: Builds::NotYet, ..rollback() };
    check(&early, vec![], "clear");
    check(&early, vec![needing(1, &["0004_j"], At::Live)], "clear");
    check(
        &early,
        vec![needing(1, &["0005_k"], At::Live)],
        "blocked: instance \"api-1\" of service \"api\", version 41, needs 0005_k, last seen 10 s ago",
    );
    // Contract comes after them.
    let contract = Question { kind: GateKind::Contract, ..early };
    assert!(matches!(decide(&contract, &facts(vec![]), &[]).verdict(), Verdict::Unknown { .. }));
}

#[test]
fn a_soak_counts_from_the_last_sign_of_the_last_old_instance() {
    let soak = |seconds, leases| {
        let question = Question { soak: Duration::from_secs(seconds), ..contract() };
        source(&decide(&question, &facts(leases), &[]), "soak").unwrap().verdict.clone()
    };
    let rest = |seconds, leases| match soak(seconds, leases) {
        Verdict::Blocked { retry_after, .. } => retry_after.unwrap().as_secs(),
        Verdict::Clear => 0,
        Verdict::Unknown { .. } => panic!(),
    };
    let new = lease(9, "api", NEW, At::Live);
    assert_eq!(rest(600, vec![]), 0);
    assert_eq!(rest(600, vec![new.clone()]), 0);
    assert_eq!(rest(600, vec![lease(1, "api", OLD, At::Left), new.clone()]), 480);
    assert_eq!(rest(600, vec![lease(1, "api", OLD, At::Expired), new.clone()]), 480);
    assert_eq!(rest(120, vec![lease(1, "api", OLD, At::Left), new.clone()]), 0);
    assert_eq!(rest(600, vec![lease(1, "api", OLD, At::Live), new.clone()]), 600);
    // Not concerned.
    assert_eq!(rest(600, vec![lease(1, "worker", OLD, At::Left), new]), 0);
    assert_eq!(source(&decide(&rollback(), &facts(vec![]), &[]), "soak"), None);
}

#[test]
fn an_override_clears_its_own_source_and_no_other() {
    let leases = vec![lease(1, "api", OLD, At::Live), lease(2, "api", NEW, At::Live)];
    let with = |names: &[&str]| {
        let overrides: Vec<_> =
            names.iter().map(|name| ((*name).to_owned(), "because".to_owned())).collect();
        decide(&contract(), &facts(leases.clone()), &overrides)
    };
    assert!(matches!(with(&[]).verdict(), Verdict::Blocked { .. }));
    assert!(matches!(with(&["leases"]).verdict(), Verdict::Blocked { .. }));
    assert!(matches!(with(&["soak"]).verdict(), Verdict::Blocked { .. }));
    let both = with(&["leases", "soak"]);
    assert_eq!(both.verdict(), Verdict::Clear);
    // What was overridden stays readable.
    let source = source(&both, "leases").unwrap();
    assert_eq!(source.overridden.as_deref(), Some("because"));
    assert!(matches!(source.verdict, Verdict::Blocked { .. }));
}

#[test]
fn a_gate_says_when_it_may_change_by_itself() {
    let report = decide(
        &Question { soak: Duration::ZERO, ..contract() },
        &facts(vec![lease(1, "api", OLD, At::Live), lease(2, "api", NEW, At::Live)]),
        &[],
    );
    let Verdict::Blocked { retry_after, .. } = report.verdict() else { panic!() };
    assert_eq!(retry_after, Some(Duration::from_secs(50)));
}

#[test]
fn the_wait_is_the_longest_ttl_that_somebody_could_still_hold() {
    let waited = |leases| wait(&contract(), &facts(leases)).as_secs_f64();
    assert!(waited(vec![]) < 0.001);
    assert!(waited(vec![lease(1, "api", OLD, At::Left), lease(2, "api", NEW, At::Left)]) < 0.001);
    assert!((waited(vec![lease(1, "api", NEW, At::Live)]) - 63.0).abs() < 0.001);
    assert!((waited(vec![lease(1, "api", OLD, At::Expired)]) - 63.0).abs() < 0.001);
    let longer = Lease { ttl: TTL * 2, ..lease(2, "api", OLD, At::Expired) };
    assert!((waited(vec![lease(1, "api", NEW, At::Live), longer]) - 126.0).abs() < 0.001);
    // Not concerned; declared by nobody.
    assert!(waited(vec![lease(1, "worker", OLD, At::Live)]) < 0.001);
    assert!((waited(vec![lease(1, "cron", OLD, At::Live)]) - 63.0).abs() < 0.001);
    // An old one may be alive though the database's clock was set forward by an hour; a new one is no danger.
    let hour =
        |tolerates| Lease { seen_at: NOW - 3_600_000, ..lease(1, "api", tolerates, At::Live) };
    assert!((waited(vec![hour(OLD)]) - 63.0).abs() < 0.001);
    assert!(waited(vec![hour(NEW)]) < 0.001);
    // But for one that reads the old structure until it hears that it need not.
    let early = vec![(id("0005_k"), Reached::Expanded)];
    assert!((waited(vec![Lease { needs: early, ..hour(NEW) }]) - 63.0).abs() < 0.001);
    // A server that was promoted a minute ago may not know of whoever it is that still serves; after a while nobody can.
    let promoted = |seconds: i64| {
        let slow = SlowFacts { replaced_at: Some(NOW - seconds * 1000), ..SlowFacts::default() };
        let question = Question { longest_ttl: TTL, ..contract() };
        wait(&question, &Facts { slow, ..facts(vec![]) }).as_secs_f64()
    };
    assert!((promoted(60) - 63.0).abs() < 0.001 && promoted(121) < 0.001);
    let days = Lease { seen_at: NOW - 172_800_000, ..lease(1, "api", OLD, At::Live) };
    assert!(waited(vec![days]) < 0.001);
}

fn fence() -> Fence {
    Fence {
        migration: id("0005_k"),
        kind: FenceKind::Tolerate,
        services: Some(vec!["api".to_owned()]),
        status: FenceStatus::Provisional,
        epoch: 12,
        run_token: "mine".to_owned(),
        since: NOW,
        knocked_by: None,
    }
}

/// What the gate does when it finds `found` and `after`, having seen `before` when it made the fence.
fn watched(found: Option<&Fence>, before: &[Lease], after: &[Lease], overrides: &[&str]) -> String {
    let overrides: Vec<_> =
        overrides.iter().map(|name| ((*name).to_owned(), "because".to_owned())).collect();
    let (then, mut now) = (facts(before.to_vec()), facts(after.to_vec()));
    now.now += 1000;
    match watch(&contract(), &fence(), found, (&then, &now), &overrides) {
        Watch::GoOn => "go on".to_owned(),
        Watch::Abort(verdict) => shown(&verdict),
    }
}

#[test]
fn a_quiet_wait_goes_on() {
    let leases = [lease(1, "api", OLD, At::Expired), lease(2, "api", NEW, At::Live)];
    assert_eq!(watched(Some(&fence()), &leases, &leases, &[]), "go on");
    // New instances come, renew and go as they like.
    let mut after = leases.to_vec();
    after[1].beat += 1;
    after.push(lease(3, "api", NEW, At::Live));
    assert_eq!(watched(Some(&fence()), &leases, &after, &[]), "go on");
}

#[test]
fn a_fence_that_is_not_ours_any_more_ends_the_wait() {
    let leases = [lease(2, "api", NEW, At::Live)];
    let words = "blocked: the fence for 0005_k was lifted by somebody else";
    let other = [
        None,
        Some(Fence { epoch: 13, ..fence() }),
        Some(Fence { run_token: "other".to_owned(), ..fence() }),
        Some(Fence { status: FenceStatus::Final, ..fence() }),
    ];
    for found in other {
        assert_eq!(watched(found.as_ref(), &leases, &leases, &[]), words);
        // No override can make up for a fence that is gone.
        assert_eq!(watched(found.as_ref(), &leases, &leases, &["leases", "soak"]), words);
    }
}

#[test]
fn every_sign_of_an_old_instance_ends_the_wait() {
    let before = [lease(1, "api", OLD, At::Expired), lease(2, "api", NEW, At::Live)];
    let with = |change: &dyn Fn(&mut Vec<Lease>)| {
        let mut after = before.to_vec();
        change(&mut after);
        after
    };
    let alive = "blocked: instance \"api-1\" of service \"api\", version 41, is alive";
    let beat = with(&|all| all[0].beat += 1);
    assert_eq!(watched(Some(&fence()), &before, &beat, &[]), alive);
    let knock = with(&|all| all[0].knocked_epoch = Some(12));
    let asked = "blocked: instance \"api-1\" of service \"api\", version 41, asked to go on";
    assert_eq!(watched(Some(&fence()), &before, &knock, &[]), asked);
    let joined = with(&|all| all.push(lease(3, "api", OLD, At::Live)));
    let new = "blocked: instance \"api-3\" of service \"api\", version 41, is alive";
    assert_eq!(watched(Some(&fence()), &before, &joined, &[]), new);
    let knocked = Fence { knocked_by: Some("api api-9 (version 41)".to_owned()), ..fence() };
    let door = "blocked: api api-9 (version 41) asked to join, and does not tolerate what the fence asks for";
    assert_eq!(watched(Some(&knocked), &before, &before, &[]), door);

    // A knock at an earlier fence is not one at this.
    let earlier = with(&|all| all[0].knocked_epoch = Some(11));
    assert_eq!(watched(Some(&fence()), &earlier, &earlier, &[]), "go on");
    // Whoever says that leases do not count means knocks, too.
    assert_eq!(watched(Some(&knocked), &before, &knock, &["leases", "soak"]), "go on");
}

#[test]
fn evidence_that_is_no_longer_clear_ends_the_wait() {
    let before = [lease(2, "api", NEW, At::Live)];
    let after = [before[0].clone(), lease(3, "cron", NEW, At::Live)];
    assert_eq!(
        watched(Some(&fence()), &before, &after, &[]),
        "unknown: instance \"cron-3\" of service \"cron\", version 41, is there, but its service is not declared"
    );
}
