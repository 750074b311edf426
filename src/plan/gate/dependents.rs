//! What still uses the old structure inside the database: views, functions, policies, publications; on MySQL and MariaDB
//! views, triggers, routines, events, which the server would let break in silence.
//!
//! Sees: what the catalog records, and names in the texts that it keeps. Blind: names that are put together at run time.
//! A dependent that uses the table in a way that cannot be seen, or whose text this role may not read, is UNKNOWN.

use super::{Facts, Findings, GateKind, Judged, Question};
use crate::model::name::TableName;
use crate::model::server::Engine;
use crate::sql::catalog::Catalog;
use crate::sql::change::Change;
use crate::sql::rename::mentions;

/// A column, or (`None`) a table as a whole.
pub(crate) type Place = (TableName, Option<String>);

/// What was looked for, and what was found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Dependents {
    /// What the contract takes away.
    pub(crate) taken: Vec<Place>,
    /// What uses it: with its kind, `view "active_users"`, and what it uses.
    pub(crate) users: Vec<(String, Place)>,
    /// What uses one of the tables in a way that cannot be seen.
    pub(crate) unclear: Vec<(String, TableName)>,
    /// The operations that were asked, by their titles.
    pub(crate) operations: Vec<String>,
    /// What they said is in the way.
    pub(crate) refused: Vec<String>,
}

impl Dependents {
    /// Leaves out those that the contract itself changes.
    pub(crate) fn leave_out(&mut self, is_changed: impl Fn(&str) -> bool) {
        self.users.retain(|(title, _)| !is_changed(title));
        self.unclear.retain(|(title, _)| !is_changed(title));
    }
}

/// Whether one of the statements names a dependent, given by its title `view "active_users"`.
pub(crate) fn is_changed_by(engine: Engine, title: &str, statements: &[&str]) -> bool {
    let name = title.split('"').nth(1).unwrap_or_default();
    !name.is_empty() && statements.iter().any(|text| mentions(engine, text, name))
}

/// What statements take away: columns and tables that are dropped or renamed.
pub(crate) fn taken<'c>(
    changes: impl Iterator<Item = &'c Change>,
    schema: Option<&str>,
) -> Vec<Place> {
    let mut places = Vec::new();
    for change in changes {
        let (table, column) = match change {
            Change::DropTable { table, .. } | Change::RenameTable { table, .. } => (table, None),
            Change::DropColumn { table, column, .. }
            | Change::RenameColumn { table, column, .. } => (table, Some(column.clone())),
            _ => continue,
        };
        let place = (table.or_in(schema), column);
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places
}

/// Who uses the places, by the catalog.
pub(crate) fn find(taken: Vec<Place>, catalog: &Catalog) -> Dependents {
    let mut found = Dependents::default();
    for place in &taken {
        let (name, column) = place;
        let Some(table) = catalog.tables.get(name) else { continue };
        for dependent in &table.dependents {
            let uses = column.as_ref().is_none_or(|column| dependent.columns.contains(column));
            let publishes_all = dependent.title.starts_with("publication ") && column.is_some();
            if dependent.columns.is_empty() && column.is_some() {
                // A publication without a column list sends what is there.
                if !publishes_all {
                    found.unclear.push((dependent.title.clone(), name.clone()));
                }
            } else if uses {
                found.users.push((dependent.title.clone(), place.clone()));
            }
        }
    }
    found.unclear.dedup();
    found.taken = taken;
    found
}

/// Judges whether anything in the database still uses what the contract takes away.
pub(super) fn judge(question: &Question, facts: &Facts) -> Judged {
    if question.kind == GateKind::Rollback {
        return Judged::NotAsked("a rollback takes away what only its own migration has made");
    }
    let Some(Dependents { taken, users, unclear, operations, refused }) = &facts.slow.dependents
    else {
        return Judged::NotAsked("nobody looked");
    };
    if taken.is_empty() && operations.is_empty() {
        return Judged::NotAsked(
            "no column and no table is taken away by a statement that is understood",
        );
    }
    let mut findings = Findings { blocked: refused.clone(), ..Findings::default() };
    for (title, place) in users {
        findings.blocked.push(format!("{title} still uses {}", words(place)));
    }
    for (title, table) in unclear {
        findings
            .unknown
            .push(format!("{title} uses table \"{table}\" in a way that cannot be seen"));
    }
    let places = taken.iter().map(words);
    let operations = operations.iter().map(|title| format!("the old structure of {title}"));
    let all: Vec<_> = places.chain(operations).collect();
    let seen = format!("looked for what uses {}", all.join(", "));
    let not_seen = vec!["names that functions put together at run time".to_owned()];
    Judged::Says { verdict: findings.verdict(), seen: vec![seen], not_seen }
}

fn words((table, column): &Place) -> String {
    match column {
        Some(column) => format!("column \"{column}\" of table \"{table}\""),
        None => format!("table \"{table}\""),
    }
}
