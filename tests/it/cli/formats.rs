//! Reports for other programs: where they go, which commands have them, and their exit codes.

use serde_json::Value;

use super::{Project, Said, said};

const USERS: &str = "CREATE TABLE users (id bigint PRIMARY KEY, name text);\n";
const INDEX: &str = "CREATE INDEX users_name ON users (name);\n";
const FORMATS: [&str; 5] = ["github", "gitlab", "junit", "markdown", "sarif"];

/// A repository whose migrations are in a folder of it.
fn repository() -> Project {
    let project = Project::empty();
    project.file(".git/HEAD", "ref: refs/heads/main\n");
    project.file("shop/zdm.toml", "");
    project.file("shop/migrations/0001_users/expand.sql", USERS);
    project.file("shop/migrations/0002_index/expand.sql", INDEX);
    project
}

/// Runs a command in the folder, as a job of neither GitHub nor GitLab, or as one with these variables.
fn in_shop(project: &Project, arguments: &[&str], variables: &[(&str, &str)]) -> Said {
    let mut command = project.command(arguments);
    command.current_dir(project.path().join("shop"));
    for name in ["GITHUB_WORKSPACE", "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT", "CI_PROJECT_DIR"] {
        command.env_remove(name);
    }
    command.envs(variables.iter().copied());
    said(command)
}

#[test]
fn every_format_fails_from_the_severity_on_that_was_asked_for() {
    let project = repository();
    for format in FORMATS {
        for command in ["plan", "lint"] {
            let zdm = |more: &[&str]| {
                let arguments = [&[command, "--format", format][..], more].concat();
                in_shop(&project, &arguments, &[])
            };
            zdm(&[]).ended(3).says("shop/migrations/0002_index/expand.sql");
            zdm(&["--fail-on", "never"]).ended(0).says("index-not-concurrent");
        }
    }
    project
        .file("shop/migrations/0002_index/expand.sql", "-- zdm:allow(rename-table) x\nSELECT 1;\n");
    for command in ["plan", "lint"] {
        in_shop(&project, &[command, "--format", "github"], &[]).ended(0).says("::warning ");
        let strict = [command, "--format", "github", "--fail-on", "warning"];
        in_shop(&project, &strict, &[]).ended(3);
        in_shop(&project, &[command, "--fail-on", "warning"], &[]).ended(3);
    }
}

#[test]
fn other_commands_refuse_these_formats() {
    let project = repository();
    for format in FORMATS {
        let status = in_shop(&project, &["status", "--format", format], &[]).ended(2);
        assert!(status.out.is_empty(), "{}", status.out);
        let words = format!("`zdm status` cannot write format \"{format}\"");
        assert!(status.err.contains(&words) && status.err.contains("hint: "), "{}", status.err);
        in_shop(&project, &["expand", "--dry-run", "--format", format], &[]).ended(2);
    }
}

#[test]
fn a_failure_is_a_valid_report_too() {
    let project = repository();
    project.file("shop/migrations/0003_none/what.sql", "");
    for format in FORMATS {
        let said = in_shop(&project, &["plan", "--format", format], &[]).ended(2);
        assert!(said.err.contains("means nothing to zdm"), "{}", said.err);
        assert!(said.out.contains("means nothing to zdm"), "{}", said.out);
        if ["gitlab", "sarif"].contains(&format) {
            let _json: Value = serde_json::from_str(&said.out).unwrap();
        }
    }
}

#[test]
fn github_gets_a_summary_and_outputs_behind_what_is_there() {
    let project = repository();
    project.file("summary", "before\n");
    project.file("output", "other=1\n");
    let file = |name: &str| project.path().join(name).to_str().unwrap().to_owned();
    let (summary, output) = (file("summary"), file("output"));
    let variables = [("GITHUB_STEP_SUMMARY", summary.as_str()), ("GITHUB_OUTPUT", output.as_str())];
    let read = |path: &str| std::fs::read_to_string(path).unwrap();
    in_shop(&project, &["plan", "--format", "markdown"], &variables).ended(3);
    assert_eq!((read(&summary).as_str(), read(&output).as_str()), ("before\n", "other=1\n"));
    in_shop(&project, &["plan", "--format", "github"], &variables).ended(3);
    assert!(read(&summary).starts_with("before\n<!-- zdm:plan shop -->\n"), "{}", read(&summary));
    let expected =
        "other=1\nfindings=3\nerrors=1\nwarnings=0\ninfos=2\nhighest_severity=error\nexit_code=3\n";
    assert_eq!(read(&output), expected);
    let nowhere = file("no/such/folder");
    let variables = [("GITHUB_OUTPUT", nowhere.as_str())];
    in_shop(&project, &["plan", "--format", "github"], &variables)
        .ended(1)
        .says("GITHUB_OUTPUT names");
}

#[test]
fn paths_begin_at_the_workspace_of_the_job() {
    let project = repository();
    let shop = project.path().join("shop").to_str().unwrap().to_owned();
    let elsewhere = std::env::temp_dir().join("elsewhere").to_str().unwrap().to_owned();
    for (workspace, path) in [
        (shop.as_str(), "file=migrations/0002_index/expand.sql,"),
        (elsewhere.as_str(), "file=shop/migrations/0002_index/expand.sql,"),
    ] {
        let variables = [("GITHUB_WORKSPACE", workspace)];
        in_shop(&project, &["lint", "--format", "github"], &variables).ended(3).says(path);
    }
}
