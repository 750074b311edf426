//! The phases of a migration.

use std::fmt;

/// A part of a migration's life that has steps of its own.
///
/// `Expand`, `Migrate` and `Contract` are the deployment phases. `Purge` ends what contract hid; `Rollback` undoes
/// expand and migrate; `Reveal` undoes contract, from hidden back to migrated.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Phase {
    /// Adds the new structure; old builds run on as before.
    Expand,
    /// Fills and constrains the new structure.
    Migrate,
    /// Takes the old structure out of sight, behind the gate.
    Contract,
    /// Drops what contract hid: the point of no return.
    Purge,
    /// Takes the new structure away again.
    Rollback,
    /// Brings the hidden old structure back.
    Reveal,
}

impl Phase {
    /// Every phase, in the order of a migration's life.
    pub(crate) const ALL: [Self; 6] =
        [Self::Expand, Self::Migrate, Self::Contract, Self::Purge, Self::Rollback, Self::Reveal];

    /// The word that commands, files and the journal use.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Expand => "expand",
            Self::Migrate => "migrate",
            Self::Contract => "contract",
            Self::Purge => "purge",
            Self::Rollback => "rollback",
            Self::Reveal => "reveal",
        }
    }

    /// The phase that a stored word means.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.as_str() == word)
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
