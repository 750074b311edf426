//! The examples of `lints/*.toml` on real servers: what a rule says of a statement must be so.

mod fix;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::support::{Db, Engine, Session, each, mariadb, postgres};

/// What is there before an example that brings no schema of its own.
const SCHEMA: &str = "
    CREATE TABLE users (id bigint PRIMARY KEY, name varchar(50) NOT NULL, email varchar(100));
    CREATE TABLE settings (id bigint PRIMARY KEY, value varchar(50));
    CREATE TABLE sessions (id bigint PRIMARY KEY, expired boolean);
    CREATE TABLE users_new (id bigint PRIMARY KEY, name varchar(50) NOT NULL);
";

/// What single examples start from besides.
const SPECIAL: &[(&str, &str)] = &[
    ("USING INDEX users_email_unique", "CREATE UNIQUE INDEX users_email_unique ON users (email)"),
    ("ADD COLUMN email", "ALTER TABLE users DROP COLUMN email"),
    ("email_domain", "ALTER TABLE users ADD COLUMN email_domain text"),
    ("SET active", "ALTER TABLE users ADD COLUMN active int"),
    ("display_name;", "ALTER TABLE users ADD COLUMN display_name text"),
];

/// An example, as its file has it.
#[derive(Clone, Debug)]
struct Example {
    database: String,
    phase: String,
    schema: Option<String>,
    refused: bool,
    sql: String,
}

/// The good and the bad examples of a rule for a family of servers.
fn examples(rule: &str, kind: &str, engine: Engine) -> Vec<Example> {
    let path = format!("{}/lints/{rule}.toml", env!("CARGO_MANIFEST_DIR"));
    let file: toml::Table = std::fs::read_to_string(path).unwrap().parse().unwrap();
    let text = |table: &toml::Table, key: &str| {
        table.get(key).and_then(toml::Value::as_str).map(str::to_owned)
    };
    let tables = file.get(kind).and_then(toml::Value::as_array).unwrap();
    let examples = tables.iter().filter_map(toml::Value::as_table).map(|table| Example {
        database: text(table, "database").unwrap(),
        phase: text(table, "phase").unwrap(),
        schema: text(table, "schema"),
        refused: table.get("refused").and_then(toml::Value::as_bool).unwrap_or(false),
        sql: text(table, "sql").unwrap(),
    });
    // Examples for MySQL run on MariaDB, the server of its kind that tests have.
    let family =
        |database: &str| if database == "postgres" { Engine::Postgres } else { Engine::MariaDb };
    examples.filter(|example| family(&example.database) == engine).collect()
}

/// A fresh schema with what the example starts from.
fn prepare(db: &Db, example: &Example) {
    match db.engine {
        Engine::Postgres => db.run("DROP SCHEMA public CASCADE; CREATE SCHEMA public"),
        Engine::MariaDb => {
            let made = "SELECT CASE table_type WHEN 'VIEW' THEN 'VIEW' ELSE 'TABLE' END, table_name \
                FROM information_schema.tables WHERE table_schema = database() \
                UNION ALL SELECT routine_type, routine_name FROM information_schema.routines WHERE routine_schema = database()";
            for row in db.rows(made) {
                db.run(&format!("DROP {}", row.join(" ")));
            }
        }
    }
    if let Some(schema) = &example.schema {
        return db.run(schema);
    }
    db.run(SCHEMA);
    let renames = example.sql.contains("RENAME");
    for (_, special) in SPECIAL.iter().filter(|(mark, _)| example.sql.contains(mark) && !renames) {
        db.run(special);
    }
}

/// Runs an example as a file is run: statement by statement.
fn run(session: &Session, sql: &str) -> Result<(), String> {
    session.try_run(sql.trim().trim_end_matches(';'))
}

/// Runs an example as a file is run: statement by statement. None of them has a semicolon inside.
fn run_file(session: &Session, sql: &str) -> Result<(), String> {
    let statements = sql.split(';').map(str::trim).filter(|statement| !statement.is_empty());
    statements.into_iter().try_for_each(|statement| session.try_run(statement))
}

