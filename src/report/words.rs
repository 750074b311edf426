//! The sentences of a plan that every format for people uses.

use std::time::Duration;

use super::human::effect::{effect, list};
use super::human::finding::count_of;
use super::human::plan::View;
use super::human::time::grouped;
use crate::model::phase::Phase;
use crate::model::server::Engine;
use crate::model::step::Action;
use crate::plan::digest::changes_rows;
use crate::plan::view::{PlannedPhase, PlannedStatement, PlannedStep};
use crate::sql::effect::Blocks;
use crate::sql::estimate::{Estimate, words};

/// How much others notice of a step.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Weight {
    /// Nobody waits.
    Free,
    /// Others wait, for an instant.
    Instant,
    /// Others wait for as long as a table is large, or nobody knows.
    Long,
}

/// The title of a point of no return.
pub(crate) const NO_RETURN: &str =
    "point of no return: nothing brings back what this phase takes away";

/// When a phase runs, and what it does.
pub(crate) fn meaning(planned: &PlannedPhase) -> &'static str {
    match planned.phase {
        Phase::Expand => "before the new build is deployed; old builds run on as before",
        Phase::Migrate => "fill, verify and constrain the new structure",
        Phase::Contract if planned.point_of_no_return => "when no old instance is left",
        Phase::Contract => "when no old instance is left; can be undone",
        Phase::Purge => "days later",
        Phase::Rollback => "back to before expand",
        Phase::Reveal => "back from hidden to migrated",
    }
}

/// The statements of a step that touch a table, and how many do not.
pub(crate) fn touching(step: &PlannedStep) -> (Vec<&PlannedStatement>, usize) {
    let touches = |statement: &&PlannedStatement| {
        step.statements.len() == 1 || !statement.effect.known || !statement.effect.locks.is_empty()
    };
    let shown: Vec<_> = step.statements.iter().filter(touches).collect();
    let rest = step.statements.len() - shown.len();
    (shown, rest)
}

/// What is said of the statements that are not shown.
pub(crate) fn untouching(rest: usize) -> String {
    format!("and {} that touch no table", count_of(rest, "statement"))
}

/// The statement of which others notice most.
pub(crate) fn worst<'p>(statements: &[&'p PlannedStatement]) -> Option<&'p PlannedStatement> {
    let weight = |statement: &&&PlannedStatement| {
        let effect = &statement.effect;
        (!effect.known, effect.blocks, effect.rewrites.len(), effect.scans.len())
    };
    statements.iter().max_by_key(weight).copied()
}

/// Who waits for a statement of a step, for how long, and how much that is.
pub(crate) fn cost(
    step: &PlannedStep,
    statement: &PlannedStatement,
    (engine, view): (Engine, &View<'_>),
) -> (Weight, String) {
    let cost = &statement.effect;
    let (weight, says, read) = match &step.step.action {
        Action::Backfill(backfill) => {
            let words = "in short batches; can be stopped and resumed at any time";
            (Weight::Free, words.to_owned(), Some(&backfill.table))
        }
        Action::Verify(verify) => {
            (Weight::Free, "reads in batches; nobody waits".to_owned(), Some(&verify.table))
        }
        Action::Statements(_) | Action::Alone(_)
            if cost.known && cost.blocks <= Blocks::Ddl && changes_rows(statement) =>
        {
            let tables: Vec<_> = cost.locks.iter().map(|lock| lock.table.to_string()).collect();
            let words = format!("writes of the same rows of {} wait until it ends", list(&tables));
            (Weight::Instant, words, cost.locks.first().map(|lock| &lock.table))
        }
        Action::Statements(_) | Action::Alone(_) => {
            let read = cost.rewrites.first().or(cost.scans.first());
            let weight = match cost.blocks {
                _ if !cost.known => Weight::Long,
                Blocks::Nothing | Blocks::Ddl => Weight::Free,
                // Nobody has a table that is not there yet.
                Blocks::Writes | Blocks::ReadsAndWrites if cost.locks.is_empty() => Weight::Free,
                Blocks::Writes | Blocks::ReadsAndWrites if read.is_some() => Weight::Long,
                Blocks::Writes | Blocks::ReadsAndWrites => Weight::Instant,
            };
            (weight, effect(cost, engine), read)
        }
    };
    let rows = read.and_then(|table| view.catalog?.tables.get(table)?.estimated_rows);
    let rows = rows.map(|rows| format!("; about {} rows", grouped(rows))).unwrap_or_default();
    let takes = statement.estimate.map(takes).unwrap_or_default();
    (weight, format!("{says}{rows}{takes}"))
}

/// How long it is likely to take: the range is as wide as machines differ.
fn takes(estimate: Estimate) -> String {
    if estimate.longest < Duration::from_secs(1) {
        return format!("; {estimate}");
    }
    let (low, high) = (words(estimate.shortest), words(estimate.longest));
    format!("; {estimate} (estimated: {low} to {high})")
}
