//! Statements that nobody would write: endless ones, and broken ones.

use super::tests::{check, mysql, postgres};
use super::*;

#[test]
fn a_chain_that_is_longer_than_a_stack_is_read_or_refused() {
    // The first is read on the test's own thread, which has two megabytes.
    for length in [490, 20_000] {
        let chain = vec!["a = 1"; length].join(" OR ");
        postgres(&format!("DELETE FROM t WHERE {chain}"), &["delete t filtered", "read reads t"]);
    }
    let union = vec!["SELECT 1"; 600].join(" UNION ALL ");
    postgres(&union, &["harmless"]);
    let sum = vec!["1"; 900].join(" + ");
    postgres(
        &format!("ALTER TABLE t ADD CHECK ({sum} > a)"),
        &[&format!("t add - check {sum} > a []")],
    );
}

#[test]
fn a_nest_that_is_deeper_than_a_stack_is_read_or_refused() {
    let nest = "(".repeat(10_000) + "1" + &")".repeat(10_000);
    postgres(&format!("SELECT {nest}"), &["harmless"]);
    postgres(&format!("UPDATE t SET a = {nest}"), &["update t", "read reads t"]);
    postgres(&format!("DELETE FROM t WHERE a = {nest}"), &["delete t filtered", "read reads t"]);
    postgres(&format!("WITH x AS (DELETE FROM t) SELECT {nest}"), &["delete t", "read reads t"]);
    postgres(&format!("ALTER TABLE t ADD CHECK ({nest})"), &[&format!("t add - check {nest} []")]);
    postgres(&format!("CREATE INDEX i ON t ({nest})"), &[&format!("t index i [{nest}]")]);
    let open = "(".repeat(10_000);
    postgres(
        &format!("ALTER TABLE t ADD CHECK {open}"),
        &[&format!("opaque: `ADD CHECK {} ...` is not read", "(".repeat(110))],
    );
    let comments = "/*".repeat(10_000) + &"*/".repeat(10_000);
    postgres(&format!("{comments} TRUNCATE t"), &["truncate t"]);
    let cases = "CASE WHEN a THEN ".repeat(3_000) + "1" + &" END".repeat(3_000);
    postgres(&format!("UPDATE t SET a = {cases}"), &["update t", "read reads t"]);
}

#[test]
fn operators_of_ones_own_and_unicode_escapes_leave_their_statement_readable() {
    for operator in ["|>", "<%>", "@-@", "##<", "OPERATOR(pg_catalog.+)", "OPERATOR(s.|>)", "~~~"] {
        let condition = format!("a {operator} b");
        postgres(&format!("UPDATE t SET a = {condition}"), &["update t", "read reads t"]);
        postgres(
            &format!("ALTER TABLE t ADD CHECK ({condition})"),
            &[&format!("t add - check {condition} []")],
        );
        postgres(
            &format!("CREATE INDEX i ON t (({condition}))"),
            &[&format!("t index i [({condition})]")],
        );
    }
    postgres("UPDATE t SET a = @#@ 24", &["update t", "read reads t"]);
    postgres(
        "DELETE FROM t WHERE a = U&'d!0061t' UESCAPE '!'",
        &["delete t filtered", "read reads t by a"],
    );
    postgres("UPDATE t SET a = E'\\xff \\''", &["update t", "read reads t"]);
    postgres("ALTER TABLE U&\"d!0061ta\" UESCAPE '!' DROP COLUMN U&\"\\0061\"", &["data drop a"]);
}

#[test]
fn a_tablespace_is_moved_with_tables_that_nobody_names() {
    for (kind, what) in
        [("TABLE", "tables"), ("INDEX", "indexes"), ("MATERIALIZED VIEW", "materialized views")]
    {
        let moves = format!("ALTER {kind} ALL IN TABLESPACE a OWNED BY b SET TABLESPACE c NOWAIT");
        let why =
            format!("opaque: ALTER {kind} ALL IN TABLESPACE moves {what} that it does not name");
        postgres(&moves, &[&why]);
    }
}

#[test]
fn a_property_graph_stands_beside_tables() {
    for (sql, what) in [
        (
            "CREATE TEMP PROPERTY GRAPH g VERTEX TABLES (t KEY (id) LABEL x PROPERTIES (a)) EDGE TABLES (u SOURCE t DESTINATION t)",
            "CREATE",
        ),
        ("ALTER PROPERTY GRAPH IF EXISTS g ADD VERTEX TABLES (t)", "ALTER"),
        ("DROP PROPERTY GRAPH IF EXISTS s.g CASCADE", "DROP"),
    ] {
        postgres(sql, &[&format!("other: {what} PROPERTY GRAPH")]);
    }
}

