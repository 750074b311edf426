//! The hard fence: a service whose releases have a role each loses, before a contract, the login of those that are in the
//! way, and their sessions. It is the only cover for a process that is stopped for longer than its lease, and goes on.
//!
//! Sees: the roles under which leases were joined, and whether zdm may take their login. Blind: a role that no lease was
//! ever joined under; a standby, whose sessions go on reading. What it takes: the right to change the roles and to end
//! their sessions. UNKNOWN: a role that somebody else needs, or that zdm may not change.

use std::collections::{BTreeMap, BTreeSet};

use super::question::{describe, is_live};
use super::{Facts, Findings, Judged, Question};
use crate::model::lease::Lease;

/// What the server says of a role (MySQL and MariaDB: of all accounts of that name).
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct RoleFacts {
    /// Whether it may log in.
    pub(crate) has_login: bool,
    /// Why zdm cannot take the login, with what would help.
    pub(crate) obstacle: Option<String>,
}

/// Judges whether the login of every old release can be taken.
pub(super) fn judge(question: &Question, facts: &Facts) -> Judged {
    if !question.asks_roles() {
        return Judged::NotAsked(
            "no service says hard_fence, by which each release has a role of its own",
        );
    }
    let (mut findings, mut seen) = (Findings::default(), Vec::new());
    let others = used_by_others(question, facts);
    for (role, lease) in in_the_way(question, facts) {
        let Some(found) = facts.roles.get(role) else { continue };
        if let Some(other) = others.get(role) {
            findings.unknown.push(format!(
                "role \"{role}\" of {} is also that of {}: give each release a role of its own",
                describe(lease),
                describe(other).trim_end_matches(',')
            ));
        } else if let Some(obstacle) = &found.obstacle {
            findings.unknown.push(obstacle.clone());
        } else if found.has_login {
            seen.push(format!("role \"{role}\", version {}, loses its login", lease.version));
        } else {
            seen.push(format!("role \"{role}\", version {}, cannot log in", lease.version));
        }
    }
    findings.unknown.dedup();
    let not_seen = vec!["sessions on replicas, which go on reading".to_owned()];
    Judged::Says { verdict: findings.verdict(), seen, not_seen }
}

/// The roles that lose login and sessions once the gate is clear: those of builds that are in the way, and of nobody else.
pub(crate) fn roles_to_cut<'f>(question: &Question, facts: &'f Facts) -> BTreeSet<&'f str> {
    if !question.asks_roles() {
        return BTreeSet::new();
    }
    let others = used_by_others(question, facts);
    let may_be_cut = |role: &&str| {
        let found = facts.roles.get(*role);
        found.is_some_and(|found| found.obstacle.is_none()) && !others.contains_key(role)
    };
    in_the_way(question, facts).into_keys().filter(may_be_cut).collect()
}

impl Question {
    /// Whether a service that is concerned says that its releases have a role each.
    pub(crate) fn asks_roles(&self) -> bool {
        self.services.iter().any(|(name, s)| s.hard_fence && self.concerns_service(name))
    }

    /// Whether a lease is one whose role is to be cut.
    fn is_cut(&self, lease: &Lease) -> bool {
        self.services.get(&lease.service).is_some_and(|service| service.hard_fence)
            && self.concerns(lease)
            && self.is_in_the_way(lease)
    }
}

/// The roles of builds that are in the way, each with the newest lease of one.
fn in_the_way<'f>(question: &Question, facts: &'f Facts) -> BTreeMap<&'f str, &'f Lease> {
    let old = facts.leases.iter().filter(|lease| question.is_cut(lease));
    old.map(|lease| (lease.role.as_str(), lease)).collect()
}

/// The roles that others need: who is there and not in the way, and who was started last and will be started again.
fn used_by_others<'f>(question: &Question, facts: &'f Facts) -> BTreeMap<&'f str, &'f Lease> {
    let last: BTreeMap<&str, i64> =
        facts.leases.iter().map(|lease| (lease.service.as_str(), lease.id)).collect();
    let counts = |lease: &&Lease| {
        let is_last = last.get(lease.service.as_str()) == Some(&lease.id);
        !question.is_cut(lease) && (is_last || is_live(lease, facts.now))
    };
    facts.leases.iter().filter(counts).map(|lease| (lease.role.as_str(), lease)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{At, NEW, OLD, contract, facts, lease, rollback, shown};
    use super::*;

    fn role(lease: Lease, role: &str) -> Lease {
        Lease { role: role.to_owned(), ..lease }
    }

    fn hard(question: Question) -> Question {
        let mut question = question;
        if let Some(api) = question.services.get_mut("api") {
            api.hard_fence = true;
        }
        question
    }

    /// What the source says, and who is cut.
    fn judged(question: &Question, leases: Vec<Lease>, obstacle: Option<&str>) -> String {
        let found = RoleFacts { has_login: true, obstacle: obstacle.map(str::to_owned) };
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
        let new = role(lease(2, "api", NEW, At::Live), "v42");
        let all = vec![older, old, new];
        assert_eq!(judged(&contract(), all.clone(), None), "not asked");
        assert_eq!(judged(&hard(contract()), all, None), "clear; cut: v40 v41");

        // Before a rollback it is the new releases that are in the way.
        let needs = vec![(rollback().migration, crate::model::lease::Reached::Expanded)];
        let new = Lease { needs, ..role(lease(2, "api", NEW, At::Expired), "v42") };
        let old = role(lease(3, "api", OLD, At::Live), "v41");
        assert_eq!(judged(&hard(rollback()), vec![new, old], None), "clear; cut: v42");
    }

    #[test]
    fn a_role_that_somebody_else_needs_is_unknown_and_not_cut() {
        let old = role(lease(1, "api", OLD, At::Expired), "app");
        let shared = "unknown: role \"app\" of instance \"api-1\" of service \"api\", version 41, is also that of \
                      instance \"";
        // Whoever lives, of any service, and whoever was started last.
        for (service, tolerates, at) in
            [("api", NEW, At::Live), ("worker", OLD, At::Live), ("worker", OLD, At::Left)]
        {
            let other = role(lease(2, service, tolerates, at), "app");
            let said = judged(&hard(contract()), vec![old.clone(), other], None);
            assert!(said.starts_with(shared) && said.ends_with("; cut: "), "{said}");
        }
        let gone = role(lease(2, "api", NEW, At::Left), "app");
        let last = role(lease(3, "api", NEW, At::Live), "v42");
        let said = judged(&hard(contract()), vec![old.clone(), gone, last], None);
        assert_eq!(said, "clear; cut: app");

        let new = role(lease(2, "api", NEW, At::Live), "v42");
        let said = judged(&hard(contract()), vec![old, new], Some("GRANT it"));
        assert_eq!(said, "unknown: GRANT it; cut: ");
    }

    #[test]
    fn what_is_about_to_be_ended_is_not_in_the_way() {
        let old = role(lease(1, "api", OLD, At::Expired), "v41");
        let silent = Lease { ending: crate::model::lease::Ending::Reports, ..old };
        let new = role(lease(2, "api", NEW, At::Live), "v42");
        for (question, expected) in [(contract(), "unknown"), (hard(contract()), "clear")] {
            let roles = ["v41", "v42"]
                .map(|role| (role.to_owned(), RoleFacts { has_login: false, obstacle: None }));
            let facts = Facts {
                roles: roles.into(),
                connected: [1].into(),
                ..facts(vec![silent.clone(), new.clone()])
            };
            let said = shown(&super::super::decide(&question, &facts, &[]).verdict());
            assert!(said.starts_with(expected), "{said}");
        }
    }
}
