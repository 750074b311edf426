//! A migration as its folder declares it.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

use crate::lint::read::{ReadFile, read_file};
use crate::model::lease::Reached;
use crate::model::name::MigrationId;
use crate::model::phase::Phase;
use crate::model::server::Engine;
use crate::model::step::Backfill;
use crate::operation::Operation;
use crate::sql::split::RunBy;

/// A migration as its folder declares it.
#[derive(Debug)]
pub(crate) struct Migration {
    /// Its name.
    pub(crate) id: MigrationId,
    /// For people.
    pub(crate) description: Option<String>,
    /// When new builds may start.
    pub(crate) deploy_after: Reached,
    /// Declarative changes; they come first in each phase.
    pub(crate) operations: Vec<Box<dyn Operation>>,
    /// `migration.toml`; none: there is nothing but SQL.
    pub(crate) declaration: Option<DeclarationFile>,
    /// SQL files: `expand.sql`, `migrate.sql`, `contract.sql`, `rollback.sql`.
    pub(crate) files: BTreeMap<Phase, SqlFile>,
    /// Backfills by hand, run in migrate before `migrate.sql`.
    pub(crate) backfills: Vec<HandBackfill>,
    /// Settings of the gate.
    pub(crate) contract: ContractSettings,
}

/// `migration.toml` as it was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct DeclarationFile {
    /// Its path as the user would type it.
    pub(crate) path: String,
    /// Its text.
    pub(crate) text: String,
}

/// A file of SQL.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct SqlFile {
    /// Its path as the user would type it.
    pub(crate) path: String,
    /// Its text.
    pub(crate) text: String,
    /// What it says: the order of migrations, their steps and the rules all ask for it.
    read: OnceLock<ReadFile>,
}

impl SqlFile {
    /// A file that is read when it is first asked for.
    pub(crate) fn new(path: String, text: String) -> Self {
        Self { path, text, read: OnceLock::new() }
    }

    /// Its statements and what they do. A process plans for one engine.
    pub(crate) fn read(&self, engine: Engine) -> &ReadFile {
        self.read.get_or_init(|| read_file(&self.text, engine, RunBy::Zdm))
    }
}

/// `[[backfill]]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct HandBackfill {
    /// What to fill.
    pub(crate) fill: Backfill,
    /// What no row may meet afterwards.
    pub(crate) verify: Option<String>,
}

/// `[contract]`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct ContractSettings {
    /// Services whose builds, from the commit that says so on, survive this contract.
    pub(crate) tolerated_by: Vec<String>,
    /// Services that are concerned; none: every service.
    pub(crate) services: Option<Vec<String>>,
    /// Time since the last old instance was seen, when it is more than the project's.
    pub(crate) soak: Option<Duration>,
    /// Time between hide and purge, when it is not the default.
    pub(crate) keep_for: Option<Duration>,
    /// Whether contract purges by itself once `keep_for` has passed.
    pub(crate) purge_auto: bool,
    /// Whether another tool takes the old structure away, behind `zdm gate ID -- CMD`.
    pub(crate) by_other: bool,
}
