//! On a terminal: colours, and a bar with rate and time left. Elsewhere: lines.

use rexpect::session::spawn_command;

use super::Project;
use crate::support::{self, Db};

fn with_rows(db: &Db) -> Project {
    db.run("CREATE TABLE users (id bigint PRIMARY KEY, name varchar(100))");
    db.run("INSERT INTO users SELECT n, 'x' FROM generate_series(1, 30000) AS n");
    let project = Project::on(db);
    project.file(
        "migrations/0001_rename/migration.toml",
        "[[operation]]\nkind = \"rename_column\"\ntable = \"users\"\nfrom = \"name\"\nto = \"title\"\n",
    );
    project.zdm(&["expand"]).ended(0);
    project
}

#[test]
fn a_backfill_has_a_bar_on_a_terminal() {
    let Some(db) = support::postgres() else { return };
    let project = with_rows(&db);
    let mut command = project.command(&["migrate"]);
    command.env("TERM", "xterm-256color").env_remove("NO_COLOR");
    let mut terminal = spawn_command(command, Some(60_000)).unwrap();
    let bar = terminal.exp_regex("rows/s").unwrap();
    assert!(bar.0.contains('%'), "{}", bar.0);
    assert!(bar.0.contains("\u{1b}["), "{}", bar.0);
    terminal.exp_string("migrate 0001_rename: migrated").unwrap();
    terminal.exp_eof().unwrap();
}

#[test]
fn a_backfill_has_lines_elsewhere() {
    let Some(db) = support::postgres() else { return };
    let said = with_rows(&db).zdm(&["migrate"]).ended(0).says("rows/s");
    assert!(!format!("{}{}", said.out, said.err).contains('\u{1b}'), "{}", said.err);
    assert!(said.err.lines().any(|line| line.contains(" rows, ")), "{}", said.err);
}

#[test]
fn quiet_leaves_results_and_errors_alone() {
    let Some(db) = support::postgres() else { return };
    let project = with_rows(&db);
    let said = project.zdm(&["migrate", "-q"]).ended(0);
    assert_eq!(said.err, "");
    assert!(said.out.contains("migrated"), "{}", said.out);
}
