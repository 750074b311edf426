use std::fmt::Write;
use std::rc::Weak;

use proptest::prelude::*;

use super::*;
use crate::model::server::Engine;
use crate::sql::span::Places;
use crate::sql::split::RunBy;

/// The findings of a file under its lines: `severity rule: message`, with a mark under what they are about.
fn lint(engine: Engine, text: &str, rules: &[(&str, Option<Severity>)]) -> String {
    let (names, mut catalog) = (Names::new(engine, &[]), Catalog::default());
    let rules = rules.iter().map(|(id, severity)| ((*id).to_owned(), *severity)).collect();
    let mut cx = FileContext {
        phase: None,
        server: Server { engine, version: (15, 0) },
        names: &names,
        catalog: &mut catalog,
        rules: &rules,
        backfilled: &[],
    };
    let mut result = String::new();
    for finding in lint_file(text, &mut cx).into_iter().flat_map(|statement| statement.findings) {
        let Span { start, end, line, column, .. } = finding.span;
        assert_eq!((line, column), {
            let span = Places::of(text).span(start, end);
            (span.line, span.column)
        });
        writeln!(
            result,
            "{line}:{column} {:?} {} `{}`",
            finding.severity,
            finding.rule,
            text.get(start..end).unwrap()
        )
        .unwrap();
    }
    result
}

