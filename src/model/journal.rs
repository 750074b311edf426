//! What the state says has happened, as plain data.

use super::name::MigrationId;
use super::phase::Phase;
use super::state::State;
use super::step::Seal;

/// What has been recorded of one migration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct MigrationRecord {
    /// Which.
    pub(crate) id: MigrationId,
    /// Where it stands.
    pub(crate) state: State,
    /// When it came to that state: milliseconds since 1970 on the database's clock.
    pub(crate) since: i64,
    /// The tables that it touches as they were before expand, in a stored form that `database` owns.
    pub(crate) base: Option<String>,
    /// Its steps that have begun, in the order in which they began.
    pub(crate) steps: Vec<StepRecord>,
}

/// What has been recorded of one step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct StepRecord {
    /// The phase that it belongs to.
    pub(crate) phase: Phase,
    /// Its name.
    pub(crate) name: String,
    /// What it does, for people.
    pub(crate) title: String,
    /// What it was when it ran.
    pub(crate) seal: Seal,
    /// How far it is.
    pub(crate) progress: Progress,
}

/// How far a step is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Progress {
    /// Its intent is written; whether it took effect is for the catalog (or its checkpoint) to say.
    Begun,
    /// It is done.
    Done,
}
