//! What a gate is asked, and what it has seen.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::GateKind;
use super::checks::CheckResult;
use super::dependents::Dependents;
use super::hard_fence::{Cut, RoleFacts};
use super::sessions::Sessions;
use super::verification::Verification;
use crate::config::freeze::Freeze;
use crate::config::{Config, ServiceEvidence};
use crate::model::lease::{Ending, Lease, Need, Reached};
use crate::model::name::MigrationId;
use crate::model::state::State;
use crate::plan::migration::Migration;

/// May this migration be contracted (or rolled back)?
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Question {
    /// For what.
    pub(crate) kind: GateKind,
    /// Which migration.
    pub(crate) migration: MigrationId,
    /// The services that use the database: the closed world.
    pub(crate) services: BTreeMap<String, ServiceFacts>,
    /// Those that are concerned; none: every one.
    pub(crate) concerned: Option<Vec<String>>,
    /// How long ago the last old instance must have been seen.
    pub(crate) soak: Duration,
    /// Whom a rollback has to fear.
    pub(crate) builds: Builds,
    /// Database users whose sessions are nobody's that could break.
    pub(crate) ignore_roles: Vec<String>,
    /// When nothing is contracted.
    pub(crate) freeze: Vec<Freeze>,
    /// The names of the checks that are asked.
    pub(crate) checks: Vec<String>,
    /// The longest lease that is granted to anybody.
    pub(crate) longest_ttl: Duration,
    /// How far the hard fence is, where a service has one.
    pub(crate) cut: Cut,
}

/// Whether builds that need the migration may be running.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Builds {
    /// They may: the world must be closed, so that none goes unseen.
    MayRun,
    /// The migration has not come to where its builds may start: only those that report count.
    NotYet,
}

impl Builds {
    /// As of a migration's state.
    pub(crate) fn of(migration: &Migration, state: State) -> Self {
        let before_expanded = matches!(state, State::Pending | State::Expanding);
        let before_migrated = matches!(state, State::Expanded | State::Migrating);
        let late = migration.deploy_after == Reached::Migrated;
        if before_expanded || (before_migrated && late) { Self::NotYet } else { Self::MayRun }
    }
}

/// What is declared of a service.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ServiceFacts {
    /// What shows that it is there.
    pub(crate) evidence: ServiceEvidence,
    /// Database users whose sessions are this service's.
    pub(crate) roles: Vec<String>,
    /// What its sessions call themselves: goes before the roles.
    pub(crate) applications: Vec<String>,
    /// Whether it comes through a pooler, which hides its clients from the server.
    pub(crate) pooled: bool,
    /// Whether each release has a role of its own, whose login can be taken.
    pub(crate) hard_fence: bool,
}

/// What was seen at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Facts {
    /// The database's clock just before: milliseconds since 1970.
    pub(crate) now: i64,
    /// Every lease, in the order in which they joined.
    pub(crate) leases: Vec<Lease>,
    /// The leases whose own connection is open: their process is there, whatever their clock says.
    pub(crate) connected: BTreeSet<i64>,
    /// Who is connected to this server; none: nobody looked.
    pub(crate) sessions: Option<Sessions>,
    /// The roles under which leases were joined, as far as they are there; only where a service has a hard fence.
    pub(crate) roles: BTreeMap<String, RoleFacts>,
    /// What takes longer to see.
    pub(crate) slow: SlowFacts,
}

/// What takes too long to be looked at behind a lock, or again and again: seen before the fence, and once after the wait.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct SlowFacts {
    /// Who is connected to replicas and poolers; none: nobody looked.
    pub(crate) elsewhere: Option<Sessions>,
    /// What still uses the old structure; none: nobody looked.
    pub(crate) dependents: Option<Dependents>,
    /// What the checks said.
    pub(crate) checks: Vec<CheckResult>,
    /// When this server was first seen in the place of another one, which may have known leases that it does not:
    /// milliseconds since 1970. None: it was not.
    pub(crate) replaced_at: Option<i64>,
    /// What is known of the rows that the migration has filled; none: nobody looked.
    pub(crate) verification: Option<Verification>,
}

