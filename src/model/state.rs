//! The states of a migration and the one table of allowed transitions.

use std::fmt;

use super::phase::Phase;

/// Where a migration stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum State {
    /// Nothing has run.
    Pending,
    /// Expand has begun and not ended.
    Expanding,
    /// The new structure is there; old builds run as before.
    Expanded,
    /// The backfill, the verification or the constraints are under way.
    Migrating,
    /// The new structure is complete, verified and constrained.
    Migrated,
    /// Contract is under way: the gate has been passed.
    Contracting,
    /// The old structure is out of sight, and can be brought back.
    Hidden,
    /// Purge is under way: no way back.
    Purging,
    /// The old structure is gone.
    Purged,
    /// A rollback to before expand is under way.
    RollingBack,
    /// A rollback from hidden to migrated is under way.
    Revealing,
}

/// Every allowed transition and when it happens. Commands, documentation and tests are made from it.
pub(crate) const TRANSITIONS: &[(State, State, &str)] = &[
    (State::Pending, State::Expanding, "zdm expand begins"),
    (State::Expanding, State::Expanded, "the last step of expand is done"),
    (
        State::Expanded,
        State::Migrating,
        "zdm migrate begins, or expand passes a phase without steps",
    ),
    (State::Migrating, State::Migrated, "backfilled, verified, constrained"),
    (
        State::Migrated,
        State::Contracting,
        "the gate is clear and fenced, or there is nothing to take away",
    ),
    (State::Contracting, State::Hidden, "the old structure is out of sight, the fence is final"),
    (State::Hidden, State::Purging, "zdm purge begins, or there is nothing to purge"),
    (State::Purging, State::Purged, "the old structure is gone"),
    (State::Expanding, State::RollingBack, "zdm rollback begins"),
    (State::Expanded, State::RollingBack, "zdm rollback begins"),
    (State::Migrating, State::RollingBack, "zdm rollback begins"),
    (
        State::Migrated,
        State::RollingBack,
        "zdm rollback begins, and no live instance needs the migration",
    ),
    (State::RollingBack, State::Pending, "the new structure is gone"),
    (State::Contracting, State::Revealing, "zdm rollback begins"),
    (State::Hidden, State::Revealing, "zdm rollback begins"),
    (State::Pending, State::Purged, "zdm baseline records that the schema holds it already"),
    (State::Revealing, State::Migrated, "the old structure is back, the final fence is lifted"),
];

impl State {
    /// Every state, in the order of a migration's life.
    pub(crate) const ALL: [Self; 11] = [
        Self::Pending,
        Self::Expanding,
        Self::Expanded,
        Self::Migrating,
        Self::Migrated,
        Self::Contracting,
        Self::Hidden,
        Self::Purging,
        Self::Purged,
        Self::RollingBack,
        Self::Revealing,
    ];

    /// The word that people and the journal use.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Expanding => "expanding",
            Self::Expanded => "expanded",
            Self::Migrating => "migrating",
            Self::Migrated => "migrated",
            Self::Contracting => "contracting",
            Self::Hidden => "hidden",
            Self::Purging => "purging",
            Self::Purged => "purged",
            Self::RollingBack => "rolling_back",
            Self::Revealing => "revealing",
        }
    }

    /// The state that a stored word means.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Whether a migration may go from this state to `next`.
    pub(crate) fn may_become(self, next: Self) -> bool {
        TRANSITIONS.iter().any(|(from, to, _)| (*from, *to) == (self, next))
    }

    /// The state while `phase` runs, and the state when it is done.
    pub(crate) fn during_and_after(phase: Phase) -> (Self, Self) {
        match phase {
            Phase::Expand => (Self::Expanding, Self::Expanded),
            Phase::Migrate => (Self::Migrating, Self::Migrated),
            Phase::Contract => (Self::Contracting, Self::Hidden),
            Phase::Purge => (Self::Purging, Self::Purged),
            Phase::Rollback => (Self::RollingBack, Self::Pending),
            Phase::Reveal => (Self::Revealing, Self::Migrated),
        }
    }

    /// Whether the new structure is (at least partly) there beside the old one.
    pub(crate) fn is_open(self) -> bool {
        !matches!(self, Self::Pending | Self::Purged)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phase_moves_along_allowed_transitions() {
        for phase in Phase::ALL {
            let (during, after) = State::during_and_after(phase);
            assert!(during.may_become(after), "{phase}");
            assert!(State::ALL.iter().any(|from| from.may_become(during)), "{phase}");
        }
    }

    #[test]
    fn nothing_leads_back_from_purging_on() {
        for to in State::ALL {
            assert_eq!(State::Purging.may_become(to), to == State::Purged);
            assert!(!State::Purged.may_become(to));
        }
    }

    #[test]
    fn words_and_states_are_one_to_one() {
        for state in State::ALL {
            assert_eq!(State::parse(state.as_str()), Some(state));
        }
    }
}
