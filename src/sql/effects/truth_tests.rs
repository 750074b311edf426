//! What this layer says, against what real servers do: locks from `pg_locks`, rewrites from file numbers, answers to
//! `ALGORITHM=` and `LOCK=`.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests do not count as tests for clippy"
)]

use std::collections::BTreeMap;

use super::*;
use crate::sql::replay::Names;
use crate::sql::{split, understand};
use crate::support::{self, Session};

/// What is there before each PostgreSQL statement.
const POSTGRES: &str = "
    CREATE TABLE u (id int PRIMARY KEY, x int);
    CREATE TABLE t (id bigint PRIMARY KEY, a varchar(50), b text, n numeric(10,2), c int NOT NULL, d int, ts timestamptz);
    ALTER TABLE t ADD CONSTRAINT b_there CHECK (b IS NOT NULL);
    ALTER TABLE t ADD CONSTRAINT c_positive CHECK (c > 0) NOT VALID;
    CREATE INDEX i ON t (a);
    CREATE UNIQUE INDEX j ON t (c);
    INSERT INTO t SELECT g, 'a', 'b', 1, g, g, now() FROM generate_series(1, 1000) g;
";

/// Statements that can run in a transaction, so that their locks are there to be seen.
const POSTGRES_STATEMENTS: &[&str] = &[
    "ALTER TABLE t ADD COLUMN z int",
    "ALTER TABLE t ADD COLUMN z int NOT NULL DEFAULT 7",
    "ALTER TABLE t ADD COLUMN z timestamptz NOT NULL DEFAULT now()",
    "ALTER TABLE t ADD COLUMN z timestamptz DEFAULT clock_timestamp()",
    "ALTER TABLE t ADD COLUMN z uuid DEFAULT gen_random_uuid()",
    "ALTER TABLE t ADD COLUMN z bigserial",
    "ALTER TABLE t ADD COLUMN z int GENERATED ALWAYS AS IDENTITY",
    "ALTER TABLE t ADD COLUMN z int GENERATED ALWAYS AS (c + 1) STORED",
    "ALTER TABLE t ADD COLUMN z int REFERENCES u",
    "ALTER TABLE t ADD COLUMN z int CHECK (z > 0)",
    "ALTER TABLE t DROP COLUMN d",
    "ALTER TABLE t RENAME COLUMN d TO z",
    "ALTER TABLE t RENAME TO z",
    "ALTER TABLE t ALTER COLUMN a TYPE varchar(100)",
    "ALTER TABLE t ALTER COLUMN a TYPE varchar(20)",
    "ALTER TABLE t ALTER COLUMN a TYPE text",
    "ALTER TABLE t ALTER COLUMN b TYPE varchar",
    "ALTER TABLE t ALTER COLUMN b TYPE varchar(20)",
    "ALTER TABLE t ALTER COLUMN n TYPE numeric(12, 2)",
    "ALTER TABLE t ALTER COLUMN n TYPE numeric(12, 3)",
    "ALTER TABLE t ALTER COLUMN c TYPE bigint",
    "ALTER TABLE t ALTER COLUMN d SET NOT NULL",
    "ALTER TABLE t ALTER COLUMN b SET NOT NULL",
    "ALTER TABLE t ALTER COLUMN c DROP NOT NULL",
    "ALTER TABLE t ALTER COLUMN d SET DEFAULT 5",
    "ALTER TABLE t ALTER COLUMN d SET STATISTICS 100",
    "ALTER TABLE t SET (fillfactor = 70)",
    "ALTER TABLE t SET UNLOGGED",
    "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE t DISABLE TRIGGER ALL",
    "ALTER TABLE t REPLICA IDENTITY FULL",
    "ALTER TABLE t ADD CONSTRAINT z CHECK (d > 0)",
    "ALTER TABLE t ADD CONSTRAINT z CHECK (d > 0) NOT VALID",
    "ALTER TABLE t VALIDATE CONSTRAINT c_positive",
    "ALTER TABLE t ADD CONSTRAINT z FOREIGN KEY (d) REFERENCES u NOT VALID",
    "ALTER TABLE t ADD CONSTRAINT z UNIQUE (d)",
    "ALTER TABLE t ADD CONSTRAINT z UNIQUE USING INDEX j",
    "ALTER TABLE t DROP CONSTRAINT c_positive",
    "ALTER TABLE t RENAME CONSTRAINT c_positive TO z",
    "CREATE INDEX z ON t (d)",
    "CREATE UNIQUE INDEX z ON t (lower(b), d)",
    "DROP INDEX i",
    "ALTER INDEX i RENAME TO z",
    "CREATE TABLE z (id int PRIMARY KEY, t bigint REFERENCES t)",
    "CREATE TRIGGER z BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "UPDATE t SET d = 1 WHERE id = 1",
    "DELETE FROM t WHERE id = 1",
    "INSERT INTO u VALUES (1, 1)",
    "TRUNCATE t",
    "DROP TABLE t",
    "CLUSTER t USING t_pkey",
    "REINDEX TABLE t",
    "LOCK TABLE t",
    "CREATE VIEW z AS SELECT id FROM u",
    "COMMENT ON TABLE t IS 'x'",
];