/// Has a file of another tool judged on an empty schema.
fn of_another_tool<R>(judge: impl FnOnce(&mut FileContext<'_>) -> R) -> R {
    let (names, rules) = (Names::new(Engine::Postgres, &[]), BTreeMap::new());
    judge(&mut FileContext {
        phase: None,
        server: Server { engine: Engine::Postgres, version: (15, 0) },
        names: &names,
        catalog: &mut Catalog::default(),
        rules: &rules,
        backfilled: &[],
    })
}

#[test]
fn nothing_is_held_of_rows_but_what_is_kept() {
    let rows = "INSERT INTO t (a) VALUES (1); INSERT INTO t VALUES (2); UPDATE t SET a = 1 WHERE b; \
                DELETE FROM t; SELECT 1; ";
    for text in
        [rows.repeat(300), format!("BEGIN; {} COMMIT;", "INSERT INTO t VALUES (1); ".repeat(300))]
    {
        let mut judged: Vec<Weak<LintedStatement>> = Vec::new();
        let mut most = 0;
        let file = read::begin_file(&text, Engine::Postgres, RunBy::AnyTool);
        of_another_tool(|cx| {
            judge::file(file.statements(&text), cx, |statement| {
                most = most.max(judged.iter().filter(|one| one.strong_count() > 0).count());
                judged.push(Rc::downgrade(statement));
            })
        });
        assert!(judged.len() >= 300);
        assert_eq!(most, 0, "so many statements are in memory beside the one that is judged");
    }
}

#[test]
fn statements_that_are_read_late_are_judged_like_the_first() {
    let rows = "INSERT INTO t VALUES (1);\n-- zdm:allow(unbatched-dml) small\nUPDATE t SET a = 1;\nDELETE FROM t;\n";
    let text =
        format!("{0}CREATE TABLE t (a int);\nCREATE INDEX i ON t (a);\n{0}", rows.repeat(250));
    let begun = read::begin_file(&text, Engine::Postgres, RunBy::AnyTool);
    let found = of_another_tool(|cx| judge_briefly((begun, &text), cx, |_| ()));
    let found: Vec<Finding> = found.into_iter().flat_map(|((), findings)| findings).collect();
    let whole = read::read_file(&text, Engine::Postgres, RunBy::AnyTool);
    let expected = of_another_tool(|cx| judge_file(whole, cx));
    let expected: Vec<Finding> = expected.into_iter().flat_map(|one| one.findings).collect();
    assert!(found == expected);
    assert!(found.iter().any(|finding| finding.rule == "missing-primary-key"));
    assert!(found.last().unwrap().span.line > 1_900);
}

fn check(text: &str, expected: &str) {
    assert_eq!(lint(Engine::Postgres, text, &[]), expected, "{text}");
}

#[test]
fn a_finding_stands_at_its_clause() {
    check(
        "ALTER TABLE é\r\n  ADD a int,\r\n  RENAME b TO c;\nDROP TABLE x, y",
        "3:3 Error rename-column `RENAME b TO c`\n4:12 Error drop-outside-contract `x`\n\
         4:15 Error drop-outside-contract `y`\n",
    );
}

#[test]
fn what_is_said_of_a_column_stands_at_the_column() {
    let text = "CREATE TABLE \"é\" (\r\n\tid int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,\r\n\t\"ü\" text, c json CHECK (c IS NOT NULL), CHECK (id > 0)\n);";
    check(
        text,
        "3:12 Info json-type `c json CHECK (c IS NOT NULL)`\n\
         2:2 Info primary-key-int `id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY`\n",
    );
    let text = "CREATE TABLE IF NOT EXISTS d.`t` (\n  `é` int,\n\t`Id` int AUTO_INCREMENT,\n  PRIMARY KEY (id))";
    assert!(
        lint(Engine::MySql, text, &[])
            .contains("3:2 Info primary-key-int `\u{60}Id\u{60} int AUTO_INCREMENT`")
    );
}

#[test]
fn what_is_said_of_one_of_several_tables_stands_at_its_name() {
    let before =
        "CREATE TABLE a (id bigint PRIMARY KEY);\nCREATE TABLE b (id bigint PRIMARY KEY);\n";
    let places = |engine, statement: &str| {
        let (names, mut catalog) = (Names::new(engine, &[]), Catalog::default());
        let rules = BTreeMap::new();
        let mut cx = FileContext {
            phase: Some(Phase::Expand),
            server: Server { engine, version: (15, 0) },
            names: &names,
            catalog: &mut catalog,
            rules: &rules,
            backfilled: &[],
        };
        drop(lint_file(before, &mut cx));
        cx.catalog.settle();
        let found = lint_file(statement, &mut cx).into_iter().flat_map(|judged| judged.findings);
        let found = found.filter(|finding| finding.rule != "without-rollback");
        let mut found: Vec<_> = found
            .map(|finding| {
                let Span { start, end, line, column, .. } = finding.span;
                format!("{line}:{column} {}", statement.get(start..end).unwrap())
            })
            .collect();
        found.sort();
        found.dedup();
        found
    };
    let dropped = "/* é */ DROP TABLE IF EXISTS a,\r\n\tpublic.\"b\" CASCADE";
    assert_eq!(places(Engine::Postgres, dropped), ["1:30 a", "2:2 public.\"b\""]);
    assert_eq!(places(Engine::Postgres, "TRUNCATE a, b"), ["1:10 a", "1:13 b"]);
    assert_eq!(places(Engine::MySql, "RENAME TABLE a TO c, `b` TO d"), ["1:14 a", "1:22 `b`"]);
    assert_eq!(places(Engine::Postgres, "DROP TABLE b"), ["1:1 DROP TABLE b"]);
}

#[test]
fn rows_of_one_kind_may_be_few_and_are_a_warning_while_the_size_is_not_known() {
    for (sql, severity) in [
        ("UPDATE t SET a = 1 WHERE kind = 'x'", "1:1 Warning"),
        ("DELETE FROM t WHERE kind IN ('x', 'y') AND b > 1", "1:1 Warning"),
        ("DELETE FROM t WHERE b > 1", "1:1 Error"),
        ("UPDATE t SET a = 1 WHERE kind = 'x' OR b > 1", "1:1 Error"),
        ("UPDATE t SET a = 1", "1:1 Error"),
        ("UPDATE t SET a = 1 WHERE id = 7", ""),
    ] {
        let expected = if severity.is_empty() {
            String::new()
        } else {
            format!("{severity} unbatched-dml `{sql}`\n")
        };
        assert_eq!(lint(Engine::Postgres, sql, &[]), expected);
        assert_eq!(lint(Engine::MySql, sql, &[]), expected);
    }
}

#[test]
fn a_table_of_mysql_is_the_same_with_its_database_and_without() {
    let index = |made: &str, used: &str| {
        format!("CREATE TABLE {made} (id int PRIMARY KEY, a int); UPDATE {used} SET a = 1;")
    };
    for (made, used) in [("d.t", "t"), ("d.o (id int PRIMARY KEY); CREATE TABLE t", "d.t")] {
        assert_eq!(lint(Engine::MySql, &index(made, used), &[]), "", "{made} {used}");
    }
    // Of two databases nobody knows which one is meant.
    let two = index("d.t (id int PRIMARY KEY); CREATE TABLE e.t", "t");
    assert!(lint(Engine::MySql, &two, &[]).contains("Error unbatched-dml"));
    assert!(lint(Engine::MySql, &index("d.t", "e.t"), &[]).contains("Error unbatched-dml"));
    assert!(lint(Engine::Postgres, &index("d.t", "t"), &[]).contains("Error unbatched-dml"));
}

#[test]
fn a_block_is_judged_by_its_statements_and_has_no_edits() {
    let block = "DO $$ BEGIN\n  CREATE INDEX i ON t (a);\n  EXECUTE 'DROP TABLE ' || x;\nEND $$";
    check(
        block,
        "2:3 Error index-not-concurrent `CREATE INDEX i ON t (a)`\n\
         3:3 Error not-understood `EXECUTE 'DROP TABLE ' || x`\n",
    );
    for (text, is_fixed) in [(block, false), ("CREATE INDEX i ON t (a)", true)] {
        let (names, mut catalog) = (Names::new(Engine::Postgres, &[]), Catalog::default());
        let mut cx = FileContext {
            phase: None,
            server: Server { engine: Engine::Postgres, version: (15, 0) },
            names: &names,
            catalog: &mut catalog,
            rules: &BTreeMap::new(),
            backfilled: &[],
        };
        let statements = lint_file(text, &mut cx);
        let fixed = statements.iter().flat_map(|one| &one.findings).any(|one| one.fix.is_some());
        assert_eq!(fixed, is_fixed, "{text}");
    }
}

#[test]
fn an_allow_needs_a_reason_and_something_to_silence() {
    check("-- zdm:allow(rename-column) only read by tests\nALTER TABLE t RENAME a TO b", "");
    check(
        "/* zdm:allow(rename-column, drop-outside-contract) why */ ALTER TABLE t RENAME a TO b, DROP c",
        "",
    );
    check(
        "-- zdm:allow(rename-column)\nALTER TABLE t RENAME a TO b",
        "2:15 Error rename-column `RENAME a TO b`\n1:1 Warning unused-allow `-- zdm:allow(rename-column)`\n",
    );
    check(
        "-- zdm:allow(rename-column) why\nALTER TABLE t DROP a",
        "2:15 Error drop-outside-contract `DROP a`\n1:1 Warning unused-allow `-- zdm:allow(rename-column) why`\n",
    );
    check("-- zdm:allow(x) why\nSELECT 1", "1:1 Warning unused-allow `-- zdm:allow(x) why`\n");
    check("-- zdm:alow(x) why\n", "1:1 Warning unused-allow `-- zdm:alow(x) why`\n");
}

#[test]
fn the_configuration_changes_severities_and_switches_rules_off() {
    let text = "ALTER TABLE t RENAME a TO b, DROP c";
    let rules = [("rename-column", None), ("drop-outside-contract", Some(Severity::Info))];
    assert_eq!(lint(Engine::MySql, text, &rules), "1:30 Info drop-outside-contract `DROP c`\n");
}

#[test]
fn a_file_that_no_server_reads_is_a_finding_and_not_an_error() {
    check("ALTER TABLE t ADD a int; SELECT 'x", "1:26 Error not-understood `SELECT 'x`\n");
    check("\\set x 1\nSELECT 1;", "1:1 Error not-understood `\\set x 1`\n");
    check("", "");
    check("\u{feff}-- nothing\n", "");
}

#[test]
fn fixes_are_ready_to_use() {
    let names = Names::new(Engine::Postgres, &[]);
    let text = "ALTER TABLE users RENAME name TO title; UPDATE users SET a = '\"' WHERE a IS NULL";
    let (mut catalog, rules) = (Catalog::default(), BTreeMap::new());
    let mut cx = FileContext {
        phase: None,
        server: Server { engine: Engine::Postgres, version: (15, 0) },
        names: &names,
        catalog: &mut catalog,
        rules: &rules,
        backfilled: &[],
    };
    let fixes: Vec<_> = lint_file(text, &mut cx)
        .into_iter()
        .flat_map(|statement| statement.findings)
        .map(|finding| match finding.fix {
            Some(finding::Fix::Operation { toml }) => toml,
            other => panic!("{other:?}"),
        })
        .collect();
    let rename = "[[operation]]\nkind  = \"rename_column\"\ntable = \"users\"\nfrom  = \"name\"\nto    = \"title\"\n";
    let backfill =
        "[[backfill]]\ntable = \"users\"\nset   = \"a = '\\\"'\"\nwhere = \"a IS NULL\"\n";
    assert_eq!(fixes[0], rename);
    assert_eq!(fixes[1].parse::<toml::Table>().unwrap(), backfill.parse::<toml::Table>().unwrap());
}

#[test]
fn a_generated_statement_is_judged_by_its_cost_alone() {
    let names = Names::new(Engine::Postgres, &[]);
    let (mut catalog, rules) = (Catalog::default(), BTreeMap::new());
    let mut cx = FileContext {
        phase: Some(Phase::Expand),
        server: Server { engine: Engine::Postgres, version: (15, 0) },
        names: &names,
        catalog: &mut catalog,
        rules: &rules,
        backfilled: &[],
    };
    assert!(lint_generated("ALTER TABLE t RENAME a TO b", &mut cx).findings.is_empty());
    assert_eq!(lint_generated("CREATE INDEX ON t (a)", &mut cx).findings.len(), 1);
}

/// No operation can know what old builds say: who knows of such a build switches the rule on, and expand is refused.
#[test]
fn a_generated_statement_that_changes_the_shape_of_a_table_is_judged_on_demand() {
    let names = Names::new(Engine::Postgres, &[]);
    let mut catalog = Catalog::default();
    let mut judge = |rules: &BTreeMap<String, Option<Severity>>| {
        let mut cx = FileContext {
            phase: Some(Phase::Expand),
            server: Server { engine: Engine::Postgres, version: (15, 0) },
            names: &names,
            catalog: &mut catalog,
            rules,
            backfilled: &[],
        };
        lint_generated("ALTER TABLE t ADD COLUMN a text", &mut cx).findings
    };
    assert!(judge(&BTreeMap::new()).is_empty());
    let on = [("result-shape".to_owned(), Some(Severity::Error))].into();
    let findings = judge(&on);
    assert_eq!(findings.iter().map(|one| one.rule).collect::<Vec<_>>(), ["result-shape"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_it_panic(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "ALTER", "TABLE", "t", "s.t", "ADD", "DROP", "COLUMN", "RENAME", "TO", "a", "int", "varchar(10)", "NOT",
                "NULL", "DEFAULT", "CREATE", "INDEX", "UNIQUE", "CONCURRENTLY", "ON", "(", ")", ",", ";", "IF", "EXISTS",
                "CONSTRAINT", "PRIMARY", "KEY", "FOREIGN", "REFERENCES", "CHECK", "UPDATE", "SET", "=", "1", "WHERE",
                "DELETE", "FROM", "BEGIN", "COMMIT", "END", "TRIGGER", "CHANGE", "MODIFY", "ENGINE", "USING", "'x'", "$$",
                "\"q\"", "`q`", "-- zdm:allow(x) y\n", "/*!50100", "*/", "\\", "\n", "é", ".", "*", "TYPE", "VALIDATE",
                "SELECT", "f()", "WITH", "AS", "COMMENT", "TEMPORARY", "FULLTEXT", "PARTITION", "LOCK", "VIEW", "INTO",
            ]),
            0..40,
        )
    ) {
        let text = words.join(" ");
        for engine in [Engine::Postgres, Engine::MySql, Engine::MariaDb] {
            lint(engine, &text, &[]);
            let names = Names::new(engine, &[]);
            let (mut catalog, rules) = (Catalog::default(), BTreeMap::new());
            let server = Server { engine, version: (11, 4) };
            let mut cx = FileContext {
                phase: Some(Phase::Migrate),
                server,
                names: &names,
                catalog: &mut catalog,
                rules: &rules,
                backfilled: &[],
            };
            for statement in lint_file(&text, &mut cx) {
                prop_assert!(!statement.changes.is_empty());
                let Span { start, end, .. } = statement.source.span;
                prop_assert!(text.get(start..end).is_some());
                for located in &statement.changes {
                    prop_assert!(text.get(located.span.start..located.span.end).is_some());
                }
            }
        }
    }

    /// Tables, views and functions that are made of each other in any order, in circles, too: most of it no server takes.
    #[test]
    fn no_order_of_statements_makes_it_panic(
        acts in prop::collection::vec((0..ACTS.len(), 0..4_usize, 0..4_usize), 0..30)
    ) {
        let names = ["p", "q", "r", "s"];
        let statement = |(act, one, other): (usize, usize, usize)| {
            ACTS[act].replace("{0}", names[one]).replace("{1}", names[other])
        };
        let text = acts.into_iter().map(statement).collect::<Vec<_>>().join(";\n");
        for engine in [Engine::Postgres, Engine::MySql, Engine::MariaDb] {
            lint(engine, &text, &[]);
        }
    }
}

