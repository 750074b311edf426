//! What a reviewer must know first, counted from a plan.

use super::view::{Gate, Plan, PlannedPhase, PlannedStatement, PlannedStep};
use crate::lint::finding::{Finding, Severity};
use crate::model::name::{MigrationId, TableName};
use crate::model::phase::Phase;
use crate::model::step::Action;
use crate::sql::change::Change;
use crate::sql::effect::Blocks;
use crate::sql::estimate::Estimate;

/// What has not run yet, in short.
#[derive(Debug, Default)]
pub(crate) struct Digest<'p> {
    /// Steps to run.
    pub(crate) steps: usize,
    /// Migrations that they belong to.
    pub(crate) migrations: usize,
    /// What the rules say, by severity: error, warning, info.
    pub(crate) findings: [usize; 3],
    /// Migrations that cannot run.
    pub(crate) refused: Vec<&'p MigrationId>,
    /// Statements during which other clients wait for as long as a table is large.
    pub(crate) long: Vec<Long<'p>>,
    /// Statements that are not understood.
    pub(crate) unknown: usize,
    /// Statements by hand that change rows of tables in use, in one transaction.
    pub(crate) mass: usize,
    /// Tables whose rows are filled in batches, once each.
    pub(crate) filled: Vec<&'p TableName>,
    /// What will have to hold.
    pub(crate) gates: Vec<(&'p MigrationId, &'p Gate)>,
    /// Phases with no way back.
    pub(crate) finals: Vec<(&'p MigrationId, Phase)>,
}

/// A statement during which other clients wait for as long as a table is large.
#[derive(Debug)]
pub(crate) struct Long<'p> {
    /// Whose it is.
    pub(crate) migration: &'p MigrationId,
    /// What waits.
    pub(crate) blocks: Blocks,
    /// For which tables.
    pub(crate) blocked: Vec<&'p TableName>,
    /// What takes so long.
    pub(crate) work: Work,
    /// The tables that are read or rewritten.
    pub(crate) tables: &'p [TableName],
    /// How long it takes, when that is known.
    pub(crate) estimate: Option<Estimate>,
    /// Path and line; none: zdm wrote it.
    pub(crate) place: Option<(&'p str, usize)>,
}

/// What is done to every row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Work {
    /// It is read.
    Read,
    /// It is written anew.
    Rewritten,
}

/// A plan in short. `only`: this phase alone.
pub(crate) fn digest(plan: &Plan, only: Option<Phase>) -> Digest<'_> {
    let mut digest = Digest::default();
    for migration in &plan.migrations {
        if !migration.refusals.is_empty() {
            digest.refused.push(&migration.id);
        }
        let mut is_open = false;
        for phase in &migration.phases {
            let is_left = phase.steps.iter().any(|step| !step.done);
            if only.is_some_and(|only| phase.phase != only) || !is_left {
                continue;
            }
            is_open = true;
            digest.add_phase(&migration.id, phase);
        }
        digest.migrations += usize::from(is_open);
        let beside = migration.findings_beside().filter(|_| only.is_none());
        beside.for_each(|(_, finding)| digest.add_finding(finding));
    }
    digest
}

impl<'p> Digest<'p> {
    fn add_phase(&mut self, id: &'p MigrationId, phase: &'p PlannedPhase) {
        self.gates.extend(phase.gate.as_ref().map(|gate| (id, gate)));
        if phase.point_of_no_return {
            self.finals.push((id, phase.phase));
        }
        for step in phase.steps.iter().filter(|step| !step.done) {
            self.steps += 1;
            for finding in step.statements.iter().flat_map(|statement| &statement.findings) {
                self.add_finding(finding);
            }
            self.add_step(id, step);
        }
    }

    fn add_finding(&mut self, finding: &Finding) {
        let [errors, warnings, infos] = &mut self.findings;
        *match finding.severity {
            Severity::Error => errors,
            Severity::Warning => warnings,
            Severity::Info => infos,
        } += 1;
    }

    fn add_step(&mut self, id: &'p MigrationId, step: &'p PlannedStep) {
        match &step.step.action {
            Action::Backfill(backfill) => {
                if !self.filled.contains(&&backfill.table) {
                    self.filled.push(&backfill.table);
                }
            }
            Action::Verify(_) => {}
            Action::Statements(_) | Action::Alone(_) => {
                for statement in &step.statements {
                    self.unknown += usize::from(!statement.effect.known);
                    self.mass += usize::from(changes_rows(statement));
                    self.long.extend(long(id, statement));
                }
            }
        }
    }
}

/// Whether a statement by hand changes rows of a table in use: whoever writes the same rows waits until it ends.
pub(crate) fn changes_rows(statement: &PlannedStatement) -> bool {
    let mut changes = statement.changes.iter().map(|located| &located.change);
    let changes = changes.any(|one| matches!(one, Change::Update { .. } | Change::Delete { .. }));
    // A table that is not there yet is not locked.
    changes && statement.place.is_some() && !statement.effect.locks.is_empty()
}

fn long<'p>(migration: &'p MigrationId, statement: &'p PlannedStatement) -> Option<Long<'p>> {
    let effect = &statement.effect;
    let (work, tables) = if !effect.rewrites.is_empty() {
        (Work::Rewritten, &effect.rewrites)
    } else {
        (Work::Read, &effect.scans)
    };
    let waits = effect.known && effect.blocks >= Blocks::Writes && !tables.is_empty();
    let place = statement.place.as_ref().map(|(path, span)| (path.as_str(), span.line));
    waits.then(|| Long {
        migration,
        blocks: effect.blocks,
        blocked: effect.locks.iter().map(|lock| &lock.table).collect(),
        work,
        tables,
        estimate: statement.estimate,
        place,
    })
}
