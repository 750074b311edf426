//! Sessions as evidence: who is connected, by the database user and by what it calls itself.
//!
//! Sees: every session of this database on the server that is asked, on the replicas and behind the poolers that zdm.toml
//! names. Blind: who connects and goes between two looks (200 ms while a gate waits); instances of a service among its
//! other sessions; poolers that nobody named. What it takes: PostgreSQL `pg_read_all_stats`, MySQL and MariaDB `PROCESS`.
//! Without that, and where clients hide behind a pooler or on a replica that nobody can ask, it is UNKNOWN.

use super::question::{ServiceFacts, is_live};
use super::{Facts, Findings, Judged, Question, hard_fence};
use crate::config::ServiceEvidence;

/// Who was seen at one place, or several.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Sessions {
    /// Sessions of this database, without those of zdm.
    pub(crate) found: Vec<Session>,
    /// Why others may be there who were not seen, with what would show them.
    pub(crate) hidden: Vec<String>,
    /// Why what sessions call themselves was not seen, with what would show it.
    pub(crate) nameless: Option<String>,
    /// How many replicas the server feeds.
    pub(crate) replicas: usize,
    /// Connections of the server that are a pooler's: who is behind them is in `found`.
    pub(crate) pooler_backends: Vec<i64>,
    /// Whether a pooler told of its clients.
    pub(crate) pooler_asked: bool,
    /// How many replicas were asked.
    pub(crate) replicas_asked: usize,
}

/// A session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Session {
    /// The server's number for it, where it has one.
    pub(crate) backend: Option<i64>,
    /// The database user.
    pub(crate) role: String,
    /// What it calls itself.
    pub(crate) application: Option<String>,
    /// Where it comes from.
    pub(crate) host: Option<String>,
    /// Where it was seen, when that is not the primary: `on replica ...`, `behind the pooler`.
    pub(crate) place: Option<String>,
}

/// Whose a session is.
enum Owner<'q> {
    /// This service's.
    One(&'q str),
    /// One of these services': they share its role.
    Shared(Vec<&'q str>),
    /// Somebody's who uses no table of any service.
    Ignored,
    /// Nobody knows.
    Nobody,
}

/// Judges who is connected.
pub(super) fn judge(question: &Question, facts: &Facts) -> Judged {
    if !question.asks_sessions() {
        return Judged::NotAsked(
            "no service names its roles, so that a session cannot be told to be anybody's",
        );
    }
    if !question.fears_the_unseen() {
        return Judged::NotAsked("no build that needs it may be running yet");
    }
    let mut findings = Findings::default();
    let mut not_seen = Vec::new();
    // Their sessions end before the old structure goes.
    let cut = hard_fence::about_to_end(question, facts);
    let all: Vec<&Session> = everyone(facts).collect();
    for session in all.iter().filter(|session| !cut.contains(&session.role)) {
        one_session(question, facts, session, &mut findings);
    }
    for (name, service) in &question.services {
        let alone = service.evidence == ServiceEvidence::Sessions;
        if !question.concerns_service(name) {
            continue;
        }
        if alone && service.roles.is_empty() && service.applications.is_empty() {
            findings.unknown.push(format!(
                "service \"{name}\" shows itself by its sessions alone, but zdm.toml says neither its roles nor its applications"
            ));
            continue;
        }
        for blind in blind_spots(facts, name, service) {
            if alone {
                findings.unknown.push(blind);
            } else if !not_seen.contains(&blind) {
                not_seen.push(blind);
            }
        }
    }
    findings.unknown.dedup();
    let with_leases: Vec<_> =
        question.services.iter().filter(|(_, s)| s.evidence == ServiceEvidence::Leases).collect();
    if let [(name, _), ..] = with_leases.as_slice() {
        let more = if with_leases.len() > 1 { " and others" } else { "" };
        not_seen.push(format!(
            "processes without a lease, while instances of service \"{name}\"{more} have one and the same role"
        ));
    }
    let seen = seen(question, &all);
    Judged::Says { verdict: findings.verdict(), seen, not_seen }
}

impl Question {
    /// Whether sessions can be told to be anybody's, or are a service's only sign.
    pub(crate) fn asks_sessions(&self) -> bool {
        let names = |service: &ServiceFacts| {
            !service.roles.is_empty()
                || !service.applications.is_empty()
                || service.evidence == ServiceEvidence::Sessions
        };
        self.services.values().any(names)
    }

    fn owner(&self, session: &Session) -> Owner<'_> {
        let called = session.application.as_deref().unwrap_or_default();
        let by_name: Vec<&str> = self
            .services
            .iter()
            .filter(|(_, service)| service.applications.iter().any(|name| name == called))
            .map(|(name, _)| name.as_str())
            .collect();
        let by_role: Vec<&str> = self
            .services
            .iter()
            .filter(|(_, service)| service.roles.contains(&session.role))
            .map(|(name, _)| name.as_str())
            .collect();
        let found = if by_name.is_empty() { by_role } else { by_name };
        match found.as_slice() {
            [one] => Owner::One(one),
            [] if self.ignore_roles.contains(&session.role) => Owner::Ignored,
            [] => Owner::Nobody,
            _ => Owner::Shared(found),
        }
    }
}