/// The catalog after some statements.
fn replay(engine: Engine, text: &str, names: &Names) -> Catalog {
    let mut catalog = Catalog::default();
    for statement in split::statements(text, engine) {
        let changes = names.resolve(understand(&statement.sql, statement.span, engine), &catalog);
        catalog.apply(&changes, engine);
    }
    catalog.settle();
    catalog
}

fn judge(sql: &str, catalog: &Catalog, names: &Names, server: Server) -> Effect {
    let changes =
        names.resolve(understand(sql, crate::sql::span::Span::whole(sql), server.engine), catalog);
    effect(&changes, catalog, server)
}

/// Locks stronger than readers' on tables that are not new, as `pg_locks` has them, and the tables' file numbers.
fn observed(session: &Session, sql: &str) -> (BTreeMap<String, Mode>, Vec<String>) {
    let tables = "SELECT c.oid, c.relname, pg_relation_filenode(c.oid) FROM pg_class c WHERE c.relkind = 'r' \
                  AND c.relnamespace = 'public'::regnamespace ORDER BY c.oid";
    let before = session.rows(tables);
    session.run("BEGIN");
    session.run(sql);
    let mut locks = BTreeMap::new();
    for row in &before {
        let [oid, name, _] = row.as_slice() else { panic!("{row:?}") };
        let held = session.rows(&format!(
            "SELECT mode FROM pg_locks WHERE pid = pg_backend_pid() AND granted AND relation = {oid}"
        ));
        let strongest = held.iter().filter_map(|mode| mode_of(&mode[0])).max();
        if let Some(mode) = strongest {
            locks.insert(name.clone(), mode);
        }
    }
    let after = session.rows(tables);
    session.run("ROLLBACK");
    let is_rewritten = |row: &&Vec<String>| {
        let now = after.iter().find(|other| other[0] == row[0]);
        now.is_some_and(|now| now[2] != row[2])
    };
    (locks, before.iter().filter(is_rewritten).map(|row| row[1].clone()).collect())
}

fn mode_of(name: &str) -> Option<Mode> {
    let all = [
        Mode::RowExclusive,
        Mode::ShareUpdateExclusive,
        Mode::Share,
        Mode::ShareRowExclusive,
        Mode::AccessExclusive,
    ];
    all.into_iter().find(|mode| mode.name(Engine::Postgres) == name)
}

/// A database on each PostgreSQL that there is: the installed one, and those of `make test-matrix`.
fn all_postgres() -> impl Iterator<Item = support::Db> {
    let others =
        support::servers::matrix().into_iter().filter(|db| db.engine == support::Engine::Postgres);
    support::postgres().into_iter().chain(others)
}

#[test]
fn postgres_takes_the_locks_and_writes_the_files_that_are_foretold() {
    all_postgres().for_each(|db| locks_and_files(&db));
}