impl Question {
    /// The question for a migration under a configuration: the longer soak counts.
    pub(crate) fn new(
        kind: GateKind,
        migration: &Migration,
        state: State,
        config: &Config,
    ) -> Self {
        let is_pooled = config.database.direct_url.is_some();
        let facts = |service: &crate::config::ServiceConfig| ServiceFacts {
            evidence: service.evidence,
            roles: service.roles.clone(),
            applications: service.applications.clone(),
            pooled: service.pooled.unwrap_or(is_pooled),
            hard_fence: service.hard_fence,
        };
        let services =
            config.services.iter().map(|(name, service)| (name.clone(), facts(service))).collect();
        let own_soak = migration.contract.soak.unwrap_or(Duration::ZERO);
        Self {
            kind,
            migration: migration.id.clone(),
            services,
            concerned: migration.contract.services.clone(),
            soak: own_soak.max(config.gate.soak),
            builds: Builds::of(migration, state),
            ignore_roles: config.gate.ignore_roles.clone(),
            freeze: config.gate.freeze.clone(),
            checks: config.gate.checks.iter().map(|check| check.name.clone()).collect(),
            longest_ttl: config
                .services
                .values()
                .map(|service| service.ttl)
                .max()
                .unwrap_or_default(),
            cut: Cut::Coming,
        }
    }

    /// Whether a lease is of a service that is concerned. One of a service that nobody declared always is.
    pub(crate) fn concerns(&self, lease: &Lease) -> bool {
        let declared = self.services.contains_key(&lease.service);
        !declared || self.concerns_service(&lease.service)
    }

    /// Whether a declared service is concerned.
    pub(crate) fn concerns_service(&self, name: &str) -> bool {
        self.concerned.as_ref().is_none_or(|names| names.iter().any(|concerned| concerned == name))
    }

    /// Whether an instance is in the way: before contract one that does not tolerate the migration, before a rollback
    /// one that needs it.
    pub(crate) fn is_in_the_way(&self, lease: &Lease) -> bool {
        match self.kind {
            GateKind::Contract => !lease.tolerates.contains(&self.migration),
            GateKind::Rollback => lease.needs.iter().any(|(needed, _)| *needed == self.migration),
        }
    }

    /// Whether an instance that tolerates the migration may read the old structure all the same, until it hears that the new
    /// one is filled.
    pub(super) fn may_read_old(&self, lease: &Lease) -> bool {
        let is_early =
            |(id, reached): &Need| *id == self.migration && *reached == Reached::Expanded;
        lease.needs.iter().any(is_early)
    }

    /// Whether whoever is not seen could be in the way, too.
    pub(super) fn fears_the_unseen(&self) -> bool {
        self.kind == GateKind::Contract || self.builds == Builds::MayRun
    }

    /// Why an instance is in the way, for people.
    pub(super) fn why(&self, lease: &Lease, now: i64) -> String {
        let verb = match self.kind {
            GateKind::Contract => "does not tolerate",
            GateKind::Rollback => "needs",
        };
        format!(
            "{} {verb} {}, last seen {}",
            describe(lease),
            self.migration,
            ago(now, last_seen(lease))
        )
    }
}

/// An instance, for people.
pub(super) fn describe(lease: &Lease) -> String {
    format!(
        "instance \"{}\" of service \"{}\", version {},",
        lease.instance, lease.service, lease.version
    )
}

/// Whether a lease is live.
pub(super) fn is_live(lease: &Lease, now: i64) -> bool {
    lease.left_at.is_none() && expires_at(lease) > now
}

/// When a lease ends if it is not renewed: milliseconds since 1970.
pub(super) fn expires_at(lease: &Lease) -> i64 {
    lease.seen_at.saturating_add(millis(lease.ttl))
}

/// Whether a lease has ended without saying what became of its instance.
pub(super) fn is_silent(lease: &Lease, now: i64) -> bool {
    lease.left_at.is_none() && expires_at(lease) <= now && lease.ending == Ending::Reports
}

/// The last sign of an instance: milliseconds since 1970.
pub(super) fn last_seen(lease: &Lease) -> i64 {
    lease.left_at.map_or(lease.seen_at, |left| left.max(lease.seen_at))
}

/// Whole milliseconds.
pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// How long ago, in the coarsest unit that says something.
pub(super) fn ago(now: i64, then: i64) -> String {
    let seconds = now.saturating_sub(then).max(0) / 1000;
    match seconds {
        0..120 => format!("{seconds} s ago"),
        120..7200 => format!("{} min ago", seconds / 60),
        7200..172_800 => format!("{} h ago", seconds / 3600),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distance_in_time_has_one_unit() {
        for (seconds, text) in [
            (-5, "0 s ago"),
            (119, "119 s ago"),
            (120, "2 min ago"),
            (7200, "2 h ago"),
            (172_800, "2 days ago"),
        ] {
            assert_eq!(ago(seconds * 1000, 0), text);
        }
    }
}
