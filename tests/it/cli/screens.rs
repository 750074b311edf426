//! Whole screens, as people see them.

use std::process::Command;

use assert_cmd::cargo::cargo_bin;

use super::{Project, said};

fn zdm(arguments: &[&str]) -> String {
    let mut command = Command::new(cargo_bin!("zdm"));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("DATABASE_URL");
    said(command).ended(0).out
}

#[test]
fn the_plan_of_the_examples() {
    insta::assert_snapshot!(zdm(&["plan", "--dir", "migrations-examples", "--offline"]));
}

#[test]
fn the_plan_of_the_examples_on_mariadb() {
    let server = ["--server", "mariadb:10.11"];
    let arguments =
        [&["plan", "--dir", "migrations-examples-mariadb", "--offline"][..], &server].concat();
    insta::assert_snapshot!(zdm(&arguments));
}

#[test]
fn findings_with_their_source_lines() {
    let project = Project::new();
    let sql = "-- who signed up when\nALTER TABLE users RENAME COLUMN name TO title;\n\nUPDATE users\n   SET title = '';\n";
    project.file("changes.sql", sql);
    insta::assert_snapshot!(project.zdm(&["lint", "changes.sql"]).ended(3).out);
}

#[test]
fn a_plan_says_first_what_a_reviewer_must_know() {
    let project = Project::new();
    project.file("zdm.toml", "[services.api]\n[services.worker]\n");
    project.file(
        "migrations/0001_users/expand.sql",
        "CREATE TABLE users (id bigint PRIMARY KEY, name text, old text);\n",
    );
    project.file(
        "migrations/0002_index/expand.sql",
        "CREATE INDEX users_name ON users (name);\nUPDATE users SET old = '';\n",
    );
    project.file("migrations/0003_old/contract.sql", "ALTER TABLE users DROP COLUMN old;\n");
    project.file(
        "migrations/0003_old/migration.toml",
        "description = \"users.old is gone\"\n[contract]\ntolerated_by = [\"api\"]\n",
    );
    insta::assert_snapshot!(project.zdm(&["plan", "--offline"]).ended(3).out);
}
