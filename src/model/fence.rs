//! Fences: what whoever joins, or renews, must tolerate (or must not need).

use super::name::MigrationId;

/// What a fence asks of those who join or renew.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum FenceKind {
    /// They must tolerate the migration: contract is near, or done.
    Tolerate,
    /// They must not need the migration: it is being rolled back.
    Withdraw,
}

/// How firm a fence is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FenceStatus {
    /// A gate is deciding: whoever is turned away waits, and serves on until its deadline.
    Provisional,
    /// Decided: whoever is turned away does not start, or drains and exits.
    Final,
}

/// A fence, as the state holds it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Fence {
    /// For which migration.
    pub(crate) migration: MigrationId,
    /// What it asks.
    pub(crate) kind: FenceKind,
    /// Of whom; none: of every service.
    pub(crate) services: Option<Vec<String>>,
    /// How firm it is.
    pub(crate) status: FenceStatus,
    /// The gate's epoch when it was made. Epochs never fall.
    pub(crate) epoch: i64,
    /// The run that made it.
    pub(crate) run_token: String,
    /// When it was made, or made final: milliseconds since 1970 on the database's clock.
    pub(crate) since: i64,
    /// Who was turned away while it was provisional, in words.
    pub(crate) knocked_by: Option<String>,
}

impl FenceKind {
    /// The word that the state holds.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Tolerate => "tolerate",
            Self::Withdraw => "withdraw",
        }
    }

    /// The kind that a stored word means.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        [Self::Tolerate, Self::Withdraw].into_iter().find(|kind| kind.as_str() == word)
    }
}

impl FenceStatus {
    /// The word that the state holds.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Provisional => "provisional",
            Self::Final => "final",
        }
    }

    /// The status that a stored word means.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        [Self::Provisional, Self::Final].into_iter().find(|status| status.as_str() == word)
    }
}
