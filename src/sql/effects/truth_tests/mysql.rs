//! MySQL and MariaDB: each row's examples are executed with every ALGORITHM and LOCK, each on fresh tables of `base.sql`;
//! new files are seen by InnoDB's table ids.
//!
//! `ZDM_ROWS=type-` runs only the rows whose id begins so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use std::thread;

use super::confirmed::{Agrees, Verdicts};
use super::page::{assert_page, page};
use super::{judged, replay};
use crate::model::server::{Engine, Server};
use crate::sql::effect::Effect;
use crate::sql::effects::rows::{self, Row};
use crate::sql::replay::Names;
use crate::sql::split;
use crate::support::{self, Session};

/// What is there before each statement.
pub(super) static BASE: LazyLock<String> = LazyLock::new(|| {
    let root = env!("CARGO_MANIFEST_DIR");
    std::fs::read_to_string(format!("{root}/lints/effects/mysql/base.sql")).unwrap()
});

/// Where the rows are.
const FOLDER: &str = "lints/effects/mysql";

/// A database on each MariaDB and MySQL that there is.
fn all_mysql() -> impl Iterator<Item = support::Db> {
    let others =
        support::servers::matrix().into_iter().filter(|db| db.engine == support::Engine::MariaDb);
    support::mariadb().into_iter().chain(others)
}

