//! May a build start now? What `join_v1` would say of its manifest, without joining: for whoever is about to deploy it, or
//! to bring it back.

use super::Verdict;
use crate::model::fence::{Fence, FenceKind, FenceStatus};
use crate::model::lease::Reached;
use crate::model::manifest::Manifest;
use crate::model::name::MigrationId;
use crate::model::state::State;

/// Whether a build may start, as fences and states are. `is_declared`: zdm.toml knows its service; a fence concerns
/// whoever nobody declared.
pub(crate) fn may_start(
    manifest: &Manifest,
    is_declared: bool,
    fences: &[Fence],
    state: impl Fn(&MigrationId) -> State,
) -> Verdict {
    let mut reasons = Vec::new();
    let service = &manifest.service;
    for fence in fences {
        let named = fence.services.as_ref().is_none_or(|all| all.contains(service));
        if (named || !is_declared) && turns_away(fence, manifest) {
            reasons.push(words(fence, service));
        }
    }
    for (id, reached) in &manifest.needs {
        let found = state(id);
        if !is_there(*reached, found) {
            let wanted = reached.as_str();
            reasons.push(format!(
                "this build of service \"{service}\" needs {id} {wanted}, which is {found}"
            ));
        }
    }
    if reasons.is_empty() {
        Verdict::Clear
    } else {
        Verdict::Blocked { reasons, retry_after: None }
    }
}

fn turns_away(fence: &Fence, manifest: &Manifest) -> bool {
    match fence.kind {
        FenceKind::Tolerate => !manifest.tolerates.contains(&fence.migration),
        FenceKind::Withdraw => manifest.needs.iter().any(|(id, _)| *id == fence.migration),
    }
}

fn words(fence: &Fence, service: &str) -> String {
    let id = &fence.migration;
    match (fence.kind, fence.status) {
        (FenceKind::Tolerate, FenceStatus::Final) => format!(
            "{id} has been contracted, and this build of service \"{service}\" does not tolerate it: deploy a newer one, \
             or take the contract back with zdm rollback {id}"
        ),
        (FenceKind::Tolerate, FenceStatus::Provisional) => format!(
            "a contract of {id} is being decided, and this build of service \"{service}\" does not tolerate it"
        ),
        (FenceKind::Withdraw, FenceStatus::Final) => format!(
            "{id} is being rolled back, and this build of service \"{service}\" needs it: deploy an older one"
        ),
        (FenceKind::Withdraw, FenceStatus::Provisional) => format!(
            "a rollback of {id} is being decided, and this build of service \"{service}\" needs it"
        ),
    }
}

fn is_there(reached: Reached, state: State) -> bool {
    match state {
        State::Migrated
        | State::Contracting
        | State::Hidden
        | State::Purging
        | State::Purged
        | State::Revealing => true,
        State::Expanded | State::Migrating => reached == Reached::Expanded,
        State::Pending | State::Expanding | State::RollingBack => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn id(name: &str) -> MigrationId {
        MigrationId::parse(name).unwrap()
    }

    fn fence(kind: FenceKind, services: Option<&str>) -> Fence {
        Fence {
            migration: id("0002_x"),
            kind,
            services: services.map(|name| vec![name.to_owned()]),
            status: FenceStatus::Final,
            epoch: 1,
            run_token: String::new(),
            since: 0,
            knocked_by: None,
        }
    }

    fn check(text: &str, is_declared: bool, fence: Option<Fence>, state: State, expected: &str) {
        let manifest = Manifest::parse(&format!("zdm-manifest 1\nservice api\n{text}")).unwrap();
        let fences: Vec<_> = fence.into_iter().collect();
        let said = match may_start(&manifest, is_declared, &fences, |_| state) {
            Verdict::Blocked { reasons, .. } => reasons.join(" | "),
            Verdict::Clear => "clear".to_owned(),
            Verdict::Unknown { .. } => "unknown".to_owned(),
        };
        assert!(said.starts_with(expected), "{said}");
    }

    /// What the functions of the database say of states stands in their own text.
    #[test]
    fn the_functions_in_the_database_know_the_same_states() {
        let texts = [
            include_str!("../../database/postgres/schema/V11__reached.sql"),
            include_str!("../../database/mysql/schema/V10__join.sql"),
            include_str!("../../database/mysql/schema/V14__reached.sql"),
        ];
        let is_migrated = |state: &State| is_there(Reached::Migrated, *state);
        let is_expanded =
            |state: &State| is_there(Reached::Expanded, *state) && !is_migrated(state);
        let names = |is_so: &dyn Fn(&State) -> bool| -> BTreeSet<String> {
            State::ALL.iter().filter(|state| is_so(state)).map(ToString::to_string).collect()
        };
        let expected = [names(&is_migrated), names(&is_expanded)];
        for text in texts {
            let lists = text.split("state IN (").skip(1).map(|rest| {
                let list = rest.split(')').next().unwrap();
                list.split(", ").map(|name| name.trim_matches('\'').to_owned()).collect()
            });
            assert_eq!(lists.collect::<Vec<BTreeSet<String>>>(), expected, "{text}");
        }
    }

    #[test]
    fn a_build_starts_when_no_fence_turns_it_away_and_what_it_needs_is_there() {
        let tolerate = |services| Some(fence(FenceKind::Tolerate, services));
        check("", true, None, State::Pending, "clear");
        check("", true, tolerate(None), State::Hidden, "0002_x has been contracted");
        check("", true, tolerate(Some("worker")), State::Hidden, "clear");
        check("", false, tolerate(Some("worker")), State::Hidden, "0002_x has been contracted");
        check("tolerates 0002_x", true, tolerate(None), State::Hidden, "clear");
        let withdraw = Some(fence(FenceKind::Withdraw, None));
        check(
            "needs 0002_x migrated",
            true,
            withdraw,
            State::Migrated,
            "0002_x is being rolled back",
        );
        check("needs 0002_x migrated", true, None, State::Revealing, "clear");
        check("needs 0002_x expanded", true, None, State::Migrating, "clear");
        let words = "this build of service \"api\" needs 0002_x migrated, which is expanded";
        check("needs 0002_x migrated", true, None, State::Expanded, words);
        check("needs 0002_x expanded", true, None, State::RollingBack, "this build");
    }
}
