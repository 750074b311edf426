//! MySQL and MariaDB: the best ALGORITHM that the server grants, and the best LOCK with it.
//!
//! Each clause becomes one or several cases (`clause`, `columns`, `indexes`, `options`), the rows say what each costs by
//! itself, and `together` adds them up: mixing can make cheap clauses dear. What the statement asks of the server by
//! ALGORITHM and LOCK comes last (`asked`).

mod asked;
mod charset;
mod clause;
mod columns;
mod constraints;
mod context;
mod indexes;
mod options;
mod partitions;
mod together;
mod types;

use super::case::Case;
use super::mode::Mode;
use super::rows::{Answer, find};
use super::{Cost, Judged, is_new};
use crate::model::name::TableName;
use crate::model::server::Server;
use crate::sql::catalog::Catalog;
use crate::sql::change::{Change, Located};
use crate::sql::effect::Algorithm;
use context::Context;
use together::Outcome;

/// What a statement costs, and the ids of the rows that say so.
pub(super) fn judge(changes: &[Located], catalog: &Catalog, server: Server) -> Judged {
    let mut sum = Sum { cost: Cost::default(), parts: Vec::new(), server };
    if changes.is_empty() {
        sum.cost.worst();
    }
    let mut made: Vec<&TableName> = Vec::new();
    let mut altered = None;
    for located in changes {
        let change = &located.change;
        match change {
            Change::Opaque { .. } => sum.cost.worst(),
            Change::Other { what } if what.split(' ').nth(1) == Some("SEQUENCE") => {
                sum.refuse(&Case::of("grammar").fact("sequence", true));
            }
            Change::CreateTable { table, .. } => made.push(table),
            _ => {}
        }
        let Some(table) = change.table() else { continue };
        if made.contains(&table) || is_new(table, catalog) {
            if partitions::is_misfit(change) {
                sum.refuse(&Case::new("wrong_partitions", table));
            }
            continue;
        }
        let context = Context::new(changes, table, catalog, server);
        let before = sum.parts.len();
        sum.add_if_known(&clause::grammar(located, &context));
        for case in clause::cases(located, &context) {
            sum.add(&case);
        }
        if sum.parts.len() > before {
            altered = Some(context);
        }
    }
    if asked::is_refused(changes, server) {
        sum.cost = Cost { rows: sum.cost.rows, ..Cost::default() };
        sum.cost.algorithm(Algorithm::Fails);
    } else if let Some(context) = altered {
        sum.settle(&context);
    }
    let rows = sum.cost.rows.clone();
    Judged { effect: sum.cost.effect(server.engine), rows }
}

/// What a clause of an ALTER TABLE costs by itself.
#[derive(Clone, Copy, Debug)]
struct Part {
    kind: &'static str,
    answer: &'static Answer,
}

struct Sum {
    cost: Cost,
    parts: Vec<Part>,
    server: Server,
}

impl Sum {
    /// Adds a case that costs nothing where no row speaks of it.
    fn add_if_known(&mut self, case: &Case) {
        if find(case.kind(), |fact| case.is(fact), self.server).is_some() {
            self.add(case);
        }
    }

    /// Adds a case of a statement that makes its table, or has none, and that the server refuses.
    fn refuse(&mut self, case: &Case) {
        if let Some((row, answer)) = find(case.kind(), |fact| case.is(fact), self.server) {
            self.cost.rows.push(&row.id);
            self.cost.algorithm = answer.algorithm();
        }
    }

    /// Adds a case: at once where there is no algorithm to agree on.
    fn add(&mut self, case: &Case) {
        let Some((row, answer)) = find(case.kind(), |fact| case.is(fact), self.server) else {
            return self.cost.worst();
        };
        if answer.algorithm.is_some() {
            self.cost.rows.push(&row.id);
            self.parts.push(Part { kind: case.kind(), answer });
        } else {
            self.cost.add(case, self.server);
        }
    }

    /// Adds up what the clauses cost together, and what the statement asks of the server.
    fn settle(&mut self, context: &Context<'_>) {
        let mut outcome = together::outcome(&self.parts, self.server);
        if outcome.is_rebuild() {
            self.replace(&mut outcome, &context.rebuild());
        }
        if context.other_engine() {
            let metadata = self.parts.iter().all(|part| options::is_metadata(part.kind));
            let case = Case::new("other_engine", context.table).fact("metadata", metadata);
            self.replace(&mut outcome, &case);
        }
        if outcome.algorithm == Some(Algorithm::Copy) && context.has_acting_key() {
            self.replace(&mut outcome, &Case::new("copy_beside_acting_key", context.table));
        }
        asked::settle(&mut outcome, &self.parts, context);
        let table = context.table;
        if outcome.algorithm == Some(Algorithm::Fails) {
            self.cost.algorithm(Algorithm::Fails);
            return;
        }
        let named = !context
            .changes
            .iter()
            .any(|located| matches!(located.change, Change::Clauseless { .. }));
        if let Some(algorithm) = outcome.algorithm.filter(|_| named) {
            self.cost.algorithm(algorithm);
        }
        self.cost.lock(table, outcome.lock);
        if outcome.rewrites {
            self.cost.rewrite(table);
        }
        if outcome.scans {
            self.cost.scan(table);
        }
    }

    fn replace(&mut self, outcome: &mut Outcome, case: &Case) {
        if let Some((row, answer)) = find(case.kind(), |fact| case.is(fact), self.server) {
            self.cost.rows.push(&row.id);
            outcome.replace(answer);
        }
    }
}

/// The lock that an answer names for the table itself.
fn lock(answer: &Answer) -> Mode {
    answer.locks().find(|(part, _)| *part == "table").map_or(Mode::RowExclusive, |(_, mode)| mode)
}