/// Limits how long a session waits for a lock.
fn impatient(db: &Db) -> Session {
    let session = db.session();
    session.run(match db.engine {
        Engine::Postgres => "SET lock_timeout = '100ms'",
        Engine::MariaDb => "SET lock_wait_timeout = 1, innodb_lock_wait_timeout = 1",
    });
    session
}

/// The ids of all rules.
fn rules() -> Vec<String> {
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/lints")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut ids: Vec<_> =
        names.filter_map(|name| name.strip_suffix(".toml").map(str::to_owned)).collect();
    ids.sort();
    ids
}

#[test]
fn each_example_is_sql_that_its_server_executes_or_refuses_as_the_rule_says() {
    // What these report is no SQL, or needs nothing of a server.
    let without_server = [
        "not-understood",
        "backfill-without-verify",
        "nobody-tolerates",
        "phase-left-open",
        "without-rollback",
    ];
    each(|db| {
        let rules = rules();
        let rules = rules.iter().filter(|rule| !without_server.contains(&rule.as_str()));
        let found = rules.flat_map(|rule| {
            let both = ["bad", "good"].into_iter();
            both.flat_map(|kind| examples(rule, kind, db.engine))
                .map(move |example| (rule, example))
        });
        let wrong: Vec<_> = found
            .filter_map(|(rule, example)| {
                prepare(db, &example);
                let outcome = run_file(&db.session(), &example.sql);
                (outcome.is_err() != example.refused)
                    .then(|| format!("{rule}: {}: {outcome:?}", example.sql))
            })
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    });
}

#[test]
fn an_index_that_is_not_built_concurrently_keeps_writers_waiting_on_postgres() {
    let Some(db) = postgres() else { return };
    for example in examples("index-not-concurrent", "bad", db.engine) {
        prepare(&db, &example);
        let builder = db.session();
        builder.run("BEGIN");
        builder.run(&example.sql);
        let refused = impatient(&db).try_run("INSERT INTO users VALUES (1, 'a', 'b')").unwrap_err();
        assert!(refused.starts_with("55P03"), "{}: {refused}", example.sql);
        builder.run("ROLLBACK");
    }
}

#[test]
fn a_concurrent_index_lets_writers_through_on_postgres() {
    let Some(db) = postgres() else { return };
    let examples = examples("index-not-concurrent", "good", db.engine);
    for example in examples.iter().filter(|example| example.sql.contains("CONCURRENTLY")) {
        prepare(&db, example);
        // A build has to wait for whoever wrote before it, and so is in its midst for as long as the test likes.
        let older = db.session();
        older.run("BEGIN; INSERT INTO users VALUES (1, 'a', 'b')");
        let build = db.session().start(example.sql.trim_end_matches(';'));
        assert!(build.waits(Duration::from_millis(300)));
        impatient(&db).run("INSERT INTO users VALUES (2, 'a', 'b')");
        older.run("COMMIT");
        build.answer().unwrap();
    }
}

#[test]
fn mariadb_refuses_to_let_writers_through_where_the_rule_says_so() {
    let Some(db) = mariadb() else { return };
    let online = |sql: &str| {
        let sql = sql.trim().trim_end_matches(';');
        if sql.starts_with("CREATE") {
            format!("{sql} LOCK=NONE")
        } else {
            format!("{sql}, LOCK=NONE")
        }
    };
    let rules = [
        "index-not-concurrent",
        "change-type",
        "add-column-rewrites",
        "constraint-validates",
        "long-lock",
    ];
    let bad = rules.iter().flat_map(|rule| examples(rule, "bad", db.engine));
    for example in bad.filter(|example| example.database == "mariadb") {
        prepare(&db, &example);
        let refused = db.session().try_run(&online(&example.sql)).unwrap_err();
        assert!(refused.contains("1845") || refused.contains("1846"), "{}: {refused}", example.sql);
    }
    for example in examples("index-not-concurrent", "good", db.engine) {
        prepare(&db, &example);
        for statement in example.sql.split(';').filter(|statement| !statement.trim().is_empty()) {
            db.run(&online(statement));
        }
    }
}

