use super::*;
use crate::sql::replay::Names;
use crate::sql::{split, understand};

/// The tables that the statements below work on.
fn catalog(engine: Engine) -> Catalog {
    let text = match engine {
        Engine::Postgres => {
            "CREATE TABLE t (id bigint PRIMARY KEY, a varchar(50), b text, n numeric(10,2), c int NOT NULL); \
             ALTER TABLE t ADD CONSTRAINT k CHECK (b IS NOT NULL); CREATE INDEX i ON t (a); CREATE TABLE u (id int PRIMARY KEY)"
        }
        Engine::MySql | Engine::MariaDb => {
            "CREATE TABLE t (id bigint PRIMARY KEY, a varchar(10), b varchar(50), e enum('x'), c int NOT NULL, KEY i (c)); \
             CREATE TABLE f (a text, FULLTEXT KEY i (a)); CREATE TABLE u (id int PRIMARY KEY)"
        }
    };
    let names = Names::new(engine, &[]);
    let mut catalog = Catalog::default();
    for statement in split::statements(text, engine) {
        let changes = names.resolve(understand(&statement.sql, statement.span, engine), &catalog);
        catalog.apply(&changes, engine);
    }
    catalog.settle();
    catalog
}

/// `ALGORITHM lock on table, ... rewrites ... scans ...` of the last statement, after the others were replayed.
fn check((engine, version): (Engine, (u16, u16)), sql: &str, expected: &str) {
    let server = Server { engine, version };
    let names = Names::new(engine, &[]);
    let mut catalog = catalog(engine);
    let mut found = None;
    for statement in split::statements(sql, engine) {
        let changes = names.resolve(understand(&statement.sql, statement.span, engine), &catalog);
        found = Some(effect(&changes, &catalog, server));
        catalog.apply(&changes, engine);
    }
    let found = found.unwrap();
    let mut text = Vec::new();
    if !found.known {
        text.push("unknown".to_owned());
    }
    text.extend(found.algorithm.map(|algorithm| format!("{algorithm:?}")));
    text.extend(
        found.locks.iter().map(|lock| format!("{} on {}", lock.mode, names.show(&lock.table))),
    );
    let list = |word: &str, tables: &[TableName]| {
        let tables: Vec<_> = tables.iter().map(|table| names.show(table)).collect();
        (!tables.is_empty()).then(|| format!("{word} {}", tables.join(" ")))
    };
    text.extend(list("rewrites", &found.rewrites));
    text.extend(list("scans", &found.scans));
    assert_eq!(text.join(", "), expected, "{server}: {sql}");
}

fn postgres(sql: &str, expected: &str) {
    check((Engine::Postgres, (15, 0)), sql, expected);
}

fn mysql(sql: &str, expected: &str) {
    check((Engine::MySql, (8, 4)), sql, expected);
}

fn mariadb(sql: &str, expected: &str) {
    check((Engine::MariaDb, (10, 11)), sql, expected);
}

