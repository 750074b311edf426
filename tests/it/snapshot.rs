//! `zdm snapshot`, and plans that stand on one.

use serde_json::Value;

use crate::cli::Project;
use crate::support::{self, Db, Engine};

/// A database with a table, a migration that has run, and one that has not.
fn ground(db: &Db) -> Project {
    let project = Project::on(db);
    db.run("CREATE TABLE users (id bigint PRIMARY KEY, name varchar(50), token varchar(50) DEFAULT 's3cret')");
    db.run("INSERT INTO users (id, name) VALUES (1, 'Ann Private')");
    project
        .file("migrations/0001_notes/expand.sql", "CREATE TABLE notes (id bigint PRIMARY KEY);\n");
    project.zdm(&["expand"]).ended(0);
    project.file("migrations/0002_name/expand.sql", "CREATE INDEX users_name ON users (name);\n");
    project
}

/// The address of a role that may only read. The servers of the matrix check no rights, and have no such roles.
fn reader(db: &Db) -> String {
    let reader = db.user("reader");
    let user = db.user_name("reader");
    match db.engine {
        Engine::Postgres => {}
        // What a role has no right on does not exist for it there.
        Engine::MariaDb => db.run(&format!("GRANT SELECT ON {}.* TO '{user}'@'%'", db.name)),
    }
    reader
}

/// Whether a word names the family of a database's server; tests take MySQL for MariaDB.
fn is_family(word: &Value, db: &Db) -> bool {
    match db.engine {
        Engine::Postgres => word == "postgres",
        Engine::MariaDb => word == "mariadb" || word == "mysql",
    }
}

/// Makes every table of a snapshot big.
fn grow(project: &Project, path: &str) {
    let path = project.path().join(path);
    let mut snapshot: Value =
        serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    for table in snapshot["tables"].as_array_mut().unwrap() {
        table["size"]["bytes"] = 12_000_000_000_u64.into();
    }
    std::fs::write(&path, snapshot.to_string()).unwrap();
}

fn json(project: &Project, arguments: &[&str], code: i32) -> Value {
    let said = project.zdm(&[arguments, &["--format", "json"]].concat()).ended(code);
    serde_json::from_str(&said.out).unwrap()
}

#[test]
fn an_ordinary_role_takes_a_snapshot_without_rows_and_secrets() {
    for db in [support::postgres(), support::mariadb()].iter().flatten() {
        let project = ground(db).at(&reader(db));
        let arguments = ["snapshot", "-o", "snap.json", "--sample", "100ms"];
        project
            .zdm(&arguments)
            .ended(0)
            .says("wrote snap.json: 2 tables")
            .says("next: zdm plan --snapshot");
        let text = std::fs::read_to_string(project.path().join("snap.json")).unwrap();
        assert!(!text.contains("s3cret") && !text.contains("Private"), "{text}");
        assert!(!text.contains("reader"), "{text}");
        let snapshot: Value = serde_json::from_str(&text).unwrap();
        assert!(is_family(&snapshot["engine"], db), "{text}");
        let tables = snapshot["tables"].as_array().unwrap();
        let users = tables.iter().find(|table| table["table"]["name"] == "users").unwrap();
        assert!(users["size"]["bytes"].as_u64().is_some_and(|bytes| bytes > 0), "{users}");
    }
}

#[test]
fn a_plan_of_a_snapshot_knows_what_has_run_and_how_long_the_rest_takes() {
    support::each(|db| {
        let project = ground(db);
        project.zdm(&["snapshot", "-o", "snap.json", "--sample", "0s"]).ended(0);
        grow(&project, "snap.json");
        // Nobody is asked any more.
        let project = project.at(&format!("{}://u:p@127.0.0.1:1/nowhere", db.engine));
        let plan = json(
            &project,
            &["plan", "--snapshot", "snap.json"],
            if db.engine == Engine::Postgres { 3 } else { 0 },
        );
        assert!(is_family(&plan["server"]["engine"], db), "{plan}");
        let migrations = plan["migrations"].as_array().unwrap();
        assert_eq!(migrations.len(), 1, "{plan}");
        assert_eq!(migrations[0]["id"], "0002_name");
        let statement = &migrations[0]["phases"][0]["steps"][0]["statements"][0];
        assert_eq!(statement["estimate"]["bytes"], 12_000_000_000_u64);
        assert!(
            statement["estimate"]["seconds_low"].as_f64()
                < statement["estimate"]["seconds"].as_f64()
        );
        let said = project.zdm(&["plan", "--snapshot", "snap.json"]);
        said.says("on 12 GB").says("snap.json of 20");
    });
}

#[test]
fn the_snapshot_of_zdm_toml_stands_for_the_database_that_is_not_there() {
    let Some(db) = support::postgres() else { return };
    let project = ground(&db);
    project.zdm(&["snapshot", "-o", "snap.json", "--sample", "0s"]).ended(0);
    grow(&project, "snap.json");
    project.file("zdm.toml", "[database]\nsnapshot = \"snap.json\"\n");
    project.zdm(&["plan", "--offline"]).ended(3).says("0002_name").says("on 12 GB");
    project.file("more.sql", "ALTER TABLE users ALTER COLUMN id TYPE numeric;\n");
    let linted = json(&project, &["lint", "more.sql", "--fail-on", "never"], 0);
    assert_eq!(
        linted["files"][0]["statements"][0]["estimate"]["bytes"]
            .as_u64()
            .map(|bytes| bytes / 1_000_000_000),
        Some(12)
    );
    let plain =
        ["lint", "more.sql", "--schema", "more.sql", "--fail-on", "never", "--format", "json"];
    assert!(!project.zdm(&plain).ended(0).out.contains("seconds_low"));
}

#[test]
fn without_a_file_the_snapshot_goes_to_stdout_and_what_is_none_is_refused() {
    support::each(|db| {
        let project = Project::on(db);
        let said = project.zdm(&["snapshot", "--sample", "0s"]).ended(0);
        let snapshot: Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(snapshot["format"], 1);
        project.file("snap.json", "{\"format\": 1}");
        project.file("migrations/0001_a/expand.sql", "SELECT 1;");
        project
            .zdm(&["plan", "--snapshot", "snap.json"])
            .ended(2)
            .says("file \"snap.json\" is not a snapshot");
    });
}

#[test]
fn a_role_that_may_not_see_the_state_says_so() {
    let Some(db) = support::postgres() else { return };
    let said = ground(&db).at(&reader(&db)).zdm(&["snapshot", "--sample", "0s"]).ended(0);
    assert!(said.err.contains("the state could not be read"), "{}", said.err);
    let snapshot: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(snapshot["migrations"], Value::Null);
}