fn locks_and_files(db: &support::Db) {
    db.run(POSTGRES);
    let version: u16 = db
        .value("SHOW server_version_num")
        .parse::<u32>()
        .unwrap()
        .div_euclid(10_000)
        .try_into()
        .unwrap();
    let names = Names::new(Engine::Postgres, &[]);
    let catalog = replay(Engine::Postgres, POSTGRES, &names);
    let session = db.session();
    let mut wrong = Vec::new();
    for sql in POSTGRES_STATEMENTS {
        let (locks, rewrites) = observed(&session, sql);
        let found = judge(
            sql,
            &catalog,
            &names,
            Server { engine: Engine::Postgres, version: (version, 0) },
        );
        let said: BTreeMap<_, _> = found
            .locks
            .iter()
            .map(|lock| (names.show(&lock.table), mode_of(&lock.mode).unwrap()))
            .collect();
        let mut said_rewrites: Vec<_> =
            found.rewrites.iter().map(|table| names.show(table)).collect();
        // REINDEX writes the indexes anew, not the table; both cost a pass over it.
        said_rewrites.retain(|_| !sql.starts_with("REINDEX"));
        if (&said, &said_rewrites) != (&locks, &rewrites) || !found.known {
            wrong.push(format!(
                "{sql}\n  said     {said:?} {said_rewrites:?}\n  observed {locks:?} {rewrites:?}"
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        POSTGRES_STATEMENTS.len(),
        wrong.join("\n")
    );
}

#[test]
fn postgres_reads_a_table_only_where_that_is_foretold() {
    let Some(db) = support::postgres() else { return };
    db.run(POSTGRES);
    let names = Names::new(Engine::Postgres, &[]);
    let catalog = replay(Engine::Postgres, POSTGRES, &names);
    let server = Server { engine: Engine::Postgres, version: (15, 0) };
    for sql in POSTGRES_STATEMENTS
        .iter()
        .filter(|sql| sql.starts_with("ALTER TABLE") || sql.contains("INDEX"))
    {
        let session = db.session();
        session.run("BEGIN");
        let scans = "SELECT coalesce(pg_stat_get_xact_numscans('t'::regclass), 0)";
        let before: u32 = session.value(scans).parse().unwrap();
        let oid = session.value("SELECT 't'::regclass::oid");
        session.run(sql);
        let scans = format!("SELECT coalesce(pg_stat_get_xact_numscans({oid}), 0)");
        let read = session.value(&scans).parse::<u32>().unwrap() > before;
        session.run("ROLLBACK");
        let found = judge(sql, &catalog, &names, server);
        // Index builds and rewrites do not count as scans in the server's statistics.
        let counted =
            !sql.contains("INDEX") && !sql.contains("UNIQUE") && found.rewrites.is_empty();
        if counted && read {
            assert!(!found.scans.is_empty(), "{sql} reads t");
        }
    }
}

/// What is there before each MariaDB statement.
const MARIADB: &str = "
    CREATE TABLE IF NOT EXISTS u (id int PRIMARY KEY);
    CREATE TABLE IF NOT EXISTS f (id int PRIMARY KEY, a text, FULLTEXT KEY i (a));
    CREATE TABLE IF NOT EXISTS t (id bigint PRIMARY KEY, a varchar(10), b varchar(50), c int NOT NULL, d int, e enum('x','y'), g text,
        p point NOT NULL, KEY i (c), KEY k (d), CONSTRAINT pos CHECK (c > 0)) DEFAULT CHARSET=utf8mb4;
";

/// ALTER TABLE statements, to which ALGORITHM and LOCK can be added.
const MARIADB_STATEMENTS: &[&str] = &[
    "ALTER TABLE t ADD COLUMN z int",
    "ALTER TABLE t ADD COLUMN z int NOT NULL DEFAULT 7 AFTER a",
    "ALTER TABLE t ADD COLUMN z int NOT NULL",
    "ALTER TABLE t ADD COLUMN z datetime DEFAULT CURRENT_TIMESTAMP",
    "ALTER TABLE t ADD COLUMN z int DEFAULT (1 + 1)",
    "ALTER TABLE t ADD COLUMN z varchar(36) DEFAULT (uuid())",
    "ALTER TABLE t ADD COLUMN z int GENERATED ALWAYS AS (c + 1) VIRTUAL",
    "ALTER TABLE t ADD COLUMN z int GENERATED ALWAYS AS (c + 1) STORED",
    "ALTER TABLE t ADD COLUMN z int, ADD KEY z (z)",
    "ALTER TABLE t ADD COLUMN z int UNIQUE",
    "ALTER TABLE f ADD COLUMN z int",
    "ALTER TABLE t DROP COLUMN a",
    "ALTER TABLE t DROP COLUMN d",
    "ALTER TABLE t RENAME COLUMN a TO z",
    "ALTER TABLE t CHANGE a z varchar(10)",
    "ALTER TABLE t CHANGE d z bigint",
    "ALTER TABLE t MODIFY a varchar(60)",
    "ALTER TABLE t MODIFY a varchar(100)",
    "ALTER TABLE t MODIFY b varchar(60)",
    "ALTER TABLE t MODIFY b varchar(100)",
    "ALTER TABLE t MODIFY b varchar(20)",
    "ALTER TABLE t MODIFY a text",
    "ALTER TABLE t MODIFY d int NOT NULL",
    "ALTER TABLE t MODIFY c int NULL",
    "ALTER TABLE t MODIFY d bigint",
    "ALTER TABLE t MODIFY e enum('x','y','z')",
    "ALTER TABLE t MODIFY e enum('z','x','y')",
    "ALTER TABLE t ALTER COLUMN d SET DEFAULT 5",
    "ALTER TABLE t ADD INDEX z (a)",
    "ALTER TABLE t ADD UNIQUE INDEX z (a)",
    "ALTER TABLE t ADD FULLTEXT INDEX z (g)",
    "ALTER TABLE f ADD FULLTEXT INDEX z (a)",
    "ALTER TABLE t ADD SPATIAL INDEX z (p)",
    "ALTER TABLE t DROP INDEX i",
    "ALTER TABLE t RENAME INDEX i TO z",
    "ALTER TABLE t ADD CONSTRAINT z FOREIGN KEY (d) REFERENCES u (id)",
    "ALTER TABLE t ADD CONSTRAINT z CHECK (d > 0)",
    "ALTER TABLE t DROP CONSTRAINT pos",
    "ALTER TABLE t DROP PRIMARY KEY",
    "ALTER TABLE t ENGINE=InnoDB",
    "ALTER TABLE t FORCE",
    "ALTER TABLE t ROW_FORMAT=COMPRESSED",
    "ALTER TABLE t CONVERT TO CHARACTER SET latin1",
    "ALTER TABLE t COMMENT='x'",
    "ALTER TABLE t AUTO_INCREMENT=1000",
];

/// The best algorithm that the server grants, and the best lock with it.
fn granted(db: &support::Db, sql: &str) -> (String, &'static str) {
    let session = db.session();
    let table = if sql.starts_with("ALTER TABLE f") { "f" } else { "t" };
    session.run(&format!("DROP TABLE {table}"));
    session.run(MARIADB);
    let algorithms =
        [("Instant", "INSTANT"), ("NoCopy", "NOCOPY"), ("InPlace", "INPLACE"), ("Copy", "COPY")];
    for (algorithm, word) in algorithms {
        for lock in ["NONE", "SHARED"] {
            // What is refused changes nothing.
            if session.try_run(&format!("{sql}, ALGORITHM={word}, LOCK={lock}")).is_ok() {
                return (algorithm.to_owned(), lock);
            }
        }
    }
    ("refused".to_owned(), "EXCLUSIVE")
}

#[test]
fn mariadb_grants_the_algorithm_and_the_lock_that_are_foretold() {
    let Some(db) = support::mariadb() else { return };
    let version = db.value("SELECT version()");
    let mut numbers = version.split(['.', '-']).map_while(|part| part.parse::<u16>().ok());
    let server = Server {
        engine: Engine::MariaDb,
        version: (numbers.next().unwrap(), numbers.next().unwrap()),
    };
    let names = Names::new(Engine::MariaDb, &[]);
    let catalog = replay(Engine::MariaDb, MARIADB, &names);
    db.run(MARIADB);
    let mut wrong = Vec::new();
    for sql in MARIADB_STATEMENTS {
        let found = judge(sql, &catalog, &names, server);
        let said = (
            found.algorithm.map(|algorithm| format!("{algorithm:?}")).unwrap_or_default(),
            found.locks.first().map_or("", |lock| lock.mode.as_str()),
        );
        let granted = granted(&db, sql);
        if (said.0.as_str(), said.1) != (granted.0.as_str(), granted.1) {
            wrong.push(format!("{sql}\n  said    {said:?}\n  granted {granted:?}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        MARIADB_STATEMENTS.len(),
        wrong.join("\n")
    );
}
