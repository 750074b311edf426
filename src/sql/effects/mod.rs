//! What changes cost on a server.
//!
//! Rows for what a migration does; a change without a row is the worst case. Sources: PostgreSQL, executed on 13 to 18
//! (`pg_locks`, file numbers); MySQL and MariaDB, executed with every ALGORITHM and LOCK.

mod acts;
mod case;
mod defaults;
mod mode;
mod mysql;
mod postgres;
pub(crate) mod rows;

use super::catalog::{Catalog, TableKind};
use super::change::{Change, Located};
use super::effect::{Algorithm, Blocks, Effect, Lock};
use crate::model::name::TableName;
use crate::model::server::{Engine, Server};
use case::Case;
pub(crate) use mode::Mode;
use postgres::Scene;
use rows::find;

/// What one statement costs. Its changes have the full names of their tables, and the catalog is as it is before it.
pub(crate) fn effect(changes: &[Located], catalog: &Catalog, server: Server) -> Effect {
    judge(changes, catalog, server).effect
}

/// What a statement costs, and the ids of the rows that say so.
#[derive(Debug)]
struct Judged {
    effect: Effect,
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "tests ask whether a row's examples meet it")
    )]
    rows: Vec<&'static str>,
}

fn judge(changes: &[Located], catalog: &Catalog, server: Server) -> Judged {
    if server.engine.is_mysql_family() {
        return mysql::judge(changes, catalog, server);
    }
    let mut cost = Cost::default();
    if changes.is_empty() {
        cost.worst();
    }
    let mut made: Vec<&TableName> = Vec::new();
    let scene = Scene { catalog, statement: changes, server };
    for located in changes {
        let change = &located.change;
        // In a block, a table that is known is made under a condition that does not hold.
        if let Change::CreateTable { table, .. } = change
            && !(located.is_in_block() && catalog.tables.contains_key(table))
        {
            made.push(table);
        }
        if matches!(change, Change::Opaque { .. }) {
            cost.worst();
        }
        let table = change.table();
        // ALTER TABLE IF EXISTS of a table that is not there.
        if located.has("if-exists") && table.is_some_and(|table| acts::is_missing(table, catalog)) {
            continue;
        }
        let used = !table.is_some_and(|table| made.contains(&table) || is_new(table, catalog));
        let own = match server.engine {
            Engine::Postgres => match change {
                Change::Act(act) => postgres::domains::case(act, catalog).map(|case| vec![case]),
                _ => None,
            }
            .or_else(|| acts::cases(located, changes, catalog)),
            Engine::MySql | Engine::MariaDb => None,
        };
        if let Some(cases) = own {
            for case in &cases {
                cost.add(case, server);
            }
            continue;
        }
        postgres::add(&mut cost, located, used, &scene);
    }
    if server.engine == Engine::Postgres {
        // A temporary table is nobody else's; views have no rows, and nobody minds their locks.
        cost.forget(|table| {
            made.contains(&table)
                || is_new(table, catalog)
                || table.schema.as_deref().is_some_and(|schema| NOBODYS.contains(&schema))
                || catalog.is_kind(table, TableKind::View)
                || catalog.is_kind(table, TableKind::Foreign)
        });
    }
    let rows = cost.rows.clone();
    Judged { effect: cost.effect(server.engine), rows }
}

/// Whether others cannot write a table while somebody holds it in that mode, as `Lock::mode` names it.
pub(crate) fn keeps_writers_off(mode: &str) -> bool {
    Mode::parse(mode).is_some_and(|mode| mode.blocks() >= Blocks::Writes)
}

/// Schemas of tables that are nobody else's, or the server's own.
const NOBODYS: &[&str] = &["pg_temp", "pg_catalog", "information_schema"];

/// Whether nobody uses a table yet.
fn is_new(table: &TableName, catalog: &Catalog) -> bool {
    catalog.tables.get(table).is_some_and(|known| known.is_new)
}

/// The sum of what changes cost.
#[derive(Debug)]
struct Cost {
    known: bool,
    locks: Vec<(TableName, Mode)>,
    rewrites: Vec<TableName>,
    scans: Vec<TableName>,
    algorithm: Option<Algorithm>,
    /// The rows that were added up.
    rows: Vec<&'static str>,
}

impl Default for Cost {
    fn default() -> Self {
        Self {
            known: true,
            locks: Vec::new(),
            rewrites: Vec::new(),
            scans: Vec::new(),
            algorithm: None,
            rows: Vec::new(),
        }
    }
}

impl Cost {
    /// Adds what the row for a case says; without a row nothing is known.
    fn add(&mut self, case: &Case, server: Server) {
        let Some((row, answer)) = find(case.kind(), |fact| case.is(fact), server) else {
            return self.worst();
        };
        self.rows.push(&row.id);
        for (part, mode) in answer.locks() {
            case.tables(part).for_each(|table| self.lock(table, mode));
        }
        for part in &answer.rewrites {
            case.filled(part).for_each(|table| self.rewrite(table));
        }
        for part in &answer.scans {
            case.filled(part).for_each(|table| self.scan(table));
        }
        self.algorithm = self.algorithm.max(answer.algorithm());
    }

    /// Leaves out tables that nobody uses.
    fn forget(&mut self, is_unused: impl Fn(&TableName) -> bool) {
        self.locks.retain(|(table, _)| !is_unused(table));
        self.rewrites.retain(|table| !is_unused(table));
        self.scans.retain(|table| !is_unused(table));
    }

    /// Nothing is known: the worst.
    fn worst(&mut self) {
        self.known = false;
    }

    fn lock(&mut self, table: &TableName, mode: Mode) {
        match self.locks.iter_mut().find(|(known, _)| known == table) {
            Some((_, known)) => *known = mode.max(*known),
            None => self.locks.push((table.clone(), mode)),
        }
    }

    fn rewrite(&mut self, table: &TableName) {
        if !self.rewrites.contains(table) {
            self.rewrites.push(table.clone());
        }
    }

    fn scan(&mut self, table: &TableName) {
        if !self.scans.contains(table) {
            self.scans.push(table.clone());
        }
    }

    fn algorithm(&mut self, algorithm: Algorithm) {
        self.algorithm = self.algorithm.max(Some(algorithm));
    }

    fn effect(self, engine: Engine) -> Effect {
        let held = self.locks.iter().map(|(_, mode)| mode.blocks()).max();
        let blocks =
            if self.known { held.unwrap_or(Blocks::Nothing) } else { Blocks::ReadsAndWrites };
        let lock =
            |(table, mode): (TableName, Mode)| Lock { table, mode: mode.name(engine).to_owned() };
        Effect {
            known: self.known,
            locks: self.locks.into_iter().map(lock).collect(),
            blocks,
            rewrites: self.rewrites,
            scans: self.scans,
            algorithm: self.algorithm,
        }
    }
}

#[cfg(test)]
mod tests;
#[cfg(all(test, feature = "cli", feature = "postgres", feature = "mysql"))]
mod truth_tests;
