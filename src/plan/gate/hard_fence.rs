//! The hard fence: a service whose releases have a role each loses, before a contract, the login of those that are in the
//! way, and their sessions. It is the only cover for a process that is stopped for longer than its lease, and goes on.
//!
//! Sees: the roles under which leases were joined, as far as zdm.toml names them as the service's, and whether zdm may take
//! their login. Blind: a role that no lease was joined under; a standby, whose sessions go on reading. What it takes: the
//! right to change the roles and to end their sessions. UNKNOWN: a role that somebody else needs, that is used in another
//! database, too, that is gone, or that zdm may not change.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use super::question::{describe, is_live, is_silent, millis};
use super::{Facts, Findings, Judged, Question};
use crate::model::lease::Lease;

/// For how long whoever did not say that it left may come back, whatever its lease says.
const DOUBT: Duration = Duration::from_hours(24);

/// What the server says of a role (MySQL and MariaDB: of all accounts of that name).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct RoleFacts {
    /// The accounts that may log in, by their hosts; on PostgreSQL one without a host, or none.
    pub(crate) open: Vec<String>,
    /// How many sessions it has, here and in other databases of the server.
    pub(crate) sessions: u64,
    /// How many of them are in another database.
    pub(crate) elsewhere: u64,
    /// Why zdm cannot take the login.
    pub(crate) obstacle: Option<Obstacle>,
}

/// Why zdm cannot take login and sessions from a role.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Obstacle {
    /// In words.
    pub(crate) why: String,
    /// The statement that would help, when one would.
    pub(crate) statement: Option<String>,
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)?;
        self.statement.iter().try_for_each(|statement| write!(f, ": {statement}"))
    }
}

/// How far a gate's hard fence is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cut {
    /// Its time comes when all else is clear: what it will end is not in the way.
    Coming,
    /// It was made: what it should have ended is in the way.
    Made,
    /// Somebody has overridden it: it ends nothing, and excuses nothing.
    Overridden,
}

/// Judges whether the login of every old release can be taken; once it was, whether it is.
pub(super) fn judge(question: &Question, facts: &Facts) -> Judged {
    if !question.asks_roles() {
        return Judged::NotAsked(
            "no service says hard_fence, by which each release has a role of its own",
        );
    }
    let (mut findings, mut seen) = (Findings::default(), Vec::new());
    let mut not_seen = vec!["sessions on replicas, which go on reading".to_owned()];
    let needed = needed(question, facts);
    for (role, lease) in in_the_way(question, facts) {
        let name = format!("role \"{role}\" of {}", describe(lease));
        let Some(found) = facts.roles.get(role) else {
            if may_return(lease, facts) {
                findings.unknown.push(format!("{name} is not there, but its sessions may be"));
            }
            continue;
        };
        if let Some(other) = needed.get(role) {
            findings
                .unknown
                .push(format!("{name} is also that of {other}: give each release its own"));
        } else if found.elsewhere > 0 {
            findings.unknown.push(format!(
                "{name} has {} sessions in another database: give each database's releases their own",
                found.elsewhere
            ));
        } else if let Some(obstacle) = &found.obstacle {
            findings.unknown.push(obstacle.to_string());
        } else if question.cut == Cut::Made && !is_out(found) {
            let sessions = found.sessions;
            findings
                .blocked
                .push(format!("{name} may log in again, or has one of {sessions} sessions"));
        } else {
            let what = if found.open.is_empty() { "cannot log in" } else { "loses its login" };
            seen.push(format!("role \"{role}\", version {}, {what}", lease.version));
        }
    }
    for lease in facts.leases.iter().filter(|lease| question.is_hard(lease)) {
        if !question.names(lease) && may_return(lease, facts) {
            not_seen.push(format!(
                "{} joined under role \"{}\", which its service does not name",
                describe(lease),
                lease.role
            ));
        }
    }
    findings.unknown.dedup();
    Judged::Says { verdict: findings.verdict(), seen, not_seen }
}

/// The roles that lose login and sessions once the gate is clear: those of builds that are in the way, and of nobody else.
pub(crate) fn roles_to_cut(question: &Question, facts: &Facts) -> BTreeSet<String> {
    if !question.asks_roles() || question.cut == Cut::Overridden {
        return BTreeSet::new();
    }
    let needed = needed(question, facts);
    let may_be_cut = |role: &&str| {
        let found = facts.roles.get(*role);
        found.is_some_and(|found| found.obstacle.is_none() && found.elsewhere == 0)
            && !needed.contains_key(role)
    };
    in_the_way(question, facts).into_keys().filter(may_be_cut).map(str::to_owned).collect()
}

/// The roles whose sessions are about to end, and are not in the way for that reason.
pub(super) fn about_to_end(question: &Question, facts: &Facts) -> BTreeSet<String> {
    if question.cut == Cut::Coming { roles_to_cut(question, facts) } else { BTreeSet::new() }
}

