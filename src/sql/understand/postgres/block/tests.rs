use super::*;
use crate::sql::split::statements;
use crate::sql::understand::understand;

/// The changes of a statement, each with the text of its place.
fn places(sql: &str) -> Vec<(Change, String)> {
    let file = format!("-- é\n\t{sql}");
    let statement = statements(&file, Engine::Postgres).remove(0);
    let changes = understand(&statement.sql, statement.span, Engine::Postgres);
    let text = |span: Span| file.get(span.start..span.end).unwrap().to_owned();
    changes.into_iter().map(|located| (located.change, text(located.span))).collect()
}

fn check(sql: &str, expected: &[(&str, &str)]) {
    let found: Vec<_> = places(sql)
        .into_iter()
        .map(|(change, text)| (super::super::super::tests::brief(&change), text))
        .collect();
    let found: Vec<_> =
        found.iter().map(|(change, text)| (change.as_str(), text.as_str())).collect();
    assert_eq!(found, expected, "{sql}");
}

/// A block of these statements.
fn block(statements: &str) -> String {
    format!("DO $do$ BEGIN {statements} END $do$")
}

const DYNAMIC: &str = "opaque: it runs SQL that is put together at run time";
const CODE: &str = "opaque: DO runs code that zdm cannot see through";

#[test]
fn each_statement_counts_at_its_place_whatever_branch_it_stands_in() {
    check(
        "DO LANGUAGE 'plpgsql' $do$\n<<top>> DECLARE x int := 1; BEGIN\n\
         IF NOT EXISTS (SELECT 1 FROM é WHERE CASE WHEN a THEN b END) THEN\n\
         ALTER TABLE t ADD a int, DROP b;\n\
         ELSIF x > 1 THEN DROP TABLE u; ELSE NULL; END IF;\n\
         FOR i IN 1..10 LOOP UPDATE t SET a = i; END LOOP;\n\
         END top $do$",
        &[
            ("read reads é", "NOT EXISTS (SELECT 1 FROM é WHERE CASE WHEN a THEN b END)"),
            ("t add a INT", "ADD a int"),
            ("t drop b", "DROP b"),
            ("drop u", "DROP TABLE u"),
            ("update t", "UPDATE t SET a = i"),
            ("read reads t", "UPDATE t SET a = i"),
        ],
    );
    check(
        &block(
            "BEGIN TRUNCATE a; EXCEPTION WHEN undefined_table OR others THEN TRUNCATE b; END; \
             CASE WHEN f THEN TRUNCATE c; ELSE TRUNCATE d; END CASE; \
             WHILE g LOOP EXIT WHEN h; TRUNCATE e; END LOOP;",
        ),
        &[
            ("truncate a", "TRUNCATE a"),
            ("truncate b", "TRUNCATE b"),
            ("truncate c", "TRUNCATE c"),
            ("truncate d", "TRUNCATE d"),
            ("truncate e", "TRUNCATE e"),
        ],
    );
    check("DO 'BEGIN TRUNCATE a; END'", &[("truncate a", "TRUNCATE a")]);
    // Doubled quotes: only the statement's own place can be told.
    let quoted = "DO 'BEGIN DELETE FROM a WHERE b = ''x''; END'";
    check(quoted, &[("delete a filtered", quoted), ("read reads a by b", quoted)]);
}

#[test]
fn variables_are_no_tables() {
    check(
        &block("SELECT a, count(*) INTO STRICT x, y.z FROM t; n := (SELECT 1 FROM u);"),
        &[
            ("read reads t", "SELECT a, count(*) INTO STRICT x, y.z FROM t"),
            ("read reads u", "(SELECT 1 FROM u)"),
        ],
    );
    check(
        &block("INSERT INTO t (a) VALUES (1) RETURNING id INTO x; RAISE NOTICE 'x', f(1);"),
        &[("insert t", "INSERT INTO t (a) VALUES (1) RETURNING id INTO x")],
    );
    check(
        &block("RAISE NOTICE 'nothing'; x.y[1] = 2;"),
        &[("harmless", &block("RAISE NOTICE 'nothing'; x.y[1] = 2;"))],
    );
}

#[test]
fn a_constant_text_is_executed_and_any_other_stays_opaque_at_its_place() {
    check(
        &block(
            "EXECUTE 'DROP TABLE ' || 'a'; EXECUTE format('TRUNCATE b'); EXECUTE $q$TRUNCATE c$q$ USING 1;",
        ),
        &[
            ("drop a", "EXECUTE 'DROP TABLE ' || 'a'"),
            ("truncate b", "EXECUTE format('TRUNCATE b')"),
            ("truncate c", "EXECUTE $q$TRUNCATE c$q$ USING 1"),
        ],
    );
    check(
        &block("TRUNCATE a; EXECUTE 'DROP TABLE ' || x; PERFORM f(1);"),
        &[
            ("truncate a", "TRUNCATE a"),
            (DYNAMIC, "EXECUTE 'DROP TABLE ' || x"),
            ("call about f", "PERFORM f(1)"),
        ],
    );
    check(&block("FOR r IN EXECUTE x LOOP NULL; END LOOP;"), &[(DYNAMIC, "EXECUTE x")]);
    check(
        &block("EXECUTE format('DROP TABLE %I', x);"),
        &[(DYNAMIC, "EXECUTE format('DROP TABLE %I', x)")],
    );
}

#[test]
fn what_is_no_block_that_can_be_followed_is_opaque_as_a_whole() {
    for sql in [
        "DO $$ import os $$ LANGUAGE plpython3u".to_owned(),
        "DO $$ TRUNCATE a; $$".to_owned(),
        block("IF a THEN TRUNCATE b;"),
        block("TRUNCATE b; END IF;"),
        block("TRUNCATE b"),
        block(&("BEGIN ".repeat(10_000) + &"END; ".repeat(10_000))),
    ] {
        check(&sql, &[(CODE, &sql)]);
    }
    let inner = block("DO $$ BEGIN TRUNCATE a; END $$;");
    check(&inner, &[(CODE, "DO $$ BEGIN TRUNCATE a; END $$")]);
}