/// Whether nobody of a service can be there, as far as its sessions show.
pub(super) fn show_nobody(question: &Question, facts: &Facts, name: &str) -> bool {
    let Some(service) = question.services.get(name) else { return false };
    let is_named = !service.roles.is_empty();
    let may_be = |session: &Session| match question.owner(session) {
        Owner::One(owner) => owner == name,
        Owner::Shared(owners) => owners.contains(&name),
        Owner::Ignored | Owner::Nobody => false,
    };
    is_named
        && facts.sessions.is_some()
        && blind_spots(facts, name, service).is_empty()
        && !everyone(facts).any(may_be)
}

/// Everybody who was seen anywhere; a pooler's own connections do not count when it told who is behind them.
fn everyone(facts: &Facts) -> impl Iterator<Item = &Session> {
    let elsewhere = facts.slow.elsewhere.as_ref();
    let here = facts.sessions.iter().flat_map(|sessions| &sessions.found);
    let is_poolers = move |session: &&Session| {
        let backends = elsewhere.map(|elsewhere| &elsewhere.pooler_backends);
        session.backend.is_some_and(|backend| backends.is_some_and(|all| all.contains(&backend)))
    };
    here.filter(move |session| !is_poolers(session))
        .chain(elsewhere.into_iter().flat_map(|sessions| &sessions.found))
}

/// Where somebody of a service could be without being seen.
fn blind_spots(facts: &Facts, name: &str, service: &ServiceFacts) -> Vec<String> {
    let Some(here) = &facts.sessions else {
        return vec!["the sessions of the server were not looked at".to_owned()];
    };
    let mut blind = here.hidden.clone();
    if !service.applications.is_empty() {
        blind.extend(here.nameless.clone());
    }
    let elsewhere = facts.slow.elsewhere.as_ref();
    blind.extend(elsewhere.into_iter().flat_map(|elsewhere| elsewhere.hidden.clone()));
    if service.pooled && !elsewhere.is_some_and(|elsewhere| elsewhere.pooler_asked) {
        blind.push(format!(
            "clients of service \"{name}\" behind a pooler are not seen by the server: name pgbouncer's console as \
             pooler_admin_url in [database], or say pooled = false in [services.{name}] if it connects directly"
        ));
    }
    let asked = elsewhere.map_or(0, |elsewhere| elsewhere.replicas_asked);
    if here.replicas > asked {
        blind.push(format!(
            "{} replicas are connected, and {asked} could be asked: name them all as replica_urls in [database]",
            here.replicas
        ));
    }
    blind
}

/// One session that may be in the way.
fn one_session(question: &Question, facts: &Facts, session: &Session, findings: &mut Findings) {
    match question.owner(session) {
        Owner::Ignored => {}
        Owner::Nobody => findings.unknown.push(format!(
            "{} belongs to no service: name its role in [services], or as ignore_roles in [gate] if it uses no table of any",
            describe(session)
        )),
        Owner::Shared(names) => {
            let alone = |name: &&&str| {
                let service = question.services.get(**name);
                service.is_some_and(|service| service.evidence == ServiceEvidence::Sessions)
                    && question.concerns_service(name)
            };
            if let Some(name) = names.iter().find(alone) {
                findings.unknown.push(format!(
                    "{} may be of service \"{name}\", which shares its role with others: give it a role of its own, or \
                     name its applications",
                    describe(session)
                ));
            }
        }
        Owner::One(name) => {
            let Some(service) = question.services.get(name) else { return };
            if !question.concerns_service(name) {
                return;
            }
            if service.evidence == ServiceEvidence::Sessions {
                findings.blocked.push(format!("{} is of service \"{name}\"", describe(session)));
            } else if !facts.leases.iter().any(|one| one.service == *name && is_live(one, facts.now)) {
                findings.blocked.push(format!(
                    "{} is of service \"{name}\", of which no instance has a lease",
                    describe(session)
                ));
            }
        }
    }
}

fn describe(session: &Session) -> String {
    let mut words = match session.backend {
        Some(backend) => format!("session {backend} of role \"{}\"", session.role),
        None => format!("a session of role \"{}\"", session.role),
    };
    for (title, value) in [("application", &session.application), ("host", &session.host)] {
        if let Some(value) = value.as_deref().filter(|value| !value.is_empty()) {
            words = format!("{words}, {title} {value},");
        }
    }
    if let Some(place) = &session.place {
        words = format!("{words} {place}");
    }
    words
}

/// How many there are, a line a service.
fn seen(question: &Question, all: &[&Session]) -> Vec<String> {
    let mut lines: Vec<_> = question
        .services
        .keys()
        .map(|name| {
            let own = |session: &&&Session| matches!(question.owner(session), Owner::One(one) if one == name);
            format!("service \"{name}\": {} sessions", all.iter().filter(own).count())
        })
        .collect();
    let others =
        all.iter().filter(|session| matches!(question.owner(session), Owner::Ignored)).count();
    if others > 0 {
        lines.push(format!("{others} sessions of ignored roles"));
    }
    lines
}
