//! What is judged beside the steps: a migration as a whole, and the file that would undo it.

use super::{Draft, Scene};
use crate::lint::migration::{MigrationFacts, lint_migration};
use crate::lint::{LintedStatement, judge_file};
use crate::model::phase::Phase;
use crate::plan::view::{PlannedMigration, PlannedStatement};

impl Scene<'_> {
    /// The statements of rollback.sql, where expand and migrate have run; they change nothing here. None when the plan has
    /// them as steps, or when they can be run no more.
    pub(super) fn rollback(&self, draft: &Draft<'_>) -> Vec<PlannedStatement> {
        let Some(file) = draft.migration.files.get(&Phase::Rollback) else { return Vec::new() };
        let can_run = super::remaining(draft.planned.state).contains(&Phase::Contract);
        if !can_run || !self.project.config.lint.judges_migration(&draft.migration.id) {
            return Vec::new();
        }
        let mut catalog = self.catalog.clone();
        let read = file.read(self.server.engine).clone();
        let linted = judge_file(read, &mut self.lint(Some(Phase::Rollback), &mut catalog, &[]));
        linted.into_iter().map(|linted| planned(linted, &file.path)).collect()
    }

    /// Adds what is said of the migration as a whole, once its phases are known; takes away what is beside a migration of
    /// which nothing is left.
    pub(super) fn add_declared(&self, draft: &mut Draft<'_>) {
        if !is_left(&draft.planned) {
            draft.planned.beside.clear();
            return;
        }
        let (migration, config) = (draft.migration, &self.project.config);
        if !config.lint.judges_migration(&migration.id) {
            return;
        }
        let files: Vec<_> = migration.files.keys().copied().collect();
        let services: Vec<_> = config.services.keys().map(String::as_str).collect();
        let declared = migration.declaration.as_ref();
        let said = lint_migration(&MigrationFacts {
            id: migration.id.as_str(),
            declaration: declared.map_or("", |file| &file.text),
            files: &files,
            services: &services,
            engine: self.server.engine,
            rules: &config.lint.rules,
            state: draft.planned.state,
            open: self.history.open_for(&migration.id),
            limit: config.lint.open_for,
        });
        // A migration without a declaration has a file of SQL, at whose beginning it is said.
        let declared = declared.map(|file| &file.path);
        let path = declared.or_else(|| migration.files.values().map(|file| &file.path).next());
        let path = path.map_or("", String::as_str);
        let said = said.into_iter().map(|linted| planned(linted, path));
        draft.planned.beside.splice(..0, said);
    }
}

fn is_left(planned: &PlannedMigration) -> bool {
    planned.phases.iter().flat_map(|phase| &phase.steps).any(|step| !step.done)
}

fn planned(linted: LintedStatement, path: &str) -> PlannedStatement {
    PlannedStatement {
        sql: linted.source.sql,
        place: Some((path.to_owned(), linted.source.span)),
        changes: linted.changes,
        effect: linted.effect,
        estimate: linted.estimate,
        findings: linted.findings,
    }
}