#[test]
fn postgres_names_locks_rewrites_and_scans() {
    postgres("ALTER TABLE t ADD d int", "AccessExclusiveLock on t");
    postgres("ALTER TABLE t ADD d timestamptz NOT NULL DEFAULT now()", "AccessExclusiveLock on t");
    postgres(
        "ALTER TABLE t ADD d uuid DEFAULT gen_random_uuid()",
        "AccessExclusiveLock on t, rewrites t, scans t",
    );
    postgres("ALTER TABLE t ADD d serial", "AccessExclusiveLock on t, rewrites t, scans t");
    postgres("ALTER TABLE t ADD d int NOT NULL", "AccessExclusiveLock on t, scans t");
    postgres(
        "ALTER TABLE t ADD d int REFERENCES u",
        "AccessExclusiveLock on t, ShareRowExclusiveLock on u",
    );
    postgres("ALTER TABLE t ALTER a TYPE text", "AccessExclusiveLock on t");
    postgres("ALTER TABLE t ALTER n TYPE numeric(12, 2)", "AccessExclusiveLock on t");
    postgres("ALTER TABLE t ALTER c TYPE bigint", "AccessExclusiveLock on t, rewrites t, scans t");
    postgres("ALTER TABLE t ALTER a SET NOT NULL", "AccessExclusiveLock on t, scans t");
    postgres("ALTER TABLE t ALTER b SET NOT NULL", "AccessExclusiveLock on t");
    postgres("CREATE INDEX ON t (a)", "ShareLock on t, scans t");
    postgres("CREATE INDEX CONCURRENTLY ON t (a)", "ShareUpdateExclusiveLock on t, scans t");
    postgres("DROP INDEX i", "AccessExclusiveLock on t");
    postgres("DROP INDEX CONCURRENTLY i", "ShareUpdateExclusiveLock on t");
    postgres(
        "ALTER TABLE t ADD FOREIGN KEY (c) REFERENCES u",
        "ShareRowExclusiveLock on t, ShareRowExclusiveLock on u, scans t u",
    );
    postgres("ALTER TABLE t ADD CHECK (c > 0) NOT VALID", "AccessExclusiveLock on t");
    postgres("ALTER TABLE t VALIDATE CONSTRAINT k", "ShareUpdateExclusiveLock on t");
    postgres("UPDATE t SET a = ''", "RowExclusiveLock on t, scans t");
    postgres("VACUUM FULL t", "AccessExclusiveLock on t, rewrites t, scans t");
    postgres("ALTER TABLE t SET (fillfactor = 70)", "ShareUpdateExclusiveLock on t");
    postgres("DO $$ $$", "unknown");
}

#[test]
fn a_new_table_costs_nothing_but_its_foreign_keys_far_end() {
    postgres("CREATE TABLE x (id int, y int REFERENCES u)", "ShareRowExclusiveLock on u");
    postgres("CREATE TABLE x (id int); CREATE INDEX ON x (id)", "");
    postgres(
        "CREATE TABLE x (id int); ALTER TABLE x ADD FOREIGN KEY (id) REFERENCES u",
        "ShareRowExclusiveLock on u",
    );
    mysql("CREATE TABLE x (id int); ALTER TABLE x ADD KEY (id)", "");
}