#[test]
fn mysql_and_mariadb_do_what_every_row_says() {
    let rows = rows::all(Engine::MySql);
    let wanted = std::env::var("ZDM_ROWS").unwrap_or_default();
    let databases: Vec<_> = all_mysql().collect();
    let on = |db: &support::Db| {
        let truth = Truth::new(db);
        let rows =
            rows.iter().filter(|row| row.id.starts_with(&wanted) && !row.examples.is_empty());
        let rows = rows.filter(|row| row.answer(truth.server).is_some());
        (truth.name(), rows.map(|row| (row, truth.differences(row))).collect::<Vec<_>>())
    };
    // A server at a time would take minutes.
    let seen: Vec<_> = thread::scope(|scope| {
        let running: Vec<_> = databases.iter().map(|db| scope.spawn(|| on(db))).collect();
        running.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let mut verdicts = Verdicts::default();
    let mut wrong = Vec::new();
    for (server, rows) in seen {
        for (row, differences) in rows {
            let agrees = if differences.is_empty() { Agrees::Yes } else { Agrees::No };
            verdicts.note(row, &server, agrees);
            wrong.extend(differences);
        }
    }
    wrong.extend(verdicts.compare(rows, FOLDER));
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_row_of_mysql_is_confirmed_or_has_a_source() {
    for row in rows::all(Engine::MySql) {
        assert!(!row.confirmed_on.is_empty() || row.source.is_some(), "{}", row.id);
    }
}

#[test]
fn the_page_of_mysql_shows_every_row() {
    let page = page(
        "What statements cost on MySQL and MariaDB",
        "Locks: the best LOCK that the server grants with the best ALGORITHM. *New file*: the rows are written anew. *Read*: \
         they are read from end to end. Clauses of one ALTER TABLE add up; mixing can make cheap clauses dear (`together`).",
        rows::all(Engine::MySql),
    );
    assert_page("docs/effects-mysql.md", &page);
}

/// What a statement costs, as it is said or seen.
#[derive(PartialEq, Eq, Debug)]
struct Cost {
    algorithm: Option<String>,
    lock: Option<String>,
    /// Not seen where the table is not kept by InnoDB before and after.
    rewrites: Option<bool>,
}

/// A server, and what it makes of statements.
struct Truth<'d> {
    db: &'d support::Db,
    server: Server,
    names: Names,
}

/// Tables' ids by their names; those of partitions under their table's name.
type Ids = BTreeMap<String, BTreeSet<String>>;

impl<'d> Truth<'d> {
    fn new(db: &'d support::Db) -> Self {
        let version = db.value("SELECT version()");
        let engine = if version.contains("MariaDB") { Engine::MariaDb } else { Engine::MySql };
        // Nothing here must last.
        for setting in ["innodb_flush_log_at_trx_commit", "sync_binlog"] {
            drop(db.session().try_run(&format!("SET GLOBAL {setting} = 0")));
        }
        let mut numbers = version.split(['.', '-']).map_while(|part| part.parse::<u16>().ok());
        let version = (numbers.next().unwrap(), numbers.next().unwrap());
        Self { db, server: Server { engine, version }, names: Names::new(engine, &[]) }
    }

    /// `mysql:9.7`.
    fn name(&self) -> String {
        let (major, minor) = self.server.version;
        format!("{}:{major}.{minor}", self.server.engine.as_str())
    }

    fn differences(&self, row: &Row) -> Vec<String> {
        row.examples.iter().filter_map(|sql| self.difference(row, sql)).collect()
    }

    fn difference(&self, row: &Row, sql: &str) -> Option<String> {
        let statements = needed(&format!("{} {sql}", row.setup), self.server.engine);
        let text = format!("{};\n{}", statements.join(";\n"), row.setup);
        let catalog = replay(self.server.engine, &text, &self.names);
        let found = judged(sql, &row.setup, &catalog, (&self.names, self.server));
        let fresh = Fresh { truth: self, statements, setup: &row.setup };
        let seen = match fresh.observed(sql) {
            Ok(seen) => seen,
            Err(error) => return Some(format!("{}: {sql}\n  on {}: {error}", row.id, self.name())),
        };
        let mut said = cost(&found.effect);
        if seen.rewrites.is_none() || said.algorithm.as_deref() == Some("FAILS") {
            said.rewrites = seen.rewrites;
        }
        if seen.lock.is_none() {
            said.lock = None;
        }
        // How the server does what it is asked for cannot be seen, only whether it does.
        if asks(sql) {
            said.algorithm = said.algorithm.filter(|name| name == "FAILS");
        }
        let stands = row.change == "together" || found.rows.iter().any(|id| *id == row.id);
        (said != seen || !stands || !found.effect.known).then(|| {
            format!(
                "{}: {sql}\n  on {}, rows {:?}, known {}\n  said {said:?}\n  seen {seen:?}",
                row.id,
                self.name(),
                found.rows,
                found.effect.known,
            )
        })
    }
}

fn cost(effect: &Effect) -> Cost {
    Cost {
        algorithm: effect.algorithm.map(|algorithm| algorithm.as_str().to_owned()),
        lock: effect.locks.first().map(|lock| lock.mode.clone()),
        rewrites: Some(!effect.rewrites.is_empty()),
    }
}

/// The statements of `base.sql` that make what a text names.
fn needed(text: &str, engine: Engine) -> Vec<String> {
    let words = |text: &str| -> BTreeSet<String> {
        text.split(|c: char| !c.is_alphanumeric() && c != '_').map(str::to_owned).collect()
    };
    let statements = split::statements(&BASE, engine);
    let owned: Vec<_> = statements.iter().map(|one| (owner(&one.sql), one.sql.as_str())).collect();
    let mut wanted = words(text);
    for (owner, sql) in owned.iter().rev() {
        if wanted.contains(owner) && sql.starts_with("CREATE") && !sql.starts_with("CREATE TRIGGER")
        {
            wanted
                .extend(words(sql).into_iter().filter(|word| matches!(word.as_str(), "u" | "px")));
        }
    }
    let made = owned.iter().filter(|(owner, _)| wanted.contains(owner));
    made.map(|(_, sql)| (*sql).to_owned()).collect()
}

/// The table that a statement of `base.sql` is about.
fn owner(sql: &str) -> String {
    let words: Vec<_> = sql.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let at = match words.as_slice() {
        ["CREATE", "TRIGGER", ..] => words.iter().position(|word| *word == "ON").unwrap() + 1,
        _ => 2,
    };
    words[at].to_owned()
}

/// Fresh tables for one statement.
struct Fresh<'t> {
    truth: &'t Truth<'t>,
    statements: Vec<String>,
    setup: &'t str,
}

impl Fresh<'_> {
    fn session(&self) -> Result<Session, String> {
        let name = &self.truth.db.name;
        let session = self.truth.db.session();
        session.run(&format!("DROP DATABASE {name}"));
        session.run(&format!("CREATE DATABASE {name} CHARACTER SET utf8mb4"));
        session.run(&format!("USE {name}"));
        for sql in &self.statements {
            session.try_run(sql)?;
        }
        for one in split::statements(self.setup, self.truth.server.engine) {
            session.try_run(&one.sql)?;
        }
        Ok(session)
    }

    fn observed(&self, sql: &str) -> Result<Cost, String> {
        let mut session = self.session()?;
        let before = self.ids(&session);
        if !takes_clauses(sql, self.truth.server.engine) {
            let answer = session.try_run(sql);
            let rewrites = rewrites(sql, &before, &self.ids(&session));
            let algorithm = answer.is_err().then(|| "FAILS".to_owned());
            return Ok(Cost { algorithm, lock: None, rewrites });
        }
        let mut doubtful = None;
        for algorithm in ["INSTANT", "NOCOPY", "INPLACE", "COPY"] {
            let Some((lock, rewrites)) = self.granted(&session, sql, algorithm) else { continue };
            let cheap = matches!(algorithm, "INSTANT" | "NOCOPY");
            let found = Cost {
                algorithm: Some(algorithm.to_owned()),
                lock: Some(lock.to_owned()),
                rewrites,
            };
            // MariaDB 10.11 takes INSTANT for some copies: where files cannot be seen, INPLACE must be taken, too.
            if cheap && rewrites.is_none() {
                doubtful.get_or_insert(found);
            } else if !(cheap && rewrites == Some(true)) {
                let is_sure = doubtful.is_some() && algorithm == "INPLACE";
                return Ok(if is_sure { doubtful.unwrap_or(found) } else { found });
            }
            session = self.session()?;
        }
        let refused = session.try_run(sql).is_err();
        let rewrites = rewrites(sql, &before, &self.ids(&session));
        Ok(Cost { algorithm: refused.then(|| "FAILS".to_owned()), lock: None, rewrites })
    }

    /// The best lock that is granted with an algorithm, and whether that wrote the rows anew.
    fn granted(
        &self,
        session: &Session,
        sql: &str,
        algorithm: &str,
    ) -> Option<(&'static str, Option<bool>)> {
        let locks: &[&str] = match self.truth.server.engine {
            Engine::MySql if algorithm == "NOCOPY" => &[],
            Engine::MySql if algorithm == "INSTANT" => &[""],
            _ => &["NONE", "SHARED", "EXCLUSIVE"],
        };
        let before = self.ids(session);
        let is_granted =
            |lock: &&&'static str| session.try_run(&with_clauses(sql, algorithm, lock)).is_ok();
        let lock = locks.iter().find(is_granted)?;
        let lock = if lock.is_empty() { "NONE" } else { lock };
        Some((lock, rewrites(sql, &before, &self.ids(session))))
    }

    fn ids(&self, session: &Session) -> Ids {
        let view = match self.truth.server.engine {
            Engine::MySql => "INNODB_TABLES",
            _ => "INNODB_SYS_TABLES",
        };
        let name = &self.truth.db.name;
        let rows = session.rows(&format!(
            "SELECT NAME, TABLE_ID FROM information_schema.{view} WHERE NAME LIKE '{}/%'",
            name.replace('_', "\\_")
        ));
        let mut ids = Ids::new();
        for row in rows {
            let table = row[0].split_once('/').unwrap().1.to_lowercase();
            let table = table.split("#p#").next().unwrap().to_owned();
            if !table.starts_with('#') && !table.starts_with("fts_") {
                ids.entry(table).or_default().insert(row[1].clone());
            }
        }
        ids
    }
}

