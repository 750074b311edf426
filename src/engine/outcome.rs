//! What came out of a command.

use crate::model::name::MigrationId;
use crate::model::phase::Phase;
use crate::model::state::State;

/// What came out of a command that ended well.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Outcome {
    /// What was done, in order; phases that were passed because they have no steps are among it.
    pub(crate) done: Vec<(MigrationId, Phase)>,
    /// Where the migrations stand that the command was about.
    pub(crate) states: Vec<(MigrationId, State)>,
    /// The next command to type, when there is one.
    pub(crate) next: Option<String>,
    /// What people should know, in sentences.
    pub(crate) notes: Vec<String>,
}

impl Outcome {
    /// A command begins, perhaps anew after it lost its connection: what it has done stays done.
    pub(crate) fn begin(&mut self) {
        self.states.clear();
        self.notes.clear();
    }
}
