//! `zdm lint --fix`: what it writes does the same as what stood there, and is silent.

use super::{Example, examples, prepare, rules, run_file};
use crate::cli::Project;
use crate::support::{Db, Engine, each};

/// What the catalog says of the tables, in a form that two databases share.
fn catalog(db: &Db) -> Vec<Vec<String>> {
    match db.engine {
        Engine::Postgres => db.rows(
            "SELECT 1, attrelid::regclass::text, attname, format_type(atttypid, atttypmod), attnotnull::text,
                    coalesce((SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = attrelid AND adnum = attnum), '')
             FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
             WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND attnum > 0 AND NOT attisdropped
             UNION ALL
             SELECT 2, conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated::text, ''
             FROM pg_constraint WHERE connamespace = 'public'::regnamespace
             UNION ALL
             SELECT 3, indrelid::regclass::text, indexrelid::regclass::text, pg_get_indexdef(indexrelid), indisvalid::text, ''
             FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE relnamespace = 'public'::regnamespace
             ORDER BY 1, 2, 3",
        ),
        Engine::MariaDb => {
            let tables = db.rows(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = database() ORDER BY 1",
            );
            tables.iter().flat_map(|row| db.rows(&format!("SHOW CREATE TABLE {}", row.concat()))).collect()
        }
    }
}

/// The catalog after an example, and what its server said.
fn after(db: &Db, example: &Example, sql: &str) -> (bool, Vec<Vec<String>>) {
    prepare(db, example);
    let done = run_file(&db.session(), sql);
    (done.is_ok(), catalog(db))
}

/// The example's file behind `zdm lint --fix`; none: nothing was fixed.
fn fixed(example: &Example) -> Option<String> {
    let project = Project::new();
    project.file("case.sql", &example.sql);
    project.file("schema.sql", example.schema.as_deref().unwrap_or_default());
    let server = match example.database.as_str() {
        "postgres" => "postgres:15",
        "mysql" => "mysql:8.4",
        _ => "mariadb:10.11",
    };
    let lint = ["lint", "case.sql", "--schema", "schema.sql", "--server", server];
    let lint = [&lint[..], &["--phase", &example.phase, "--fail-on", "never"]].concat();
    let said = project.zdm(&[&lint[..], &["--fix"]].concat()).ended(0);
    let text = read(&project, "case.sql");
    if text == example.sql {
        assert!(!said.err.contains("fixed "), "{}", said.err);
        return None;
    }
    assert!(said.err.contains("fixed case.sql:"), "{}", said.err);
    project.zdm(&[&lint[..], &["--fix"]].concat()).ended(0);
    assert_eq!(read(&project, "case.sql"), text, "the second time changes nothing");
    Some(text)
}

#[test]
fn a_fixed_file_makes_the_same_schema() {
    each(|db| {
        let mut count = 0;
        // A migration.toml is no file of SQL.
        let of_migrations = ["backfill-without-verify", "nobody-tolerates", "without-rollback"];
        for rule in rules().iter().filter(|rule| !of_migrations.contains(&rule.as_str())) {
            for example in examples(rule, "bad", db.engine) {
                let Some(text) = fixed(&example) else { continue };
                assert_eq!(after(db, &example, &example.sql), after(db, &example, &text), "{text}");
                count += 1;
            }
        }
        assert!(count >= if db.engine == Engine::Postgres { 7 } else { 1 }, "{count} fixes");
    });
}

#[test]
fn a_file_keeps_its_byte_order_mark_its_permissions_and_its_link() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let project = Project::new();
    project.file(
        "real.sql",
        "\u{feff}CREATE TABLE a (id bigint PRIMARY KEY);\r\nCREATE INDEX é ON t (a);\r\n",
    );
    let real = project.path().join("real.sql");
    std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).unwrap();
    symlink(&real, project.path().join("case.sql")).unwrap();
    project.zdm(&["lint", "case.sql", "--fix", "--server", "postgres:15"]).ended(0);
    assert!(project.path().join("case.sql").is_symlink());
    assert_eq!(
        read(&project, "real.sql"),
        "\u{feff}CREATE TABLE a (id bigint PRIMARY KEY);\r\nCREATE INDEX CONCURRENTLY é ON t (a);\r\n"
    );
    assert_eq!(std::fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn what_is_older_than_since_is_not_judged() {
    let project = Project::empty();
    project.file("zdm.toml", "[lint]\nsince = \"0002\"\n");
    let index = "CREATE INDEX i ON users (name);";
    project.file(
        "migrations/0001_users/expand.sql",
        "CREATE TABLE users (id bigint PRIMARY KEY, name text);",
    );
    project.file("migrations/0001_users/migrate.sql", "DROP TABLE other;");
    project.zdm(&["lint"]).ended(0).says("no findings");
    project.file("migrations/0002_index/expand.sql", index);
    project.zdm(&["lint"]).ended(3).says("0002_index");
    project.file("0001.sql", index);
    project.zdm(&["lint", "0001.sql"]).ended(0);
}

fn read(project: &Project, path: &str) -> String {
    std::fs::read_to_string(project.path().join(path)).unwrap()
}
