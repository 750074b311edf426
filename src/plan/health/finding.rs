//! What is wrong with a database, and the way out.

use crate::model::name::{MigrationId, TableName};

/// One thing that is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Finding {
    /// What kind of thing.
    pub(crate) kind: Kind,
    /// The migration that it concerns, when it concerns one.
    pub(crate) migration: Option<MigrationId>,
    /// What is so, in a sentence without a full stop, with the table by name.
    pub(crate) message: String,
    /// What it means and what to do, in sentences.
    pub(crate) way_out: String,
    /// What `zdm doctor --apply` can do about it.
    pub(crate) remedy: Option<Remedy>,
}

impl Finding {
    /// A finding that only a person can do something about.
    pub(crate) fn new(kind: Kind, message: impl Into<String>, way_out: impl Into<String>) -> Self {
        let (message, way_out) = (message.into(), way_out.into());
        Self { kind, migration: None, message, way_out, remedy: None }
    }

    /// The migration that it concerns.
    #[must_use]
    pub(crate) fn of(mut self, migration: &MigrationId) -> Self {
        self.migration = Some(migration.clone());
        self
    }

    /// What `zdm doctor --apply` can do about it.
    #[must_use]
    pub(crate) fn with(mut self, remedy: Remedy) -> Self {
        self.remedy = Some(remedy);
        self
    }
}

/// What kind of thing is wrong.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Kind {
    /// The folder is not what has run.
    Folder,
    /// What a step made is not there.
    Missing,
    /// What a step took away is there again.
    Back,
    /// A trigger that keeps two columns alike is gone, switched off, or another one.
    Trigger,
    /// An index does not work.
    InvalidIndex,
    /// Something has the name that a step is about to give.
    InTheWay,
    /// Rows are not what a migration has made of them.
    Data,
    /// A role lacks a right.
    Right,
    /// The state belongs to another database.
    Copy,
    /// A part of zdm's state is gone.
    State,
    /// A run that ended without saying so.
    Run,
}

impl Kind {
    /// The word in JSON.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Folder => "folder",
            Self::Missing => "missing",
            Self::Back => "back",
            Self::Trigger => "trigger",
            Self::InvalidIndex => "invalid_index",
            Self::InTheWay => "in_the_way",
            Self::Data => "data",
            Self::Right => "right",
            Self::Copy => "copy",
            Self::State => "state",
            Self::Run => "run",
        }
    }
}

/// What `zdm doctor --apply NAME` can do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Remedy {
    /// Make the triggers of a table again, or drop them: statements that belong together.
    Triggers {
        /// The table, on which they need a strong lock.
        table: TableName,
        /// In order.
        statements: Vec<String>,
    },
    /// Drop an index that an unfinished step has left: the step builds it again.
    Index {
        /// The table.
        table: TableName,
        /// The index.
        index: String,
    },
    /// Take the state for this database's own.
    Adopt,
    /// Make a part of the state again.
    State {
        /// What it is, for people.
        name: String,
        /// In order.
        statements: Vec<String>,
    },
}

impl Remedy {
    /// The word behind `--apply`.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Triggers { .. } => "triggers",
            Self::Index { .. } => "indexes",
            Self::Adopt => "adopt",
            Self::State { .. } => "state",
        }
    }
}
