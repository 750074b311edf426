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
