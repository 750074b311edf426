//! Commands that need no server.

use super::{Project, said};

#[test]
fn init_and_new_make_a_project_that_can_be_planned() {
    let project = Project::empty();
    project.zdm(&["init"]).ended(0).says("next: zdm new NAME");
    let rename =
        ["--operation", "rename_column", "--table", "users", "--from", "name", "--to", "full_name"];
    let arguments = [&["new", "users full-name"][..], &rename].concat();
    project.zdm(&arguments).ended(0).says("wrote migrations/0001_users_full_name/migration.toml");
    project.zdm(&["new", "more"]).ended(0).says("wrote migrations/0002_more/expand.sql");
}

#[test]
fn init_leaves_a_file_that_is_there_as_it_is() {
    let project = Project::empty();
    project.file("zdm.toml", "# mine\n");
    project.zdm(&["init"]).ended(2).says("zdm.toml\" is there already");
    let text = std::fs::read_to_string(project.path().join("zdm.toml")).unwrap();
    assert_eq!(text, "# mine\n");
}

#[test]
fn new_writes_nothing_when_the_operation_is_wrong() {
    let project = Project::new();
    project.file("migrations/.gitkeep", "");
    project.zdm(&["new", "a", "--operation", "rename_column"]).ended(2).says("Nothing was written");
    assert!(!project.path().join("migrations/0001_a").exists());
}

#[test]
fn the_manifest_holds_what_the_folder_says() {
    let project = Project::new();
    project.file("migrations/0001_a/expand.sql", "CREATE TABLE t (id bigint PRIMARY KEY);\n");
    project.file(
        "migrations/0002_b/migration.toml",
        "deploy_after = \"expand\"\n[contract]\ntolerated_by = [\"api\"]\n",
    );
    let said = project.zdm(&["manifest", "--service", "api"]).ended(0);
    let manifest = "zdm-manifest 1\nservice api\ntolerates 0002_b\nneeds 0001_a migrated\nneeds 0002_b expanded\n";
    assert_eq!(said.out, manifest);
}

#[test]
fn completions_and_help_are_written_for_every_command() {
    let project = Project::empty();
    for shell in ["bash", "zsh", "fish"] {
        project.zdm(&["completions", shell]).ended(0).says("contract");
    }
    project.zdm(&["--help"]).ended(0).says("143  terminated by SIGTERM");
    project.zdm(&["contract", "--help"]).ended(0).says("Examples:");
    project.zdm(&["--version"]).ended(0).says(env!("CARGO_PKG_VERSION"));
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    let project = Project::empty();
    let mut command = project.command(&["completions", "bash"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    command.stdout(writer);
    said(command).ended(0);
}

#[test]
fn colours_are_there_when_they_are_asked_for_alone() {
    let project = Project::empty();
    let plain = project.zdm(&["plan"]).ended(2);
    assert!(!plain.err.contains('\u{1b}'), "{}", plain.err);
    let colourful = project.zdm(&["plan", "--color", "always"]).ended(2);
    assert!(colourful.err.contains('\u{1b}'), "{}", colourful.err);
}

#[test]
fn tables_of_a_schema_file_or_of_an_earlier_file_are_in_use() {
    let project = Project::empty();
    project.file("base.sql", "CREATE TABLE t (id bigint PRIMARY KEY, a int);\n");
    project.file("index.sql", "CREATE INDEX t_a ON t (a);\n");
    let server = ["lint", "--server", "postgres:15"];
    let said = |more: &[&str], code| project.zdm(&[&server[..], more].concat()).ended(code);
    said(&["--schema", "base.sql", "index.sql"], 3).says("index-not-concurrent");
    said(&["base.sql", "index.sql"], 3).says("index-not-concurrent");
    project.file("both.sql", "CREATE TABLE t (id bigint, a int);\nCREATE INDEX t_a ON t (a);\n");
    said(&["both.sql"], 0);
}
