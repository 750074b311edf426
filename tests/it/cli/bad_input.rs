//! Bad input that needs no server: exit code 2, what is wrong, where, and what to do; nothing is written.

use super::Project;

const ADD: &str = "ALTER TABLE users ADD COLUMN email text;\n";

#[track_caller]
fn refused(project: &Project, arguments: &[&str], message: &str) {
    let said = project.zdm(arguments).ended(2);
    assert_eq!(said.out, "", "errors go to stderr");
    assert!(said.err.starts_with(&format!("error: {message}")), "{}", said.err);
    assert!(said.err.contains("\n\nhint: "), "no hint in:\n{}", said.err);
}

#[test]
fn without_zdm_toml_the_error_says_how_to_get_one() {
    refused(&Project::empty(), &["plan"], "no zdm.toml in this folder or above it");
}

#[test]
fn broken_toml_is_located() {
    let project = Project::empty();
    project.file("zdm.toml", "[database]\nengine = postgres\n");
    let said = project.zdm(&["plan"]).ended(2);
    assert!(said.err.starts_with("error: zdm.toml:2:10: "), "{}", said.err);
}

#[test]
fn an_unknown_key_names_its_neighbour() {
    let project = Project::empty();
    project.file("zdm.toml", "[gate]\nsoack = \"1h\"\n");
    refused(&project, &["plan"], "zdm.toml:2:1: unknown key \"soack\" in [gate]");
    project.zdm(&["plan"]).says("hint: Did you mean \"soak\"?");
    project.file("zdm.toml", "");
    let path = "migrations/0001_a/migration.toml";
    project.file(path, "[contract]\ntolerated = [\"api\"]\n");
    let message = format!("{path}:2:1: unknown key \"tolerated\" in [contract]");
    refused(&project, &["plan"], &message);
}

#[test]
fn an_operation_that_does_not_exist_names_its_neighbour() {
    let project = Project::new();
    let path = "migrations/0001_a/migration.toml";
    project.file(path, "[[operation]]\nkind = \"rename_colunm\"\n");
    refused(&project, &["plan"], &format!("{path}:2:8: there is no operation \"rename_colunm\""));
    project.zdm(&["plan"]).says("hint: Did you mean \"rename_column\"?");
}

#[test]
fn two_migrations_with_one_number_are_named() {
    let project = Project::new();
    project.file("migrations/0002_a/expand.sql", ADD);
    project.file("migrations/2_b/expand.sql", ADD);
    refused(&project, &["plan"], "migrations 0002_a and 2_b have the same number");
}

#[test]
fn an_empty_or_missing_folder_is_named() {
    let project = Project::new();
    refused(&project, &["plan"], "there is no folder \"migrations\" of migrations");
    project.file("migrations/.gitkeep", "");
    refused(&project, &["plan"], "folder \"migrations\" holds no migrations");
    refused(
        &project,
        &["plan", "--dir", "elsewhere"],
        "there is no folder \"elsewhere\" of migrations",
    );
}

#[test]
fn files_that_are_no_migrations_are_named() {
    let project = Project::new();
    project.file("migrations/0001_a.sql", ADD);
    refused(&project, &["plan"], "file \"migrations/0001_a.sql\" is not a migration");
    let project = Project::new();
    project.file("migrations/0001_a/expnd.sql", ADD);
    refused(&project, &["plan"], "file \"migrations/0001_a/expnd.sql\" means nothing to zdm");
    let project = Project::new();
    project.file("migrations/users/expand.sql", ADD);
    refused(&project, &["plan"], "folder \"migrations/users\" is not a migration");
    let project = Project::new();
    std::fs::create_dir_all(project.path().join("migrations/0001_a")).unwrap();
    refused(&project, &["plan"], "migration 0001_a is empty");
}

#[test]
fn text_that_is_not_utf_8_is_located() {
    let project = Project::new();
    project.file("migrations/0001_a/expand.sql", "");
    let path = project.path().join("migrations/0001_a/expand.sql");
    std::fs::write(path, b"SELECT '\xe9'").unwrap();
    let message =
        "file \"migrations/0001_a/expand.sql\" is not UTF-8 text: byte 9 is not UTF-8, in line 1";
    refused(&project, &["plan"], message);
}

#[test]
fn an_environment_that_does_not_exist_names_its_neighbour() {
    let project = Project::new();
    project.file("zdm.toml", "[environments.production]\n");
    let arguments = ["plan", "--env", "producton"];
    refused(&project, &arguments, "environment \"producton\" is not in zdm.toml");
}

#[test]
fn a_missing_variable_is_named_when_it_is_used() {
    let project = Project::new();
    project.file("zdm.toml", "[database]\nurl = \"${NOWHERE_SET}\"\n");
    project.file("migrations/0001_a/expand.sql", ADD);
    let message = "zdm.toml:2:7: environment variable NOWHERE_SET is not set";
    refused(&project, &["expand"], message);
}

#[test]
fn a_service_that_is_not_declared_is_named() {
    let project = Project::new();
    project.file("zdm.toml", "[services.api]\n");
    project.file("migrations/0001_a/migration.toml", "[contract]\ntolerated_by = [\"apo\"]\n");
    refused(
        &project,
        &["plan"],
        "migration 0001_a names service \"apo\", which is not in zdm.toml",
    );
}

#[test]
fn a_command_that_needs_a_database_says_how_to_name_one() {
    let project = Project::new();
    project.file("migrations/0001_a/expand.sql", ADD);
    for command in ["expand", "migrate", "contract", "purge", "status", "instances", "events"] {
        refused(&project, &[command], "no database is named");
    }
}

#[test]
fn an_address_of_another_product_is_refused() {
    let project = Project::new().at("sqlite://file.db");
    project.file("migrations/0001_a/expand.sql", ADD);
    refused(&project, &["status"], "database address sqlite://file.db/ is not one that zdm knows");
}

#[test]
fn wrong_arguments_exit_2() {
    let project = Project::new();
    project.zdm(&["plann"]).ended(2).says("similar subcommand");
    project.zdm(&["contract", "--override", "soak"]).ended(2).says("--reason");
    project.zdm(&["expand", "--lock-wait", "1 month"]).ended(2).says("no fixed length");
    project.zdm(&[]).ended(2).says("Usage:");
}

#[test]
fn an_error_in_json_is_one_object_on_stdout() {
    let said = Project::empty().zdm(&["plan", "--format", "json"]).ended(2);
    assert_eq!(said.err, "");
    let value: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(value["format"], 1);
    assert_eq!(value["command"], "plan");
    assert_eq!(value["result"], "usage");
    assert_eq!(value["code"], 2);
    assert_eq!(value["retryable"], false);
}
