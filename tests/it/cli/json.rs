//! Real output in JSON is what docs/zdm.schema.json says.

use std::path::Path;

use serde_json::Value;

use super::{Project, Said};
use crate::support;

fn schema() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/zdm.schema.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Validates what a command wrote, and returns it.
#[track_caller]
pub(crate) fn valid(said: &Said) -> Value {
    let value: Value = serde_json::from_str(&said.out)
        .unwrap_or_else(|error| panic!("{error} in:\n{}\n{}", said.out, said.err));
    // With anyOf alone the errors would name every alternative: the command's own is enough.
    let schema = schema();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(&value).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}\nin:\n{}", said.out);
    assert_eq!(value.get("format"), Some(&Value::from(1)));
    value
}

#[test]
fn commands_without_a_database_write_what_the_schema_says() {
    let project = Project::empty();
    let json = |arguments: &[&str]| project.zdm(&[arguments, &["--format", "json"]].concat());
    valid(&json(&["init"]));
    valid(&json(&["new", "users"]));
    project.file(
        "migrations/0001_users/expand.sql",
        "CREATE TABLE users (id bigint PRIMARY KEY, name text);\nCREATE INDEX n ON users (name);\n",
    );
    project.file(
        "migrations/0002_index/expand.sql",
        "CREATE INDEX users_name ON users (name);\nUPDATE users SET name = '';\nGARBAGE;\n",
    );
    let rename =
        ["--operation", "rename_column", "--table", "users", "--from", "name", "--to", "title"];
    valid(&json(&[&["new", "rename"][..], &rename].concat()));
    let plan = valid(&json(&["plan"]).ended(3));
    assert_eq!(plan["result"], "findings");
    assert_eq!(plan["summary"]["blocking"], 1);
    assert!(plan["summary"]["errors"].as_u64() > Some(1), "{plan}");
    let statement = &plan["migrations"][1]["phases"][0]["steps"][0]["statements"][0];
    assert_eq!(statement["file"], "migrations/0002_index/expand.sql");
    assert_eq!(statement["effect"]["blocks"], "writes");
    assert_eq!(statement["effect"]["locks"][0]["table"], "public.users");
    assert_eq!(statement["findings"][0]["rule"], "index-not-concurrent");
    let lint = valid(&json(&["lint"]).ended(3));
    assert!(lint["summary"]["errors"].as_u64() > Some(1), "{lint}");
    valid(&json(&["rules"]));
    valid(&json(&["manifest", "--service", "api"]));
    valid(&json(&["status"]).ended(2));
}

#[test]
fn commands_with_a_database_write_what_the_schema_says() {
    support::each(|db| {
        db.run("CREATE TABLE users (id bigint PRIMARY KEY, name varchar(100))");
        let project = Project::on(db);
        project.file(
            "migrations/0001_rename/migration.toml",
            "[[operation]]\nkind = \"rename_column\"\ntable = \"users\"\nfrom = \"name\"\nto = \"title\"\n",
        );
        let json = |arguments: &[&str]| {
            let said = project.zdm(&[arguments, &["--format", "json"]].concat());
            (valid(&said), said.code)
        };
        json(&["plan"]);
        let schema = "CREATE TABLE users (id bigint PRIMARY KEY, name varchar(100));\n";
        project.file("schema.sql", schema);
        let arguments =
            ["plan", "--verify", "--schema", "schema.sql", "--scratch-url", db.url.as_str()];
        let (verified, _) = json(&arguments);
        assert_eq!(verified["verification"]["agrees"], true);
        json(&["status"]);
        let (expanded, _) = json(&["expand"]);
        assert_eq!(expanded["result"], "done");
        assert_eq!(json(&["expand"]).0["result"], "nothing_to_do");
        json(&["migrate", "--dry-run"]);
        let (paused, _) = json(&["backfill", "pause", "1"]);
        assert!(paused["paused_by"].is_string(), "{paused}");
        json(&["status"]);
        json(&["backfill", "resume", "1"]);
        let (set, _) = json(&["backfill", "set", "1", "--share", "100"]);
        assert_eq!(set["share"], 100);
        json(&["backfill", "parked"]);
        json(&["migrate"]);
        let (gate, code) = json(&["gate", "1"]);
        assert_eq!((&gate["result"], code), (&Value::from("unknown"), 5));
        let (refused, code) = json(&["contract"]);
        assert_eq!((&refused["code"], code), (&Value::from(5), 5));
        json(&["instances"]);
        let (waited, _) = json(&["wait", "--migrated", "1", "--timeout", "1s"]);
        assert_eq!(waited["reached"][0]["reached"], "migrated");
        let (events, _) = json(&["events"]);
        assert!(events["events"].as_array().is_some_and(|events| !events.is_empty()));
        json(&["rollback", "1"]);
        json(&["status"]);
    });
}

#[test]
fn mistakes_in_the_arguments_are_json_too_when_that_was_asked_for() {
    let project = Project::empty();
    for (arguments, command, message) in [
        (
            &["plan", "--format", "json", "--ofline"][..],
            "plan",
            "unexpected argument '--ofline' found",
        ),
        (&["plan", "--server", "oracle:9", "--format=json"], "plan", "invalid value 'oracle:9'"),
        (&["--format", "json"], "zdm", "no command is named"),
        (&["--format", "json", "plam"], "zdm", "unrecognized subcommand 'plam'"),
        (&["gate", "--format", "json"], "gate", "required arguments were not provided"),
    ] {
        let said = project.zdm(arguments).ended(2);
        assert!(said.err.is_empty(), "{}", said.err);
        let value = valid(&said);
        assert_eq!((&value["command"], &value["code"]), (&command.into(), &2.into()));
        assert_eq!(value["result"], "usage");
        assert!(value["message"].as_str().unwrap().contains(message), "{value}");
        assert!(value["hint"].as_str().unwrap().contains("--help"), "{value}");
    }
    let mut command = project.command(&["plan", "--ofline"]);
    command.env("ZDM_FORMAT", "json");
    valid(&crate::cli::said(command).ended(2));
    // Behind the two dashes it belongs to another program.
    let child = ["report", "--nonsense", "--", "x", "--format", "json"];
    assert!(project.zdm(&child).ended(2).out.is_empty());
    assert!(project.zdm(&["plan", "--format", "json", "--help"]).ended(0).out.contains("Usage:"));
}