#[test]
fn old_builds_fail_behind_what_the_rules_call_an_error() {
    // What an old build sends, by rule.
    let old = BTreeMap::from([
        ("rename-column", "SELECT name FROM users"),
        ("rename-table", "SELECT id FROM users"),
        ("drop-outside-contract", "SELECT name FROM users"),
    ]);
    each(|db| {
        for (rule, statement) in &old {
            // Whoever uses a view, uses another statement.
            let bad = examples(rule, "bad", db.engine).into_iter();
            for example in bad.filter(|example| !example.sql.contains("VIEW")) {
                prepare(db, &example);
                db.run(statement);
                run(&db.session(), &example.sql).unwrap();
                assert!(db.session().try_run(statement).is_err(), "{}", example.sql);
            }
        }
    });
}

#[test]
fn a_view_with_the_old_name_takes_the_writes_of_old_builds() {
    let Some(db) = postgres() else { return };
    let examples = examples("rename-table", "good", db.engine);
    let example = examples.iter().find(|example| example.sql.contains("CREATE VIEW")).unwrap();
    prepare(&db, example);
    run(&db.session(), &example.sql).unwrap();
    db.run("INSERT INTO users VALUES (1, 'a', 'b'); UPDATE users SET name = 'c'");
    assert_eq!(db.value("SELECT name FROM people"), "c");
}

#[test]
fn not_null_breaks_rows_or_the_writes_of_old_builds() {
    each(|db| {
        for rule in ["not-null-without-default", "set-not-null"] {
            for example in examples(rule, "bad", db.engine) {
                prepare(db, &example);
                // What an old build sends, which knows of no other column and leaves out what may be NULL.
                let insert = |id: u8| format!("INSERT INTO users (id, name) VALUES ({id}, 'a')");
                db.run(&insert(1));
                let changed = run(&db.session(), &example.sql);
                let broken = changed.is_err() || db.session().try_run(&insert(2)).is_err();
                assert!(broken, "{} ({})", example.sql, example.phase);
            }
        }
    });
}

#[test]
fn the_safe_way_to_not_null_reads_no_row_under_the_strong_lock() {
    let Some(db) = postgres() else { return };
    let examples = examples("set-not-null", "good", db.engine);
    let example = examples.iter().find(|example| example.sql.contains("VALIDATE")).unwrap();
    prepare(&db, example);
    db.run("INSERT INTO users VALUES (1, 'a', 'b')");
    let session = db.session();
    for statement in example.sql.split(';').map(str::trim).filter(|statement| !statement.is_empty())
    {
        session.run("BEGIN");
        let scans = "SELECT coalesce(pg_stat_get_xact_numscans('users'::regclass), 0)";
        let before = session.value(scans);
        session.run(statement);
        let read = session.value(scans) != before;
        assert_eq!(read, statement.contains("VALIDATE"), "{statement}");
        session.run("COMMIT");
    }
}

#[test]
fn each_rule_has_its_code_its_data_and_its_line_in_the_registry() {
    let root = env!("CARGO_MANIFEST_DIR");
    let stems = |folder: &str, extension: &str| -> Vec<String> {
        let files = std::fs::read_dir(format!("{root}/{folder}")).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        let mut stems: Vec<_> =
            names.filter_map(|name| name.strip_suffix(extension).map(str::to_owned)).collect();
        stems.retain(|stem| !matches!(stem.as_str(), "mod" | "tests"));
        stems.sort();
        stems
    };
    let code = stems("src/lint/rules", ".rs");
    let data: Vec<_> = stems("lints", ".toml").iter().map(|stem| stem.replace('-', "_")).collect();
    let registry = std::fs::read_to_string(format!("{root}/src/lint/rules/mod.rs")).unwrap();
    let registered = registry.lines().filter_map(|line| line.trim().strip_suffix("::RULE,"));
    assert_eq!(code, data);
    assert_eq!(code, registered.map(str::to_owned).collect::<Vec<_>>());
}
