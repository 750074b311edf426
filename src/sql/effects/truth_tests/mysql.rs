//! MariaDB: the best ALGORITHM that the server grants, and the best LOCK with it.

use super::{judge, replay};
use crate::model::server::{Engine, Server};
use crate::sql::replay::Names;
use crate::support;

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
