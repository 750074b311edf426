//! A plan as data: what every report format prints.

use crate::lint::finding::Finding;
use crate::model::name::MigrationId;
use crate::model::phase::Phase;
use crate::model::server::Server;
use crate::model::state::State;
use crate::model::step::Step;
use crate::sql::change::Located;
use crate::sql::effect::Effect;
use crate::sql::estimate::Estimate;
use crate::sql::span::Span;

/// What would run, in which phase, at what cost, and what stands in the way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Plan {
    /// For which server.
    pub(crate) server: Server,
    /// In order.
    pub(crate) migrations: Vec<PlannedMigration>,
}

/// One migration of a plan.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct PlannedMigration {
    /// Which.
    pub(crate) id: MigrationId,
    /// For people.
    pub(crate) description: Option<String>,
    /// Where it stands; pending when no database was asked.
    pub(crate) state: State,
    /// The phases that have steps, in order.
    pub(crate) phases: Vec<PlannedPhase>,
    /// What makes it impossible, with help: it will be refused.
    pub(crate) refusals: Vec<(String, String)>,
    /// What is judged beside the steps: lines of migration.toml with what is said of the migration as a whole, and the
    /// statements of rollback.sql. None when nothing is left to run.
    pub(crate) beside: Vec<PlannedStatement>,
    /// What people should know: triggers that a backfill fires, dependents, ...
    pub(crate) notes: Vec<String>,
}

/// One phase of a planned migration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct PlannedPhase {
    /// Which.
    pub(crate) phase: Phase,
    /// The gate in front of it; none: it has no gate.
    pub(crate) gate: Option<Gate>,
    /// Whether there is no way back once it has begun.
    pub(crate) point_of_no_return: bool,
    /// In order.
    pub(crate) steps: Vec<PlannedStep>,
}

/// What must hold before a phase may begin.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Gate {
    /// In words.
    pub(crate) words: String,
    /// The services whose live instances count, in order; none: nobody said who uses the database.
    pub(crate) services: Vec<String>,
    /// Those of them that do not say yet that their builds tolerate it.
    pub(crate) waiting: Vec<String>,
}

/// One step of a planned phase.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct PlannedStep {
    /// The step.
    pub(crate) step: Step,
    /// Whether the journal says that it is done.
    pub(crate) done: bool,
    /// Its statements (a backfill or verification has one that stands for all batches).
    pub(crate) statements: Vec<PlannedStatement>,
}

/// One statement, understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct PlannedStatement {
    /// Its text.
    pub(crate) sql: String,
    /// Where it stands; none for a generated one.
    pub(crate) place: Option<(String, Span)>,
    /// What it does.
    pub(crate) changes: Vec<Located>,
    /// What it costs.
    pub(crate) effect: Effect,
    /// How long that takes, when the sizes of its tables are known.
    pub(crate) estimate: Option<Estimate>,
    /// What the rules say.
    pub(crate) findings: Vec<Finding>,
}

impl PlannedMigration {
    /// What the rules say beside the steps, with what it is said of.
    pub(crate) fn findings_beside(&self) -> impl Iterator<Item = (&PlannedStatement, &Finding)> {
        self.beside.iter().flat_map(|part| part.findings.iter().map(move |finding| (part, finding)))
    }
}
