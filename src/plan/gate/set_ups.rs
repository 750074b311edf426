//! Every set-up in which sessions are evidence: what is an all-clear, and above all what is none.

use super::hard_fence::Cut;
use super::sessions::{Session, Sessions};
use super::*;
use crate::config::ServiceEvidence;
use crate::config::freeze::Freeze;
use crate::model::lease::{Ending, Lease};
use crate::plan::gate::checks::{CheckEnd, CheckResult};

const NOW: i64 = 1_800_000_000_000;

/// One way in which a database may be used, and what of it zdm can see.
#[derive(Clone, Copy, Debug)]
struct SetUp {
    /// Whether the service comes through a pooler.
    way: Way,
    /// What zdm.toml says of the service.
    role: Role,
    /// Whether zdm may read the statistics of the server.
    statistics: Statistics,
    /// Whether anybody reads on a replica.
    replica: Replica,
    /// Where a process of the service is.
    process: Process,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    Direct,
    Pooler,
    PoolerAsked,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Role {
    /// A role of its own.
    Own,
    /// A role that it shares with `api`.
    Shared,
    /// Shared, but its sessions call themselves by a name of their own.
    Named,
    /// Nothing is said.
    Unsaid,
    /// The service is not declared at all; others are.
    Undeclared,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Statistics {
    Readable,
    Hidden,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Replica {
    None,
    Unasked,
    Asked,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Process {
    None,
    OnPrimary,
    OnReplica,
}

fn every() -> Vec<SetUp> {
    let mut all = Vec::new();
    for way in [Way::Direct, Way::Pooler, Way::PoolerAsked] {
        for role in [Role::Own, Role::Shared, Role::Named, Role::Unsaid, Role::Undeclared] {
            for statistics in [Statistics::Readable, Statistics::Hidden] {
                for (replica, process) in places() {
                    all.push(SetUp { way, role, statistics, replica, process });
                }
            }
        }
    }
    all
}

/// What replicas there are, and where a process is.
fn places() -> Vec<(Replica, Process)> {
    let replicas = [Replica::None, Replica::Unasked, Replica::Asked];
    let processes = [Process::None, Process::OnPrimary, Process::OnReplica];
    let all = replicas.into_iter().flat_map(|one| processes.map(|process| (one, process)));
    all.filter(|(one, process)| *process != Process::OnReplica || *one != Replica::None).collect()
}

fn service(evidence: ServiceEvidence, roles: &[&str], applications: &[&str]) -> ServiceFacts {
    let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    ServiceFacts {
        evidence,
        roles: owned(roles),
        applications: owned(applications),
        pooled: false,
        hard_fence: false,
    }
}

fn ask(services: Vec<(&str, ServiceFacts)>) -> Question {
    Question {
        kind: GateKind::Contract,
        migration: MigrationId::parse("0005_k").unwrap(),
        services: services.into_iter().map(|(name, facts)| (name.to_owned(), facts)).collect(),
        concerned: None,
        soak: Duration::ZERO,
        builds: Builds::MayRun,
        ignore_roles: vec!["exporter".to_owned()],
        freeze: Vec::new(),
        checks: Vec::new(),
        longest_ttl: Duration::ZERO,
        cut: Cut::Coming,
    }
}

fn question(set_up: SetUp) -> Question {
    let own = |roles: &[&str], names: &[&str]| {
        let pooled = set_up.way != Way::Direct;
        ServiceFacts { pooled, ..service(ServiceEvidence::Sessions, roles, names) }
    };
    let api = ("api", service(ServiceEvidence::Leases, &["app"], &[]));
    match set_up.role {
        Role::Own => ask(vec![api, ("reports", own(&["metabase"], &[]))]),
        Role::Shared => ask(vec![api, ("reports", own(&["app"], &[]))]),
        Role::Named => {
            // As long as `api` has no name of its own, too, a session of the role may be of either.
            let api = ("api", service(ServiceEvidence::Leases, &["app"], &["rails"]));
            ask(vec![api, ("reports", own(&["app"], &["metabase"]))])
        }
        Role::Unsaid => ask(vec![api, ("reports", own(&[], &[]))]),
        Role::Undeclared => ask(vec![api]),
    }
}

fn session(role: &str, application: &str) -> Session {
    Session {
        backend: Some(7),
        role: role.to_owned(),
        application: Some(application.to_owned()),
        host: None,
        place: None,
    }
}

/// What zdm sees of a set-up.
fn seen(set_up: SetUp) -> Facts {
    let role = if matches!(set_up.role, Role::Shared | Role::Named) { "app" } else { "metabase" };
    let process = session(role, "metabase");
    let mut here = Sessions::default();
    let mut elsewhere = Sessions::default();
    if set_up.statistics == Statistics::Hidden {
        here.hidden.push("GRANT pg_read_all_stats".to_owned());
    }
    here.replicas =
        usize::from(set_up.replica != Replica::None && set_up.statistics == Statistics::Readable);
    elsewhere.replicas_asked = usize::from(set_up.replica == Replica::Asked);
    elsewhere.pooler_asked = set_up.way == Way::PoolerAsked;
    match set_up.process {
        Process::None => {}
        // Behind a pooler an idle client has no session of its own.
        Process::OnPrimary if set_up.way == Way::Pooler => {}
        Process::OnPrimary if set_up.way == Way::PoolerAsked => elsewhere.found.push(process),
        Process::OnPrimary => here.found.push(process),
        Process::OnReplica if set_up.replica == Replica::Asked => elsewhere.found.push(process),
        Process::OnReplica => {}
    }
    // An instance of `api` that is there, and new.
    here.found.push(session("app", "rails"));
    here.found.push(session("exporter", ""));
    let lease = Lease {
        id: 1,
        service: "api".to_owned(),
        version: "42".to_owned(),
        instance: "api-1".to_owned(),
        tolerates: [MigrationId::parse("0005_k").unwrap()].into(),
        needs: Vec::new(),
        ending: Ending::Suspends,
        role: "api".to_owned(),
        ttl: Duration::from_mins(1),
        beat: 1,
        joined_at: NOW,
        seen_at: NOW,
        left_at: None,
        knocked_epoch: None,
    };
    Facts {
        now: NOW,
        leases: vec![lease],
        sessions: Some(here),
        slow: SlowFacts { elsewhere: Some(elsewhere), ..SlowFacts::default() },
        ..Facts::default()
    }
}

fn verdict(question: &Question, facts: &Facts, name: &str) -> Verdict {
    let report = decide(question, facts, &[]);
    report.sources.into_iter().find(|source| source.source == name).unwrap().verdict
}

#[test]
fn sessions_are_an_all_clear_only_where_everybody_would_have_been_seen() {
    for set_up in every() {
        let said = verdict(&question(set_up), &seen(set_up), "sessions");
        // What would have hidden a process of the service.
        let is_blind = set_up.way == Way::Pooler
            || set_up.statistics == Statistics::Hidden
            || set_up.replica == Replica::Unasked
            || set_up.role == Role::Unsaid
            // `api` has a session, which may as well be of `reports`.
            || set_up.role == Role::Shared;
        let is_seen = match set_up.process {
            Process::None => false,
            Process::OnPrimary => set_up.way != Way::Pooler,
            Process::OnReplica => set_up.replica == Replica::Asked,
        };
        let expected = match set_up.role {
            // Nobody said that it exists: only a session of a strange role tells.
            Role::Undeclared if is_seen => "unknown",
            Role::Undeclared => "clear",
            _ if is_blind => "unknown",
            _ if is_seen => "blocked",
            _ => "clear",
        };
        let word = match said {
            Verdict::Clear => "clear",
            Verdict::Blocked { .. } => "blocked",
            Verdict::Unknown { .. } => "unknown",
        };
        assert_eq!(word, expected, "{set_up:?}");
        let is_there = set_up.process != Process::None && set_up.role != Role::Undeclared;
        assert!(!(is_there && word == "clear"), "a false all-clear: {set_up:?}");
    }
}

/// What sessions say when `api` reports by leases, and `api` alone is declared.
fn of_leases(leases: Vec<Lease>, found: Vec<Session>) -> Verdict {
    let question = ask(vec![("api", service(ServiceEvidence::Leases, &["app"], &[]))]);
    let sessions = Some(Sessions { found, ..Sessions::default() });
    let facts = Facts { now: NOW, leases, sessions, ..Facts::default() };
    verdict(&question, &facts, "sessions")
}

fn reasons(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Clear => String::new(),
        Verdict::Blocked { reasons, .. } | Verdict::Unknown { reasons } => reasons.join(" | "),
    }
}

#[test]
fn a_session_of_a_service_without_a_lease_is_in_the_way_by_name() {
    assert_eq!(of_leases(Vec::new(), Vec::new()), Verdict::Clear);
    let said = of_leases(Vec::new(), vec![session("app", "rogue")]);
    let words = "session 7 of role \"app\", application rogue, is of service \"api\", of which no instance has a lease";
    assert_eq!(reasons(&said), words);
    let said = of_leases(Vec::new(), vec![session("ann", "psql")]);
    assert!(matches!(&said, Verdict::Unknown { .. }) && reasons(&said).contains("ignore_roles"));
    assert_eq!(of_leases(Vec::new(), vec![session("exporter", "")]), Verdict::Clear);
}

#[test]
fn what_a_pooler_keeps_open_is_nobody_when_it_told_who_is_behind_it() {
    let set_up = SetUp {
        way: Way::PoolerAsked,
        role: Role::Own,
        statistics: Statistics::Readable,
        replica: Replica::None,
        process: Process::None,
    };
    let mut facts = seen(set_up);
    facts.sessions.as_mut().unwrap().found.push(session("metabase", ""));
    assert!(matches!(verdict(&question(set_up), &facts, "sessions"), Verdict::Blocked { .. }));
    facts.slow.elsewhere.as_mut().unwrap().pooler_backends.push(7);
    assert_eq!(verdict(&question(set_up), &facts, "sessions"), Verdict::Clear);
}

#[test]
fn a_lease_that_only_reports_is_gone_when_sessions_show_that_nobody_is_there() {
    let silent = |facts: &Facts| Lease {
        id: 2,
        tolerates: [].into(),
        ending: Ending::Reports,
        seen_at: NOW - 600_000,
        ..facts.leases[0].clone()
    };
    let set_up = SetUp {
        way: Way::Direct,
        role: Role::Undeclared,
        statistics: Statistics::Readable,
        replica: Replica::None,
        process: Process::None,
    };
    let question = question(set_up);
    let mut facts = seen(set_up);
    facts.leases.insert(0, silent(&facts));
    facts.leases[1].id = 3;
    // A session of the role is there: it may be the silent one's.
    assert!(matches!(verdict(&question, &facts, "leases"), Verdict::Unknown { .. }));
    facts.sessions.as_mut().unwrap().found.clear();
    assert_eq!(verdict(&question, &facts, "leases"), Verdict::Clear);
    facts.sessions.as_mut().unwrap().hidden.push("GRANT".to_owned());
    assert!(matches!(verdict(&question, &facts, "leases"), Verdict::Unknown { .. }));
    facts.sessions = None;
    assert!(matches!(verdict(&question, &facts, "leases"), Verdict::Unknown { .. }));
}

#[test]
fn an_instance_that_is_stopped_holds_its_connection_whatever_its_lease_says() {
    let set_up = every()[0];
    let mut facts = seen(set_up);
    let old =
        Lease { id: 9, tolerates: [].into(), seen_at: NOW - 600_000, ..facts.leases[0].clone() };
    facts.leases.push(old);
    let question = question(set_up);
    assert_eq!(verdict(&question, &facts, "connections"), Verdict::Clear);
    facts.connected.insert(9);
    let said = verdict(&question, &facts, "connections");
    assert!(
        matches!(said, Verdict::Blocked { .. })
            && reasons(&said).contains("its connection is open")
    );
    facts.leases[1].left_at = Some(NOW);
    assert_eq!(verdict(&question, &facts, "connections"), Verdict::Clear);
}

#[test]
fn a_freeze_holds_until_its_end() {
    let mut question = ask(Vec::new());
    // 15 January 2027, 08:00 UTC, a Friday.
    let facts = Facts { now: NOW, ..Facts::default() };
    let window = |text: &str| vec![Freeze::parse(text).unwrap()];
    question.freeze = window("Fri 08:00 - Mon 08:00 Europe/Berlin");
    let said = verdict(&question, &facts, "freeze");
    let words = "nothing is contracted in Fri 08:00 - Mon 08:00 Europe/Berlin: contract may act from 2027-01-18 08:00 CET on";
    assert_eq!(reasons(&said), words);
    let Verdict::Blocked { retry_after, .. } = said else { panic!("{said:?}") };
    assert_eq!(retry_after, Some(Duration::from_hours(3 * 24 - 1)));
    question.freeze = window("Sat 00:00 - Mon 08:00 Europe/Berlin");
    assert_eq!(verdict(&question, &facts, "freeze"), Verdict::Clear);
}

#[test]
fn a_check_that_does_not_say_yes_or_no_is_unknown() {
    let mut question = ask(Vec::new());
    question.checks = vec!["canary".to_owned()];
    let check = |ended: Option<CheckEnd>, expected: &str| {
        let checks = ended.map(|ended| CheckResult {
            name: "canary".to_owned(),
            ended,
            said: "5 errors".to_owned(),
        });
        let slow = SlowFacts { checks: checks.into_iter().collect(), ..SlowFacts::default() };
        let facts = Facts { now: NOW, slow, ..Facts::default() };
        let said = verdict(&question, &facts, "checks");
        let word = match said {
            Verdict::Clear => "clear",
            Verdict::Blocked { .. } => "blocked",
            Verdict::Unknown { .. } => "unknown",
        };
        assert_eq!(format!("{word}: {}", reasons(&said)), expected);
    };
    check(Some(CheckEnd::Code(0)), "clear: ");
    check(Some(CheckEnd::Code(1)), "blocked: check \"canary\" says no: 5 errors");
    check(
        Some(CheckEnd::Code(127)),
        "unknown: check \"canary\" ended with exit code 127, which says nothing: 5 errors",
    );
    check(
        Some(CheckEnd::Failed("was killed".to_owned())),
        "unknown: check \"canary\" was killed: 5 errors",
    );
    check(None, "unknown: check \"canary\" was not asked");
}

#[test]
fn every_source_has_a_name_of_its_own() {
    let mut names = source_names();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), SOURCES.len());
}