/// Statements of every kind, for what follows.
const SEEDS: &[&str] = &[
    "CREATE TABLE IF NOT EXISTS s.t (a bigint PRIMARY KEY, b varchar(9) NOT NULL DEFAULT 'x', CONSTRAINT c FOREIGN KEY (b) REFERENCES u (x) ON DELETE SET NULL, CHECK (a > 0)) PARTITION BY RANGE (a)",
    "CREATE TABLE `t` (`a` int(10) unsigned NOT NULL AUTO_INCREMENT, `b` enum('x','y') CHARACTER SET utf8mb4, PRIMARY KEY (`a`), KEY `k` (`b`(4) DESC)) ENGINE=InnoDB COMMENT='x'",
    "ALTER TABLE t ADD COLUMN a int NOT NULL DEFAULT f(1, '2'), DROP COLUMN IF EXISTS b CASCADE, ALTER COLUMN c TYPE text USING c::text, ADD CONSTRAINT d CHECK (e IN (1, 2)) NOT VALID",
    "ALTER TABLE t MODIFY a varchar(64) BINARY NOT NULL AFTER b, CHANGE c d int, ADD UNIQUE KEY (x, y), RENAME TO u, ALGORITHM=INPLACE",
    "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON ONLY t USING gin (a jsonb_path_ops, (lower(b))) WHERE c IS NULL",
    "WITH a AS (DELETE FROM b WHERE c RETURNING *), d AS (UPDATE e SET f = 1) INSERT INTO g SELECT * FROM a",
    "SELECT a, (SELECT f(x) FROM y) INTO TEMP z FROM q JOIN LATERAL g(r) ON true",
    "DROP TABLE IF EXISTS a, b.c CASCADE",
    "COMMENT ON COLUMN a.b IS 'it''s'",
    "CREATE TRIGGER a BEFORE INSERT OR UPDATE ON b FOR EACH ROW EXECUTE FUNCTION c()",
    "DO $$ DECLARE a int := 1; BEGIN IF NOT EXISTS (SELECT 1 FROM b) THEN ALTER TABLE c ADD d int; ELSE EXECUTE 'x' || y; END IF; SELECT e INTO STRICT f FROM g; EXCEPTION WHEN others THEN PERFORM h(1); END $$",
    "/*!50100 ALTER TABLE ${t} PARTITION BY HASH (a) */",
    "RENAME TABLE a TO b, c.d TO e",
    "COPY a (b, c) FROM STDIN WITH (FORMAT csv)",
];

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 2_000, ..Default::default() })]

    /// Words are taken out, put twice, exchanged; texts are cut.
    #[test]
    fn no_mutation_of_a_statement_makes_it_panic(
        seed in 0..SEEDS.len(),
        other in 0..SEEDS.len(),
        cuts in proptest::collection::vec((0_usize..80, 0_usize..80, 0_u8..5), 1..6),
        end in 0_usize..400,
    ) {
        let mut words: Vec<&str> = SEEDS[seed].split_inclusive([' ', '(', ')', ',']).collect();
        let others: Vec<&str> = SEEDS[other].split_inclusive([' ', '(', ')', ',']).collect();
        for (at, from, how) in cuts {
            let count = words.len();
            let (at, from) = (at % count.max(1), from % count.max(1));
            match how {
                _ if words.is_empty() => {}
                0 => { words.remove(at); }
                1 => words.insert(at, words[from]),
                2 => words.insert(at, others[from % others.len()]),
                3 => words.swap(at, from),
                _ => words.truncate(at + 1),
            }
        }
        let mut text = words.concat();
        text.truncate(text.floor_char_boundary(end));
        for engine in [Engine::Postgres, Engine::MySql, Engine::MariaDb] {
            let changes = understand(&text, Span::whole(&text), engine);
            proptest::prop_assert!(!changes.is_empty());
            for Located { span, .. } in changes {
                proptest::prop_assert!(text.get(span.start..span.end).is_some());
            }
        }
    }
}

#[test]
fn what_is_not_understood_is_never_nothing() {
    check(
        Engine::MariaDb,
        "BEGIN NOT ATOMIC DROP TABLE a; END",
        &["opaque: BEGIN NOT ATOMIC runs code that zdm cannot see through"],
    );
    postgres("DO $$ BEGIN EXECUTE 'x'; END $$", &["opaque: it cannot be read as SQL"]);
    postgres("SELECT app.migrate()", &["call about app.migrate"]);
    postgres("ALTER TABEL t ADD a int", &["opaque: it cannot be read as SQL"]);
    postgres(
        "ALTER TABLE t ADD COLUMN a int, FROBNICATE b",
        &["t add a INT", "opaque: `FROBNICATE b` is not read"],
    );
    postgres("SELEC 1", &["opaque: it cannot be read as SQL"]);
    postgres("", &["opaque: it does not begin with a word of SQL"]);
    postgres("DROP SCHEMA s CASCADE", &["drop_schema cascade about s"]);
    postgres("SELECT 'a", &["opaque: unterminated string literal"]);
    mysql("CALL p()", &["opaque: CALL runs a procedure that zdm cannot see through"]);
}