const ACTS: &[&str] = &[
    "CREATE TABLE {0} (a int PRIMARY KEY, b int)",
    "CREATE TABLE {0} (a int PRIMARY KEY, b int) PARTITION BY LIST (a)",
    "CREATE TABLE {0} PARTITION OF {1} DEFAULT",
    "CREATE TABLE {0} PARTITION OF {1} FOR VALUES IN (1) PARTITION BY LIST (a)",
    "CREATE TABLE {0} (c int) INHERITS ({1})",
    "CREATE TABLE {0} (LIKE {1} INCLUDING ALL)",
    "CREATE TABLE {0} LIKE {1}",
    "CREATE TABLE {0} AS SELECT a, b FROM {1}",
    "CREATE TABLE {0} (x {1})",
    "ALTER TABLE {0} INHERIT {1}",
    "ALTER TABLE {0} NO INHERIT {1}",
    "ALTER TABLE {0} ATTACH PARTITION {1} FOR VALUES IN (1)",
    "ALTER TABLE {0} ATTACH PARTITION {1} DEFAULT",
    "ALTER TABLE {0} DETACH PARTITION {1}",
    "ALTER TABLE {0} ADD FOREIGN KEY (b) REFERENCES {1} (a) ON DELETE CASCADE",
    "ALTER TABLE {0} RENAME TO {1}",
    "RENAME TABLE {0} TO {1}, {1} TO {0}",
    "ALTER TABLE {0} ADD COLUMN c int NOT NULL DEFAULT 1, ADD CHECK (b > 0)",
    "ALTER TABLE {0} DROP COLUMN b CASCADE",
    "ALTER TABLE {0} ALTER COLUMN b SET NOT NULL",
    "ALTER TABLE {0} ALTER COLUMN b TYPE bigint",
    "ALTER TABLE {0} MODIFY b bigint NOT NULL",
    "ALTER TABLE {0} EXCHANGE PARTITION p0 WITH TABLE {1}",
    "CREATE INDEX i ON {0} (b)",
    "DROP TABLE {0} CASCADE",
    "TRUNCATE {0} CASCADE",
    "CREATE VIEW {0} AS SELECT a, b FROM {1}",
    "CREATE OR REPLACE VIEW {0} AS SELECT a, b FROM {1}",
    "CREATE MATERIALIZED VIEW {0} AS SELECT a FROM {1}",
    "REFRESH MATERIALIZED VIEW {0}",
    "DROP VIEW {0}",
    "CREATE RULE rule_{0} AS ON INSERT TO {0} DO INSTEAD INSERT INTO {1} VALUES (1)",
    "CREATE DOMAIN {0} AS {1}",
    "ALTER DOMAIN {0} ADD CHECK (VALUE > 0)",
    "CREATE TYPE {0} AS (x {1})",
    "CREATE FUNCTION {0}() RETURNS int LANGUAGE sql AS 'SELECT {1}()'",
    "CREATE FUNCTION {0}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN UPDATE {1} SET b = 1; END'",
    "CREATE TRIGGER on_{0} BEFORE UPDATE ON {0} FOR EACH ROW EXECUTE FUNCTION {1}()",
    "CREATE TRIGGER on_{0} BEFORE UPDATE ON {0} FOR EACH ROW UPDATE {1} SET b = 1",
    "CREATE PROCEDURE {0}() CALL {1}()",
    "CALL {0}()",
    "PREPARE {0} FROM 'EXECUTE {1}'",
    "EXECUTE {0}",
    "SELECT {0}()",
    "SELECT a FROM {0} JOIN {1} USING (a)",
    "INSERT INTO {0} SELECT a, b FROM {1}",
    "INSERT INTO {0} (a, b) VALUES (1, 2)",
    "UPDATE {0} SET b = 1 WHERE a = 1",
    "DELETE FROM {0} USING {1} WHERE {0}.a = {1}.a",
    "LOCK TABLE {0}",
];
