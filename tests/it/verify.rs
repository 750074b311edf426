//! `zdm plan --verify`: the plan runs on a scratch server, and what it does is held against what is foretold.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::cli::{Project, Said};
use crate::support::{self, Db, Engine};

/// Migrations of every kind: tables, a column, an index that no transaction may hold, an operation, a backfill, a
/// contract.
fn project(engine: Engine) -> Project {
    let project = Project::new();
    let (text, concurrently) = match engine {
        Engine::Postgres => ("text", "CONCURRENTLY "),
        Engine::MariaDb => ("varchar(100)", ""),
    };
    let file = |name: &str, text: &str| project.file(&format!("migrations/{name}"), text);
    file(
        "0001_users/expand.sql",
        &format!(
            "CREATE TABLE users (id bigint PRIMARY KEY, name {text} NOT NULL, mail {text});\n"
        ),
    );
    file(
        "0002_index/expand.sql",
        &format!("CREATE INDEX {concurrently}users_mail ON users (mail);\n"),
    );
    file(
        "0003_title/migration.toml",
        "[[operation]]\nkind = \"rename_column\"\ntable = \"users\"\nfrom = \"name\"\nto = \"title\"\n",
    );
    file("0004_domain/expand.sql", &format!("ALTER TABLE users ADD COLUMN domain {text};\n"));
    file(
        "0004_domain/migration.toml",
        "[[backfill]]\ntable = \"users\"\nset = \"domain = mail\"\nwhere = \"domain IS NULL\"\n",
    );
    file("0005_mail/contract.sql", "ALTER TABLE users DROP COLUMN mail;\n");
    project
}

fn verify(project: &Project, db: &Db, more: &[&str]) -> Said {
    project.zdm(&[&["plan", "--verify", "--scratch-url", &db.url], more].concat())
}

/// The databases of verifications on a server.
fn databases(db: &Db) -> BTreeSet<String> {
    let names = match db.engine {
        Engine::Postgres => {
            "SELECT string_agg(datname, ',') FROM pg_database WHERE datname LIKE 'zdm\\_verify%'"
        }
        Engine::MariaDb => {
            "SELECT group_concat(schema_name) FROM information_schema.schemata
             WHERE schema_name LIKE 'zdm\\_verify%'"
        }
    };
    db.value(names).split(',').filter(|name| name.starts_with("zdm")).map(str::to_owned).collect()
}

/// Other tests of this binary verify on the same server at the same time: their databases go when they end, one that the
/// caller's run has left stays.
fn assert_nothing_is_left_behind(db: &Db) {
    let mut left = databases(db);
    let began = Instant::now();
    while !left.is_empty() && began.elapsed() < Duration::from_mins(1) {
        std::thread::sleep(Duration::from_millis(50));
        left = left.intersection(&databases(db)).cloned().collect();
    }
    assert_eq!(left, BTreeSet::new());
}

#[test]
fn a_plan_that_is_right_is_said_to_be_so_and_nothing_is_left_behind() {
    support::each(|db| {
        let project = project(db.engine);
        verify(&project, db, &[])
            .ended(0)
            .says("ran through all phases; locks and new files are as foretold");
        let said = verify(&project, db, &["--all"]).ended(0);
        let lock = match db.engine {
            Engine::Postgres => "public.users ShareUpdateExclusiveLock",
            Engine::MariaDb => "users NONE, INSTANT",
        };
        // The table's columns may be wrapped.
        let words = said.out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            said.out.contains("FORETOLD") && lock.split(' ').all(|word| words.contains(word)),
            "{}",
            said.out
        );
        assert_nothing_is_left_behind(db);
    });
}

