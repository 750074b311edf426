use proptest::prelude::*;

use super::*;

fn file(text: &str, engine: Engine, run_by: RunBy) -> (Vec<SourceStatement>, Vec<Directive>) {
    let places = Places::of(text);
    let Cut { pieces, trailing } = cut(text, &places, engine, run_by);
    (pieces.into_iter().map(|piece| piece.statement(text, &places)).collect(), trailing)
}

/// Statements as `sql`, `[group]sql` or `!problem: sql`.
fn check(engine: Engine, text: &str, expected: &[&str]) {
    let found: Vec<_> = statements(text, engine)
        .into_iter()
        .map(|statement| {
            assert_eq!(
                text.get(statement.span.start..statement.span.end),
                Some(statement.sql.as_str())
            );
            match (statement.problem, statement.group) {
                (Some(problem), _) => format!("!{problem}: {}", statement.sql),
                (None, Some(group)) => format!("[{group}]{}", statement.sql),
                (None, None) => statement.sql,
            }
        })
        .collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn a_semicolon_ends_a_statement_unless_it_is_quoted() {
    check(Engine::Postgres, "a; ;b -- c;\n;\n", &["a", "b"]);
    check(
        Engine::Postgres,
        "SELECT ';' \";\"; DO $x$ a; $$ b; $x$; /* ; /* ; */ ; */ c",
        &["SELECT ';' \";\"", "DO $x$ a; $$ b; $x$", "c"],
    );
    check(Engine::MySql, "SELECT 'a\\';' `;` \";\"; # ;\nb", &["SELECT 'a\\';' `;` \";\"", "b"]);
}

#[test]
fn bodies_are_not_split() {
    check(
        Engine::Postgres,
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN a THEN 1 END; SELECT 2; END; b",
        &[
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN a THEN 1 END; SELECT 2; END",
            "b",
        ],
    );
    check(
        Engine::Postgres,
        "CREATE RULE r AS ON UPDATE TO t DO ALSO (INSERT INTO a VALUES (1); DELETE FROM b); c",
        &["CREATE RULE r AS ON UPDATE TO t DO ALSO (INSERT INTO a VALUES (1); DELETE FROM b)", "c"],
    );
    let trigger = "CREATE DEFINER=`root`@`localhost` TRIGGER x BEFORE INSERT ON t FOR EACH ROW BEGIN \
                   IF NEW.a THEN SET NEW.b = IF(NEW.c, 1, 2); ELSEIF NEW.d THEN BEGIN END; END IF; \
                   CASE NEW.e WHEN 1 THEN SET @a = CASE 1 WHEN 1 THEN 2 END; END CASE; \
                   l: LOOP LEAVE l; END LOOP l; WHILE 0 DO SET @b = 1; END WHILE; \
                   REPEAT SET @c = REPEAT('a', 3); UNTIL 1 END REPEAT; END";
    check(Engine::MariaDb, &format!("{trigger}; b"), &[trigger, "b"]);
    let short =
        "CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW IF NEW.a THEN SET NEW.b = 1; END IF";
    check(Engine::MySql, &format!("{short}; b"), &[short, "b"]);
    check(
        Engine::MariaDb,
        "BEGIN NOT ATOMIC SELECT 1; SELECT 2; END; b",
        &["BEGIN NOT ATOMIC SELECT 1; SELECT 2; END", "b"],
    );
    check(
        Engine::MySql,
        "CREATE TABLE IF NOT EXISTS t (a int); CREATE PROCEDURE p() SELECT 1; b",
        &["CREATE TABLE IF NOT EXISTS t (a int)", "CREATE PROCEDURE p() SELECT 1", "b"],
    );
    check(
        Engine::MySql,
        "CREATE PROCEDURE p() BEGIN SELECT 1;",
        &["!a body is begun and never ended: CREATE PROCEDURE p() BEGIN SELECT 1;"],
    );
}

#[test]
fn an_expression_in_a_body_opens_no_statement() {
    let function = "CREATE FUNCTION f() RETURNS int BEGIN SET a = (SELECT (CASE WHEN b THEN IF(c, 1, 2) \
                    ELSE IF(d, 1, CASE WHEN e THEN 1 END) END)); IF a THEN RETURN 1; END IF; END";
    for engine in [Engine::MySql, Engine::MariaDb] {
        check(engine, &format!("{function}; b"), &[function, "b"]);
    }
    let said =
        "CREATE PROCEDURE p() COMMENT 'x' CASE a WHEN 1 THEN SET @b = 1; SET @c = 2; END CASE";
    check(Engine::MySql, &format!("{said}; b"), &[said, "b"]);
    let named = "CREATE FUNCTION f(a text,\n delimiter text) RETURNS void LANGUAGE c AS 'x'";
    check_any_tool(Engine::Postgres, &format!("{named}; b"), &[named, "b"]);
}

#[test]
fn the_delimiter_is_followed() {
    check(
        Engine::MySql,
        "a;\nDELIMITER $$\nCREATE TRIGGER t BEGIN x; END$$\nb; c $$\ndelimiter ;\nd;",
        &["a", "CREATE TRIGGER t BEGIN x; END", "b; c", "d"],
    );
    check(
        Engine::MariaDb,
        "DELIMITER //\nSELECT 1; SELECT 2//\nDELIMITER ;;\n/*!50003 x; y */;;\nDELIMITER ;\nz",
        &["SELECT 1; SELECT 2", "/*!50003 x; y */", "z"],
    );
}

#[test]
fn begin_and_commit_make_a_group() {
    check(
        Engine::Postgres,
        "a; BEGIN; b; c; COMMIT; d; start transaction; e; END;",
        &["a", "[1]b", "[1]c", "d", "[2]e"],
    );
    check(
        Engine::Postgres,
        "a; COMMIT; BEGIN; b; rollback;",
        &[
            "a",
            "!it ends a transaction that no BEGIN opened: COMMIT",
            "!it opens a transaction that no COMMIT ends: BEGIN",
            "[1]b",
            "!it rolls back what the file has just done: rollback",
        ],
    );
}

#[test]
fn what_cannot_be_run_says_so_in_its_place() {
    check(
        Engine::Postgres,
        "\\restrict it's\na;\n\\echo \"\nb",
        &[
            "!it is a command of psql, not SQL: \\restrict it's",
            "a",
            "!it is a command of psql, not SQL: \\echo \"",
            "b",
        ],
    );
    check(
        Engine::Postgres,
        "COPY t (a) FROM stdin;\nit's\n;\n\\.\nb;",
        &[
            "!it is followed by rows for psql, not by SQL: COPY t (a) FROM stdin;\nit's\n;\n\\.",
            "b",
        ],
    );
    check(
        Engine::Postgres,
        "a; SELECT 'b; c",
        &["a", "!unterminated string literal: SELECT 'b; c"],
    );
    check(Engine::MySql, "a\0; b", &["!it contains a NUL byte: a\0", "b"]);
}

#[test]
fn comments_that_speak_to_zdm_belong_to_the_statement_behind_them() {
    let text = "-- zdm:allow(x) why \r\n-- y\na; /* zdm:allow(z) */ b\n-- zdm:end";
    let (statements, trailing) = file(text, Engine::Postgres, RunBy::Zdm);
    let directives: Vec<Vec<_>> = statements
        .iter()
        .map(|statement| statement.directives.iter().map(|d| d.text.as_str()).collect())
        .collect();
    assert_eq!(directives, [vec!["allow(x) why"], vec!["allow(z)"]]);
    let span = statements[0].directives[0].span;
    assert_eq!(text.get(span.start..span.end), Some("-- zdm:allow(x) why"));
    assert_eq!(trailing[0].text, "end");
    assert_eq!(trailing[0].span.line, 4);
}

/// Statements of a file of another tool; `!problem` for what zdm cannot see through.
fn check_any_tool(engine: Engine, text: &str, expected: &[&str]) {
    let found: Vec<_> = file(text, engine, RunBy::AnyTool)
        .0
        .into_iter()
        .map(|statement| match statement.problem {
            Some(problem) => format!("!{problem}: {}", statement.sql),
            None => statement.sql,
        })
        .collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn a_blank_that_only_tools_trim_is_no_statement() {
    check_any_tool(Engine::Postgres, "DROP TABLE a;\u{a0}\n", &["DROP TABLE a"]);
    check(Engine::Postgres, "DROP TABLE a;\u{a0}\n", &["DROP TABLE a", ""]);
}

#[test]
fn what_undoes_the_migration_is_left_out() {
    for (up, down) in [
        ("-- +goose Up\n-- +goose StatementBegin", "-- +goose StatementEnd\n-- +goose Down"),
        ("-- migrate:up transaction:false", "-- migrate:down"),
        ("-- +migrate Up", "-- +migrate Down"),
        ("-- rambler up", "-- rambler down"),
        ("-- Up Migration", "-- Down Migration"),
        ("-- a comment", "---- create above / drop below ----"),
        ("-- // a comment", "-- //@UNDO"),
        ("# --- !Ups", "# --- !Downs"),
    ] {
        for engine in [Engine::Postgres, Engine::MySql] {
            let text = format!("{up}\r\na; b\r\n{down}\r\nc; d 'e");
            check_any_tool(engine, &text, &["a", "b"]);
        }
    }
}

#[test]
fn commands_of_psql_are_followed_or_left_out() {
    check_any_tool(
        Engine::Postgres,
        "\\set ON_ERROR_STOP on\n\\echo it's\na;\n\\i other.sql\nSELECT b \\gexec\nc \\g\n\\copy t from 'x'\nd;",
        &[
            "a",
            "!it runs another file: \\i other.sql",
            "SELECT b",
            "!it runs SQL that is put together at run time: \\gexec",
            "c",
            "\\copy t from 'x'",
            "d",
        ],
    );
    check_any_tool(
        Engine::Postgres,
        "\\copy t from stdin;\nit's\n;\n\\.\na;\\COPY t FROM STDIN with csv\n1,2\n\\.\nb",
        &["\\copy t from stdin;", "a", "\\COPY t FROM STDIN with csv", "b"],
    );
    check_any_tool(
        Engine::Postgres,
        "COPY t (a) FROM stdin;\nit's\n;\n\\.\n\nb;ROLLBACK;COMMIT;",
        &["COPY t (a) FROM stdin", "b", "ROLLBACK", "COMMIT"],
    );
}

#[test]
fn a_client_of_mysql_takes_lines_of_its_own() {
    check_any_tool(
        Engine::MySql,
        "use a\nUSE `b`;\nsource x.sql ;\na;\n--it's\nDELIMITER $$\nb; c$$\nd;\ndelimiter ;\ne\\G\nf;",
        &["!it runs another file: source x.sql ;", "a", "b; c", "d;", "e", "f"],
    );
    check_any_tool(
        Engine::MySql,
        "--liquibase formatted sql\n--changeset a:1 endDelimiter://\na; b//\nc\n--rollback d\n--changeset a:2\ne;",
        &["a; b", "c", "e"],
    );
}

#[test]
fn what_mysql_executes_of_a_comment_is_none_of_postgresqls_statements() {
    let text = "/*! SET default_storage_engine=INNODB */;\nCREATE /*! x */ TABLE t (a int);";
    check_any_tool(Engine::Postgres, text, &["CREATE /*! x */ TABLE t (a int)"]);
    check_any_tool(
        Engine::MySql,
        text,
        &["/*! SET default_storage_engine=INNODB */", "CREATE /*! x */ TABLE t (a int)"],
    );
}

#[test]
fn a_delimiter_may_stand_on_the_next_line() {
    check_any_tool(
        Engine::MySql,
        "DELIMITER\n$$\nCREATE PROCEDURE p() BEGIN a; b; END\n$$\nDELIMITER ;\nc;",
        &["CREATE PROCEDURE p() BEGIN a; b; END", "c"],
    );
}

#[test]
fn no_token_of_a_statement_takes_the_rest_of_the_file_with_it() {
    for odd in [
        "SELECT a |> b",
        "SELECT a |>/* ; */ b",
        "SELECT a |-- ;\n 1",
        "SELECT a @#@-- ;\n b",
        "SELECT E'\\xff;'",
        "SELECT U&'d!0061;' UESCAPE '!'",
        "SELECT U&'\\zz;'",
        "SELECT U&\"a;!\" UESCAPE '!'",
        "SELECT ._a",
        "SELECT 1 ._",
        "SELECT | ",
        "SELECT a ` b",
        "SELECT \u{1}",
    ] {
        check_any_tool(Engine::Postgres, &format!("{odd};\nb"), &[odd.trim(), "b"]);
    }
    for odd in ["SELECT ._a", "SELECT a |> b", "SELECT ~|~ 1", "SELECT U&'a;'"] {
        check_any_tool(Engine::MySql, &format!("{odd};\nb"), &[odd, "b"]);
    }
}

#[test]
fn files_that_were_put_one_behind_the_other_are_read() {
    let text = "\u{feff}a;\n\u{feff}b;\n\u{feff}-- c\nd; \u{feff}";
    check_any_tool(Engine::Postgres, text, &["a", "b", "d"]);
}

#[test]
fn a_file_of_data_and_commands_is_read_in_one_pass() {
    let table = "COPY t (a) FROM stdin;\nit's $x$ /* \n\\.\n\\echo 'x\na;\n";
    let (found, _) = file(&table.repeat(20_000), Engine::Postgres, RunBy::AnyTool);
    assert_eq!(found.len(), 40_000);
    assert!(found.iter().all(|statement| statement.problem.is_none()));
}

#[test]
fn a_statement_longer_than_a_window_stays_whole() {
    let value = format!("'{}'", "é;".repeat(100_000));
    let text = format!("a;\nSELECT {value};b");
    let select = format!("SELECT {value}");
    for engine in [Engine::Postgres, Engine::MySql] {
        check(engine, &text, &["a", &select, "b"]);
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic_and_no_byte_is_lost(
        text in r#"([a-z ;'"`$\\é\n\r*/\-#!().0]|BEGIN|END|COPY a FROM STDIN;|DELIMITER |CREATE TRIGGER |-- migrate:down\n|-- \+goose Up\n|\\i |\{\{|\$\{|\$\$|\u{feff}|\x00){0,60}"#
    ) {
        for engine in [Engine::Postgres, Engine::MySql, Engine::MariaDb] {
            for run_by in [RunBy::Zdm, RunBy::AnyTool] {
                let mut at = 0;
                for statement in file(&text, engine, run_by).0 {
                    prop_assert!(statement.span.start >= at);
                    prop_assert_eq!(text.get(statement.span.start..statement.span.end), Some(statement.sql.as_str()));
                    at = statement.span.end;
                }
            }
        }
    }

    #[test]
    fn statements_that_are_joined_are_split_again(
        parts in prop::collection::vec(r"[a-z]{1,6}( '[;a-zé]*'| \(1\)| /\*;\*/ x){0,3}", 1..6)
    ) {
        let parts: Vec<_> = parts.into_iter().filter(|part| !["begin", "end", "abort", "commit"].iter().any(|word| part.starts_with(word))).collect();
        for engine in [Engine::Postgres, Engine::MySql] {
            let text = parts.join(";\n");
            let found: Vec<_> = statements(&text, engine).into_iter().map(|s| s.sql).collect();
            prop_assert_eq!(&found, &parts);
        }
    }
}