#[test]
fn mysql_and_mariadb_name_the_best_algorithm_and_lock() {
    mysql("ALTER TABLE t ADD d int NOT NULL DEFAULT 1", "Instant, NONE on t");
    mysql("ALTER TABLE t ADD d int, ADD KEY (d)", "InPlace, NONE on t, rewrites t, scans t");
    mysql("ALTER TABLE t ADD d int DEFAULT (1 + 1)", "Copy, SHARED on t, rewrites t, scans t");
    mariadb("ALTER TABLE t ADD d int DEFAULT (1 + 1)", "Instant, NONE on t");
    mysql("ALTER TABLE f ADD d int", "Copy, SHARED on f, rewrites f, scans f");
    mariadb("ALTER TABLE f ADD d int", "InPlace, SHARED on f, rewrites f, scans f");
    mysql("ALTER TABLE t MODIFY c bigint NOT NULL", "Copy, SHARED on t, rewrites t, scans t");
    check(
        (Engine::MariaDb, (11, 8)),
        "ALTER TABLE t MODIFY c bigint NOT NULL",
        "Copy, NONE on t, rewrites t, scans t",
    );
    mysql("ALTER TABLE t MODIFY c int NULL", "InPlace, NONE on t, rewrites t, scans t");
    mysql("ALTER TABLE t MODIFY b varchar(60)", "InPlace, NONE on t");
    mariadb("ALTER TABLE t MODIFY b varchar(60)", "Instant, NONE on t");
    mysql("ALTER TABLE t MODIFY a varchar(100)", "Copy, SHARED on t, rewrites t, scans t");
    mariadb("ALTER TABLE t MODIFY a varchar(100)", "Instant, NONE on t");
    mariadb("ALTER TABLE t MODIFY b varchar(100)", "Copy, SHARED on t, rewrites t, scans t");
    mysql("ALTER TABLE t MODIFY e enum('x','y')", "Instant, NONE on t");
    mysql("ALTER TABLE t CHANGE c d int NOT NULL", "Instant, NONE on t");
    mysql("CREATE INDEX j ON t (a)", "InPlace, NONE on t, scans t");
    mariadb("CREATE INDEX j ON t (a)", "NoCopy, NONE on t, scans t");
    mariadb("CREATE FULLTEXT INDEX j ON t (a)", "InPlace, SHARED on t, rewrites t, scans t");
    mariadb("CREATE FULLTEXT INDEX j ON f (a)", "NoCopy, SHARED on f, scans f");
    mysql(
        "ALTER TABLE t ADD FOREIGN KEY (c) REFERENCES u (id)",
        "Copy, SHARED on t, rewrites t, scans t",
    );
    mysql("ALTER TABLE t ENGINE=InnoDB", "InPlace, NONE on t, rewrites t, scans t");
    mysql(
        "ALTER TABLE t CONVERT TO CHARACTER SET latin1",
        "Copy, SHARED on t, rewrites t, scans t",
    );
    mysql("ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4", "InPlace, NONE on t");
    mysql("ALTER TABLE t DROP COLUMN a", "Instant, NONE on t");
    mysql("ALTER TABLE t DROP COLUMN c", "InPlace, NONE on t, rewrites t, scans t");
    mariadb("RENAME TABLE t TO v", "EXCLUSIVE on t");
    mariadb("ALTER TABLE t RENAME v", "Instant, EXCLUSIVE on t");
    mysql("DROP TABLE t", "EXCLUSIVE on t");
}

#[test]
fn what_a_statement_asks_of_the_server_is_what_it_gets() {
    mysql("ALTER TABLE t ADD d int, ALGORITHM=INPLACE", "InPlace, NONE on t, rewrites t, scans t");
    mariadb("ALTER TABLE t ADD d int, ALGORITHM=INPLACE", "Instant, NONE on t");
    mysql("ALTER TABLE t ADD d int, ALGORITHM=INSTANT", "Instant, NONE on t");
    mysql("ALTER TABLE t ADD d int, ALGORITHM=INSTANT, LOCK=NONE", "Fails");
    mariadb("ALTER TABLE t ADD d int, ALGORITHM=INSTANT, LOCK=NONE", "Instant, NONE on t");
    mysql("ALTER TABLE t ADD d int, ALGORITHM=NOCOPY", "Fails");
    mysql("ALTER TABLE t ADD d int, LOCK=EXCLUSIVE", "Instant, EXCLUSIVE on t");
    mysql("ALTER TABLE t ADD d int, ALGORITHM=COPY", "Copy, SHARED on t, rewrites t, scans t");
    mysql("ALTER TABLE t ADD d int, ALGORITHM=COPY, LOCK=NONE", "Fails");
    mysql("ALTER TABLE t MODIFY c bigint, ALGORITHM=INPLACE", "Fails");
    mysql("ALTER TABLE t MODIFY c bigint, LOCK=NONE", "Fails");
    check(
        (Engine::MariaDb, (11, 8)),
        "CREATE FULLTEXT INDEX z ON t (a) LOCK=NONE",
        "Copy, NONE on t, rewrites t, scans t",
    );
    mariadb("ALTER ONLINE TABLE t MODIFY c bigint", "Fails");
    mysql("CREATE INDEX z ON t (a) ALGORITHM=INPLACE LOCK=NONE", "InPlace, NONE on t, scans t");
    mysql("ALTER TABLE t ALGORITHM=COPY", "Copy, SHARED on t, rewrites t, scans t");
    mysql("ALTER TABLE t RENAME v, LOCK=NONE", "Fails");
}
