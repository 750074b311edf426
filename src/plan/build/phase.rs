//! One phase of a plan: its steps, understood and judged, and what they leave behind.

use super::{Draft, Scene, refuse, words};
use crate::lint::{FileContext, LintedStatement, judge_file, lint_generated};
use crate::model::journal::Progress;
use crate::model::name::TableName;
use crate::model::phase::Phase;
use crate::model::step::{Action, Step};
use crate::plan::hand::units;
use crate::plan::steps;
use crate::plan::view::{PlannedPhase, PlannedStatement, PlannedStep};
use crate::sql::catalog::Catalog;
use crate::sql::change::{Change, Located};
use crate::sql::effects::effect;
use crate::sql::estimate::{self, Estimate};
use crate::sql::quote;
use crate::sql::span::Span;

impl<'p> Scene<'p> {
    /// Plans a phase, if it has steps, and carries it out on the simulated schema. Whether it has.
    pub(super) fn phase(&mut self, draft: &mut Draft<'p>, phase: Phase) -> bool {
        let cx = self.context(draft);
        let steps = match steps::steps(draft.migration, phase, &cx) {
            Ok(steps) => steps,
            Err(refusals) => {
                refuse(&mut draft.planned, refusals);
                return false;
            }
        };
        if steps.is_empty() && draft.migration.operations.is_empty() {
            return false;
        }
        let generated = self.generated(&steps);
        let mut catalog = std::mem::take(&mut self.catalog);
        steps::apply_operations(draft.migration, phase, &mut catalog, &self.context(draft));
        self.catalog = catalog;
        let mut units = self.file(draft, phase).into_iter();
        let planned: Vec<_> = steps
            .into_iter()
            .zip(generated)
            .map(|(step, statements)| PlannedStep {
                done: self.is_done(draft, phase, &step),
                statements: if step.origin.is_some() {
                    by_hand(&step, units.next().unwrap_or_default())
                } else {
                    statements
                },
                step,
            })
            .collect();
        if planned.is_empty() {
            return true;
        }
        draft.planned.phases.push(PlannedPhase {
            phase,
            gate: words::gate(draft.migration, phase, &self.project.config),
            point_of_no_return: words::is_final(draft.migration, phase),
            steps: planned,
        });
        true
    }

    fn is_done(&self, draft: &Draft<'_>, phase: Phase, step: &Step) -> bool {
        let ran = self.history.step(&draft.migration.id, phase, &step.name);
        ran.is_some_and(|ran| ran.progress == Progress::Done)
    }

    /// The statements that zdm writes, step by step; none for a step of a file.
    fn generated(&self, steps: &[Step]) -> Vec<Vec<PlannedStatement>> {
        if steps.iter().all(|step| step.origin.is_some()) {
            return vec![Vec::new(); steps.len()];
        }
        // What they do to the schema is the operation's to say: here they follow one another on a copy.
        let mut catalog = self.catalog.clone();
        let planned = steps.iter().map(|step| match &step.action {
            _ if step.origin.is_some() => Vec::new(),
            Action::Statements(group) => {
                let sent = group.statements.iter();
                sent.map(|statement| self.judged(&statement.sql, &mut catalog)).collect()
            }
            Action::Alone(statement) => vec![self.judged(&statement.sql, &mut catalog)],
            Action::Backfill(fill) => {
                let table = quote::table(self.server.engine, &fill.table);
                let pending = fill.pending.as_deref().map(|pending| format!(" WHERE {pending}"));
                let sql = format!("UPDATE {table} SET {}{}", fill.set, pending.unwrap_or_default());
                let change = Change::Update {
                    table: fill.table.clone(),
                    filtered: true,
                    columns: Vec::new(),
                };
                let takes = estimate::filling(&fill.table, &catalog, self.server);
                vec![self.batched(sql, change, &catalog, takes)]
            }
            Action::Verify(verify) => {
                let table = quote::table(self.server.engine, &verify.table);
                let sql = format!("SELECT count(*) FROM {table} WHERE {}", verify.wrong);
                let takes = estimate::checking(&verify.table, &catalog, self.server);
                vec![self.batched(sql, Change::Harmless, &catalog, takes)]
            }
        });
        planned.collect()
    }

    fn judged(&self, sql: &str, catalog: &mut Catalog) -> PlannedStatement {
        let readable = words::with_types(sql, self.server.engine);
        let linted = lint_generated(&readable, &mut self.lint(None, catalog, &[]));
        PlannedStatement {
            sql: sql.to_owned(),
            place: None,
            changes: linted.changes,
            effect: linted.effect,
            estimate: linted.estimate,
            findings: linted.findings,
        }
    }

    /// A statement that stands for all batches.
    fn batched(
        &self,
        sql: String,
        change: Change,
        catalog: &Catalog,
        estimate: Option<Estimate>,
    ) -> PlannedStatement {
        let changes = vec![Located::new(change, Span::whole(&sql))];
        let effect = effect(&changes, catalog, self.server);
        PlannedStatement { sql, place: None, changes, effect, estimate, findings: Vec::new() }
    }

    /// The statements of the phase's file, unit by unit, carried out on the simulated schema.
    fn file(&mut self, draft: &Draft<'_>, phase: Phase) -> Vec<Vec<LintedStatement>> {
        let Some(file) = draft.migration.files.get(&phase) else { return Vec::new() };
        let schema = self.context(draft).schema;
        let backfilled: Vec<_> =
            draft.migration.backfills.iter().map(|one| one.fill.table.or_in(schema)).collect();
        let mut catalog = std::mem::take(&mut self.catalog);
        let read = file.read(self.server.engine).clone();
        let mut linted = judge_file(read, &mut self.lint(Some(phase), &mut catalog, &backfilled));
        self.catalog = catalog;
        if !self.project.config.lint.judges_migration(&draft.migration.id) {
            for statement in &mut linted {
                statement.findings.clear();
            }
        }
        let lengths: Vec<_> =
            units(&linted, |one| one.source.group).into_iter().map(<[_]>::len).collect();
        let mut linted = linted.into_iter();
        lengths.into_iter().map(|length| linted.by_ref().take(length).collect()).collect()
    }

    pub(super) fn lint<'c>(
        &'c self,
        phase: Option<Phase>,
        catalog: &'c mut Catalog,
        backfilled: &'c [TableName],
    ) -> FileContext<'c> {
        FileContext {
            phase,
            server: self.server,
            names: &self.names,
            catalog,
            rules: &self.project.config.lint.rules,
            backfilled,
        }
    }
}

/// The statements of a step of a file: as they are sent, with what was found where they stand.
fn by_hand(step: &Step, linted: Vec<LintedStatement>) -> Vec<PlannedStatement> {
    let sent = match &step.action {
        Action::Statements(group) => group.statements.as_slice(),
        Action::Alone(statement) => std::slice::from_ref(statement),
        Action::Backfill(_) | Action::Verify(_) => &[],
    };
    let file = step.origin.as_ref().map(|origin| origin.file.clone()).unwrap_or_default();
    sent.iter()
        .zip(linted)
        .map(|(statement, linted)| PlannedStatement {
            sql: statement.sql.clone(),
            place: Some((file.clone(), linted.source.span)),
            changes: linted.changes,
            effect: linted.effect,
            estimate: linted.estimate,
            findings: linted.findings,
        })
        .collect()
}
