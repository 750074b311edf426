//! Migrations that cannot be undone.

use super::{Check, Report, Rule};
use crate::lint::migration::{MigrationSubject, Part};
use crate::model::phase::Phase;

pub(super) const RULE: Rule = Rule {
    id: "without-rollback",
    data: include_str!("../../../lints/without-rollback.toml"),
    judges_generated: false,
    check: Check::Migration(check),
};

fn check(cx: &MigrationSubject<'_>) -> Vec<Part> {
    let has = |phase: Phase| cx.facts.files.contains(&phase);
    if !cx.can_be_mended() || has(Phase::Rollback) || !(has(Phase::Expand) || has(Phase::Migrate)) {
        return Vec::new();
    }
    let message = format!(
        "migration \"{}\" has no rollback.sql: what its files did can only be undone by hand, in the night in which that is \
         needed",
        cx.facts.id
    );
    vec![(0, Report::new(message, "Write rollback.sql, which undoes expand.sql and migrate.sql"))]
}