#[test]
fn a_lock_that_was_not_foretold_is_exit_code_1_with_both_sides() {
    let Some(db) = support::postgres() else { return };
    let project = project(db.engine);
    // What nobody reads in a migration's file: every ALTER TABLE locks another table, too.
    project.file(
        "migrations/0006_trap/expand.sql",
        "CREATE TABLE logs (id int);\n\
         CREATE FUNCTION trap() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN LOCK TABLE users IN SHARE MODE; END';\n\
         CREATE EVENT TRIGGER trap ON ddl_command_end WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION trap();\n",
    );
    project
        .file("migrations/0007_logs/expand.sql", "ALTER TABLE logs ADD COLUMN at timestamptz;\n");
    let said = verify(&project, &db, &[]).ended(1);
    let words = said.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("lock on public.users") && words.contains("ShareLock"), "{}", said.out);
    assert!(words.contains("1 difference from what is foretold"), "{}", said.out);
    let json = verify(&project, &db, &["--format", "json"]).ended(1);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["result"], "differs");
    let statements = json["verification"]["statements"].as_array().unwrap();
    let wrong: Vec<_> =
        statements.iter().filter(|one| one["differences"] != serde_json::json!([])).collect();
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    assert_eq!(wrong[0]["differences"][0]["foretold"], "none");
    assert_eq!(wrong[0]["differences"][0]["seen"], "ShareLock");
    assert_eq!(wrong[0]["migration"], "0007_logs");
}

#[test]
fn what_the_server_would_refuse_as_it_is_sent_is_exit_code_1() {
    let Some(db) = support::mariadb() else { return };
    let project = project(db.engine);
    project.file("migrations/0006_id/expand.sql", "ALTER TABLE users MODIFY id int;\n");
    let said = verify(&project, &db, &[]).ended(1);
    let words = said.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("refused as"), "{}", said.out);
}

#[test]
fn a_statement_that_does_not_run_is_exit_code_1_with_its_place() {
    support::each(|db| {
        let project = project(db.engine);
        project
            .file("migrations/0006_more/expand.sql", "SELECT 1;\nCREATE TABLE users (id int);\n");
        verify(&project, db, &[])
            .ended(1)
            .says("0006_more/expand.sql, line 2")
            .says("already exists");
        assert_nothing_is_left_behind(db);
    });
}

#[test]
fn a_dump_is_the_start_when_older_folders_are_gone() {
    support::each(|db| {
        let project = project(db.engine);
        for gone in ["0001_users", "0002_index"] {
            std::fs::remove_dir_all(project.path().join("migrations").join(gone)).unwrap();
        }
        verify(&project, db, &[]).ended(2).says("cannot be verified");
        let dump = match db.engine {
            Engine::Postgres => {
                "SELECT pg_catalog.set_config('search_path', '', false);\n\
                 CREATE TABLE public.users (id bigint PRIMARY KEY, name text NOT NULL, mail text);\n\
                 ALTER TABLE public.users OWNER TO nobody_here;\n"
            }
            Engine::MariaDb => {
                "/*!40101 SET NAMES utf8mb4 */;\n\
                 CREATE TABLE `users` (`id` bigint NOT NULL, `name` varchar(50) NOT NULL, `mail` varchar(50), PRIMARY KEY (`id`));\n"
            }
        };
        project.file("schema.sql", dump);
        let said = verify(&project, db, &["--schema", "schema.sql"]).ended(0);
        if db.engine == Engine::Postgres {
            said.says("1 statements of schema.sql name roles");
        }
    });
}

#[test]
fn zdm_starts_a_server_when_none_is_named() {
    for engine in [Engine::Postgres, Engine::MariaDb] {
        if !engine.is_there() {
            continue;
        }
        let project = project(engine);
        project.file("zdm.toml", &format!("[database]\nengine = \"{}\"\n", engine.as_str()));
        if engine == Engine::Postgres {
            let grant = "GRANT SELECT ON users TO a_role_of_production;\n";
            project.file("migrations/0006_grant/expand.sql", grant);
        }
        project.zdm(&["plan", "--verify"]).ended(0).says("as foretold");
    }
    let project = project(Engine::MariaDb);
    project.zdm(&["plan", "--verify", "--server", "mysql:8.4"]).ended(1).says("--scratch-url");
}
