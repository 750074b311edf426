//! `--since`: what a branch changes, in real repositories of git.

use std::path::Path;
use std::process::Command;

use super::{Project, Said, said};

const USERS: &str = "CREATE TABLE users (id bigint PRIMARY KEY, name varchar(50));\n";
const WIDER: &str = "ALTER TABLE users ALTER COLUMN name TYPE varchar(100);\n";
const INDEX: &str = "CREATE INDEX users_name ON users (name);\n";

/// Runs git in a folder.
fn git(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    let identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"];
    command.args(identity).args(arguments).current_dir(folder);
    for name in ["GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"] {
        command.env_remove(name);
    }
    said(command).ended(0);
}

/// A repository whose branch `main` has two migrations, the second with a finding, and a branch `work` from there.
fn repository() -> Project {
    let project = Project::new();
    project.file("migrations/0001_users/expand.sql", USERS);
    project.file("migrations/0002_index/expand.sql", INDEX);
    git(project.path(), &["init", "--quiet", "--initial-branch", "main"]);
    commit(&project);
    git(project.path(), &["switch", "--quiet", "--create", "work"]);
    project
}

fn commit(project: &Project) {
    git(project.path(), &["add", "--all"]);
    git(project.path(), &["commit", "--quiet", "--message", "x"]);
}

/// The migrations of a plan in JSON, one word each.
fn planned(said: &Said) -> String {
    let plan: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let migrations = plan["migrations"].as_array().unwrap().iter();
    migrations.map(|one| one["id"].as_str().unwrap()).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_plan_shows_the_migrations_that_a_branch_changes_and_knows_what_is_below_them() {
    let project = repository();
    let plan = ["plan", "--since", "main", "--format", "json"];
    let unchanged = project.zdm(&plan).ended(0);
    assert_eq!(planned(&unchanged), "");
    project.zdm(&["plan"]).ended(3);
    project.file("migrations/0003_wider/expand.sql", WIDER);
    // Not even added to the index.
    assert_eq!(planned(&project.zdm(&plan).ended(0)), "0003_wider");
    commit(&project);
    let committed = project.zdm(&plan).ended(0);
    assert_eq!(planned(&committed), "0003_wider");
    let value: serde_json::Value = serde_json::from_str(&committed.out).unwrap();
    // Free only because the column is known to have been varchar(50).
    let effect = &value["migrations"][0]["phases"][0]["steps"][0]["statements"][0]["effect"];
    assert_eq!(effect["rewrites"], serde_json::json!([]), "{effect}");
    assert_eq!(effect["locks"][0]["table"], "public.users");
    assert_eq!(value["since"]["revision"], "main");
    project.file("migrations/0001_users/expand.sql", &format!("-- people\n{USERS}"));
    assert_eq!(planned(&project.zdm(&plan).ended(0)), "0001_users 0003_wider");
}

#[test]
fn what_main_got_meanwhile_is_not_the_branch_s() {
    let project = repository();
    project.file("migrations/0003_wider/expand.sql", WIDER);
    commit(&project);
    git(project.path(), &["switch", "--quiet", "main"]);
    project.file("migrations/0004_more/expand.sql", INDEX);
    commit(&project);
    git(project.path(), &["switch", "--quiet", "work"]);
    let plan = project.zdm(&["plan", "--since", "main", "--format", "json"]).ended(0);
    assert_eq!(planned(&plan), "0003_wider");
}

#[test]
fn a_deleted_migration_is_named() {
    let project = repository();
    git(project.path(), &["rm", "--quiet", "-r", "migrations/0002_index"]);
    for format in ["human", "markdown", "json"] {
        let arguments = ["plan", "--since", "main", "--format", format];
        project.zdm(&arguments).ended(0).says("0002_index");
    }
    project.zdm(&["plan", "--since", "main"]).ended(0).says("0002_index is no longer there");
}

#[test]
fn lint_judges_the_files_that_differ_and_those_whose_declaration_does() {
    let project = repository();
    project.zdm(&["lint"]).ended(3);
    let lint = ["lint", "--since", "main"];
    project.zdm(&lint).ended(0).says("no findings in 0 statements of 0 files");
    let files = ["migrations/0001_users/expand.sql", "migrations/0002_index/expand.sql"];
    let given = [&lint[..], &files].concat();
    project.zdm(&given).ended(0);
    project.file("migrations/0002_index/expand.sql", &format!("\n{INDEX}"));
    project.zdm(&lint).ended(3).says("1 error, 1 remark in 1 statement of 1 file");
    project.zdm(&given).ended(3).says("1 error in 1 statement of 1 file");
    commit(&project);
    let head = ["lint", "--since", "HEAD"];
    project.zdm(&head).ended(0);
    project.file("migrations/0002_index/migration.toml", "description = \"an index\"\n");
    project.zdm(&head).ended(3).says("index-not-concurrent");
}

#[test]
fn a_folder_of_the_repository_and_a_folder_elsewhere_are_found() {
    let project = repository();
    project.file("migrations/0003_wider/expand.sql", WIDER);
    let folder = project.path().join("migrations").to_str().unwrap().to_owned();
    for (place, dir) in
        [("migrations", "."), ("migrations/0001_users", ".."), ("/", folder.as_str())]
    {
        let arguments = ["plan", "--offline", "--dir", dir, "--since", "main", "--format", "json"];
        let mut command = project.command(&arguments);
        command.current_dir(project.path().join(place));
        assert_eq!(planned(&said(command).ended(0)), "0003_wider", "{place}");
    }
}

#[test]
fn what_git_cannot_answer_is_said_in_words() {
    let project = repository();
    let plan = |project: &Project, since: &str| project.zdm(&["plan", "--since", since]).ended(2);
    plan(&project, "nowhere").says("git knows no revision \"nowhere\"").says("hint: ");
    project.zdm(&["plan", "--since=--help"]).ended(2).says("git knows no revision \"--help\"");
    plan(&project, "origin/main").says("`git fetch origin main`");
    git(project.path(), &["switch", "--quiet", "--orphan", "other"]);
    project.file("zdm.toml", "");
    project.file("migrations/0001_users/expand.sql", USERS);
    commit(&project);
    plan(&project, "main").says("no common ancestor of \"main\" and HEAD");
    let outside = Project::new();
    outside.file("migrations/0001_users/expand.sql", USERS);
    plan(&outside, "main").says("is in no git work tree");
    let mut command = outside.command(&["plan", "--since", "main"]);
    command.env("PATH", "/nowhere");
    said(command).ended(2).says("--since needs the program git");
}

#[test]
fn a_shallow_clone_is_told_what_to_fetch() {
    let project = repository();
    project.file("migrations/0003_wider/expand.sql", WIDER);
    commit(&project);
    let clone = tempfile::tempdir().unwrap();
    let url = format!("file://{}", project.path().display());
    git(clone.path(), &["clone", "--quiet", "--depth", "1", "--branch", "work", &url, "."]);
    let mut command = project.command(&["plan", "--since", "origin/main"]);
    command.current_dir(clone.path());
    said(command).ended(2).says("this clone is shallow").says("fetch-depth: 0");
    let both = ["fetch", "--quiet", "--depth", "1", "origin", "main:refs/remotes/origin/main"];
    git(clone.path(), &both);
    let mut command = project.command(&["plan", "--since", "origin/main"]);
    command.current_dir(clone.path());
    said(command).ended(2).says("no common ancestor").says("fetch-depth: 0");
}