/// Whether none of the table's old ids is left; `None` when InnoDB does not keep it before and after.
fn rewrites(sql: &str, before: &Ids, after: &Ids) -> Option<bool> {
    // What is discarded is nowhere.
    if sql.contains("DISCARD") {
        return None;
    }
    let words: Vec<_> = sql.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let table = words.iter().find(|word| before.contains_key(**word))?;
    let (old, new) = (before.get(*table)?, after.get(*table)?);
    Some(old.is_disjoint(new))
}

/// Whether the statement itself names an algorithm or a lock.
fn asks(sql: &str) -> bool {
    sql.contains("ALGORITHM=") || sql.contains("LOCK=") || sql.starts_with("ALTER ONLINE")
}

fn takes_clauses(sql: &str, engine: Engine) -> bool {
    let index = sql.starts_with("CREATE") && sql.contains("INDEX");
    let drop = engine == Engine::MySql && sql.starts_with("DROP INDEX");
    !asks(sql) && (sql.starts_with("ALTER TABLE") || index || drop)
}

/// The statement with ALGORITHM and LOCK where its grammar has them.
fn with_clauses(sql: &str, algorithm: &str, lock: &str) -> String {
    let mut clauses = vec![format!("ALGORITHM={algorithm}")];
    if !lock.is_empty() {
        clauses.push(format!("LOCK={lock}"));
    }
    if !sql.starts_with("ALTER TABLE") {
        return format!("{sql} {}", clauses.join(" "));
    }
    let clauses = clauses.join(", ");
    let table = sql.split_whitespace().nth(2).unwrap();
    let (head, rest) = sql.split_at(sql.find(table).unwrap() + table.len());
    let rest = rest.trim_start();
    let words: Vec<_> = rest.split_whitespace().take(2).collect();
    match words.as_slice() {
        ["PARTITION", "BY"] | ["REMOVE", _] => format!("{head} {clauses} {rest}"),
        [_, "PARTITION"] | ["ORDER", _] | ["CONVERT", "TABLE"] => {
            format!("{head} {clauses}, {rest}")
        }
        _ => format!("{sql}, {clauses}"),
    }
}