/// The roles of which nobody is there, or will be when the old structure goes.
pub(super) fn excused(question: &Question, facts: &Facts) -> BTreeSet<String> {
    let mut roles = roles_to_cut(question, facts);
    if question.cut == Cut::Made {
        roles.retain(|role| facts.roles.get(role).is_some_and(is_out));
    }
    roles
}

fn is_out(role: &RoleFacts) -> bool {
    role.open.is_empty() && role.sessions == 0
}

impl Question {
    /// Whether a service that is concerned says that its releases have a role each.
    pub(crate) fn asks_roles(&self) -> bool {
        self.services.iter().any(|(name, s)| s.hard_fence && self.concerns_service(name))
    }

    /// Whether a lease is one of a build that is in the way, in a service with a hard fence.
    fn is_hard(&self, lease: &Lease) -> bool {
        self.services.get(&lease.service).is_some_and(|service| service.hard_fence)
            && self.concerns(lease)
            && self.is_in_the_way(lease)
    }

    /// Whether the role of a lease is named as one of its service.
    fn names(&self, lease: &Lease) -> bool {
        let service = self.services.get(&lease.service);
        service.is_some_and(|service| service.roles.contains(&lease.role))
    }

    fn is_cut(&self, lease: &Lease) -> bool {
        self.is_hard(lease) && self.names(lease)
    }
}

/// The roles of builds that are in the way, each with the newest lease of one.
fn in_the_way<'f>(question: &Question, facts: &'f Facts) -> BTreeMap<&'f str, &'f Lease> {
    let old = facts.leases.iter().filter(|lease| question.is_cut(lease));
    old.map(|lease| (lease.role.as_str(), lease)).collect()
}

/// The roles that others need, with who that is: other services, who is there or may come back and is not in the way, and
/// who was started last and will be started again.
fn needed<'f>(question: &'f Question, facts: &'f Facts) -> BTreeMap<&'f str, String> {
    let mut needed = BTreeMap::new();
    for role in &question.ignore_roles {
        needed.insert(role.as_str(), "ignore_roles".to_owned());
    }
    let all = question.services.iter();
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, role) in all.flat_map(|(name, s)| s.roles.iter().map(move |role| (name, role))) {
        if let Some(other) = owners.insert(role, name) {
            needed.insert(role.as_str(), format!("services \"{other}\" and \"{name}\""));
        }
    }
    let last: BTreeMap<&str, i64> =
        facts.leases.iter().map(|lease| (lease.service.as_str(), lease.id)).collect();
    for lease in facts.leases.iter().filter(|lease| !question.is_cut(lease)) {
        let is_last = last.get(lease.service.as_str()) == Some(&lease.id);
        if is_last || may_return(lease, facts) {
            needed.insert(&lease.role, describe(lease).trim_end_matches(',').to_owned());
        }
    }
    needed
}

/// Whether an instance is there, or may be, or may come back.
fn may_return(lease: &Lease, facts: &Facts) -> bool {
    let silence = facts.now.saturating_sub(lease.seen_at);
    lease.left_at.is_none()
        && (is_live(lease, facts.now)
            || is_silent(lease, facts.now)
            || facts.connected.contains(&lease.id)
            || silence <= millis(DOUBT))
}

#[cfg(test)]
mod tests {
    use super::super::decide;
    use super::super::tests::{At, NEW, OLD, contract, facts, lease, rollback, shown};
    use super::*;
    use crate::model::lease::{Ending, Reached};

    fn role(lease: Lease, role: &str) -> Lease {
        Lease { role: role.to_owned(), ..lease }
    }

    fn hard(question: Question) -> Question {
        let mut question = question;
        if let Some(api) = question.services.get_mut("api") {
            api.hard_fence = true;
            api.roles = ["v40", "v41", "v42", "app"].map(str::to_owned).to_vec();
        }
        question
    }

    fn open() -> RoleFacts {
        RoleFacts { open: vec![String::new()], ..RoleFacts::default() }
    }

    /// What the source says, and who is cut.
    fn judged(question: &Question, leases: Vec<Lease>, found: &RoleFacts) -> String {
        let roles = leases.iter().map(|lease| (lease.role.clone(), found.clone())).collect();
        let facts = Facts { roles, ..facts(leases) };
        let cut = roles_to_cut(question, &facts).into_iter().collect::<Vec<_>>().join(" ");
        match judge(question, &facts) {
            Judged::NotAsked(_) => "not asked".to_owned() + &cut,
            Judged::Says { verdict, .. } => format!("{}; cut: {cut}", shown(&verdict)),
        }
    }

