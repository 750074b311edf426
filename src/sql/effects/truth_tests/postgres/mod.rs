//! PostgreSQL: each row's examples are executed, each on what `base.sql` made; locks are read from `pg_locks`, rewrites
//! from file numbers, scans from the counters of rows read.
//!
//! `ZDM_ROWS=type-,drop-` runs only the rows whose id begins so.

mod blocked;
mod copies;
mod observed;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::confirmed::{Agrees, Verdicts};
use super::{judged, replay, replay_on};
use crate::model::server::{Engine, Server};
use crate::sql::catalog::Catalog;
use crate::sql::effects::rows::{self, Row};
use crate::sql::replay::Names;
use crate::support;
use copies::Copies;
use observed::Observed;

/// What is there before each statement.
pub(super) static BASE: LazyLock<String> = LazyLock::new(|| {
    let root = env!("CARGO_MANIFEST_DIR");
    let read = |name: &str| {
        std::fs::read_to_string(format!("{root}/lints/effects/postgres/{name}.sql")).unwrap()
    };
    format!("{}\n{}", read("base"), read("beside"))
});

/// Where the rows are.
const FOLDER: &str = "lints/effects/postgres";

/// A database on each PostgreSQL that there is: the installed one, and those of `make test-matrix`.
fn all_postgres() -> impl Iterator<Item = support::Db> {
    let others =
        support::servers::matrix().into_iter().filter(|db| db.engine == support::Engine::Postgres);
    support::postgres().into_iter().chain(others)
}

#[test]
fn postgres_does_what_every_row_says() {
    let rows = rows::all(Engine::Postgres);
    let wanted = std::env::var("ZDM_ROWS").unwrap_or_default();
    let wanted: Vec<_> = rows
        .iter()
        .filter(|row| wanted.split(',').any(|begin| row.id.starts_with(begin)))
        .collect();
    let mut verdicts = Verdicts::default();
    let mut wrong = Vec::new();
    std::thread::scope(|scope| {
        let parts = wanted.chunks(wanted.len().div_ceil(AT_ONCE).max(1));
        let threads: Vec<_> = parts.map(|part| scope.spawn(|| executed(part))).collect();
        for (row, server, differences) in threads.into_iter().flat_map(|one| one.join().unwrap()) {
            let agrees = if differences.is_empty() { Agrees::Yes } else { Agrees::No };
            if !row.examples.is_empty() {
                verdicts.note(row, &server, agrees);
            }
            wrong.extend(differences);
        }
    });
    wrong.extend(verdicts.compare(rows, FOLDER));
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

/// How many rows are executed at once, on databases of their own.
const AT_ONCE: usize = 2;

/// Each row on each server that has the form, and where they disagree.
fn executed<'r>(rows: &[&'r Row]) -> Vec<(&'r Row, String, Vec<String>)> {
    let mut results = Vec::new();
    for db in all_postgres() {
        let truth = Truth::new(&db);
        for row in rows.iter().filter(|row| row.answer(truth.server).is_some()) {
            results.push((*row, truth.server.short(), truth.differences(row)));
        }
    }
    results
}

impl Server {
    /// `postgres:15`: as rows name it.
    fn short(self) -> String {
        format!("{}:{}", self.engine.as_str(), self.version.0)
    }
}

/// A server with the base schema, and what the simulated catalog makes of it.
struct Truth<'d> {
    copies: Copies<'d>,
    server: Server,
    names: Names,
    catalog: Catalog,
}

impl<'d> Truth<'d> {
    fn new(db: &'d support::Db) -> Self {
        let number: u32 = db.value("SHOW server_version_num").parse().unwrap();
        let version = u16::try_from(number / 10_000).unwrap();
        db.run(&BASE);
        db.run("VACUUM ANALYZE");
        let names = Names::new(Engine::Postgres, &[]);
        Self {
            copies: Copies::new(db),
            server: Server { engine: Engine::Postgres, version: (version, 0) },
            catalog: replay(Engine::Postgres, &BASE, &names),
            names,
        }
    }

    /// Where the examples of a row do something else than zdm says.
    fn differences(&self, row: &Row) -> Vec<String> {
        let mut catalog = self.catalog.clone();
        replay_on(&mut catalog, Engine::Postgres, &row.setup, &self.names);
        let differs = |sql: &String| self.difference(row, sql, &catalog);
        row.examples.iter().filter_map(differs).collect()
    }

    fn difference(&self, row: &Row, sql: &str, catalog: &Catalog) -> Option<String> {
        let said = judged(sql, "", catalog, (&self.names, self.server));
        let place = format!("{} on {}: {sql}", row.id, self.server.short());
        let observed = match self.copies.observed(&row.setup, sql) {
            Ok(observed) => observed,
            Err(error) => return Some(format!("{place}\n  {error}")),
        };
        if !said.rows.contains(&row.id.as_str()) {
            return Some(format!("{place}\n  is judged by {:?}\n{observed}", said.rows));
        }
        if !said.effect.known {
            return Some(format!("{place}\n  is not known\n{observed}"));
        }
        let said = Observed::of(&said.effect);
        (said != observed).then(|| format!("{place}\nsaid\n{said}observed\n{observed}"))
    }
}

#[test]
fn every_row_has_an_id_of_its_own_and_is_executed_or_has_a_source() {
    let mut ids = BTreeSet::new();
    for row in rows::all(Engine::Postgres) {
        assert!(ids.insert(&row.id), "{} is there twice", row.id);
        assert!(!row.confirmed_on.is_empty() || row.source.is_some(), "{}", row.id);
    }
}