    #[test]
    fn the_roles_of_old_releases_are_cut_and_no_others() {
        let old = role(lease(1, "api", OLD, At::Expired), "v41");
        let older = role(lease(0, "api", OLD, At::Left), "v40");
        let stranger = role(lease(0, "api", OLD, At::Expired), "alice");
        let new = role(lease(2, "api", NEW, At::Live), "v42");
        let all = vec![older, stranger, old, new];
        assert_eq!(judged(&contract(), all.clone(), &open()), "not asked");
        assert_eq!(judged(&hard(contract()), all.clone(), &open()), "clear; cut: v40 v41");
        let overridden = Question { cut: Cut::Overridden, ..hard(contract()) };
        assert_eq!(judged(&overridden, all, &open()), "clear; cut: ");

        // Before a rollback it is the new releases that are in the way.
        let needs = vec![(rollback().migration, Reached::Expanded)];
        let new = Lease { needs, ..role(lease(2, "api", NEW, At::Expired), "v42") };
        let old = role(lease(3, "api", OLD, At::Live), "v41");
        assert_eq!(judged(&hard(rollback()), vec![new, old], &open()), "clear; cut: v42");
    }

    #[test]
    fn a_role_that_somebody_else_needs_is_unknown_and_not_cut() {
        let old = role(lease(1, "api", OLD, At::Expired), "app");
        let last = role(lease(3, "api", NEW, At::Live), "v42");
        let check = |question: &Question, others: Vec<Lease>, by: &str| {
            let said = judged(question, [vec![old.clone()], others].concat(), &open());
            let start = "unknown: role \"app\" of instance \"api-1\" of service \"api\", version 41, is also that of ";
            assert!(said.starts_with(&format!("{start}{by}")), "{said}");
            assert!(said.ends_with("; cut: "), "{said}");
        };
        // Whoever lives or may come back, of any service, and whoever was started last.
        for (service, tolerates, at) in [
            ("api", NEW, At::Live),
            ("api", NEW, At::Expired),
            ("worker", OLD, At::Live),
            ("worker", OLD, At::Left),
        ] {
            let other = role(lease(2, service, tolerates, at), "app");
            check(&hard(contract()), vec![other, last.clone()], "instance \"");
        }
        let mut shared = hard(contract());
        shared.services.get_mut("worker").unwrap().roles = vec!["app".to_owned()];
        check(&shared, vec![last.clone()], "services \"api\" and \"worker\"");
        let ignored = Question { ignore_roles: vec!["app".to_owned()], ..hard(contract()) };
        check(&ignored, vec![last.clone()], "ignore_roles");

        let gone = role(lease(2, "api", NEW, At::Left), "app");
        let said = judged(&hard(contract()), vec![old.clone(), gone, last], &open());
        assert_eq!(said, "clear; cut: app");
    }

    #[test]
    fn what_cannot_be_cut_is_unknown() {
        let old = role(lease(1, "api", OLD, At::Expired), "v41");
        let new = role(lease(2, "api", NEW, At::Live), "v42");
        let all = vec![old, new.clone()];
        let obstacle =
            Obstacle { why: "not allowed".to_owned(), statement: Some("GRANT it".to_owned()) };
        let found = RoleFacts { obstacle: Some(obstacle), ..open() };
        let said = judged(&hard(contract()), all.clone(), &found);
        assert_eq!(said, "unknown: not allowed: GRANT it; cut: ");
        let said = judged(&hard(contract()), all.clone(), &RoleFacts { elsewhere: 2, ..open() });
        assert!(said.contains("has 2 sessions in another database"), "{said}");
        // Dropped, or renamed, with whoever is connected.
        let verdict = |leases| shown(&decide(&hard(contract()), &facts(leases), &[]).verdict());
        let said = verdict(all);
        assert!(said.contains("is not there, but its sessions may be"), "{said}");
        assert_eq!(verdict(vec![role(lease(1, "api", OLD, At::Left), "v41"), new]), "clear");
    }

    #[test]
    fn what_is_about_to_end_is_not_in_the_way_and_what_should_have_ended_is() {
        let old = role(lease(1, "api", OLD, At::Expired), "v41");
        let silent = Lease { ending: Ending::Reports, ..old };
        let new = role(lease(2, "api", NEW, At::Live), "v42");
        let check = |question: &Question, found: &RoleFacts, connected: &[i64], expected: &str| {
            let facts = Facts {
                roles: ["v41", "v42"].map(|role| (role.to_owned(), found.clone())).into(),
                connected: connected.iter().copied().collect(),
                ..facts(vec![silent.clone(), new.clone()])
            };
            let said = shown(&decide(question, &facts, &[]).verdict());
            assert!(said.starts_with(expected), "{said}");
        };
        let out = RoleFacts::default();
        let busy = RoleFacts { sessions: 1, ..RoleFacts::default() };
        let coming = hard(contract());
        let made = Question { cut: Cut::Made, ..hard(contract()) };
        check(&contract(), &open(), &[1], "unknown");
        check(&coming, &open(), &[1], "clear");
        check(&made, &out, &[], "clear");
        check(&made, &out, &[1], "blocked");
        check(&made, &open(), &[], "unknown");
        check(&made, &busy, &[], "unknown");
        check(&Question { cut: Cut::Overridden, ..hard(contract()) }, &out, &[], "unknown");
    }
}
