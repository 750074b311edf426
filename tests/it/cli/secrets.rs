//! Passwords are in no output, whatever goes wrong.

use super::{Project, said};
use crate::support::Engine;

const PASSWORD: &str = "pa55-very-s3cret";

#[track_caller]
fn is_kept(project: &Project, arguments: &[&str], variable: (&str, &str)) {
    for flags in [&[][..], &["-vv"], &["-vv", "--log-format", "json"], &["--format", "json"]] {
        let mut command = project.command(&[arguments, flags].concat());
        command.env(variable.0, variable.1).env("ZDM_LOG", "trace");
        let said = said(command);
        assert_ne!(said.code, 0, "{}", said.out);
        let all = format!("{}{}", said.out, said.err);
        assert!(!all.contains(PASSWORD), "the password is in:\n{all}");
    }
}

fn project() -> Project {
    let project = Project::new();
    project.file("migrations/0001_a/expand.sql", "CREATE TABLE t (id int PRIMARY KEY);\n");
    project
}

#[test]
fn a_password_is_in_no_message_about_a_dead_server() {
    for scheme in ["postgres", "mysql", "mariadb"] {
        // Port 1 is never a database's.
        let url = format!("{scheme}://app:{PASSWORD}@127.0.0.1:1/app");
        for command in ["plan", "expand", "status", "instances", "events"] {
            is_kept(&project(), &[command], ("DATABASE_URL", &url));
            is_kept(&project(), &[command, "--database-url", &url], ("X", ""));
        }
    }
}

#[test]
fn a_password_is_in_no_message_about_a_bad_address() {
    for url in [
        format!("app:{PASSWORD}@127.0.0.1/app"),
        format!("sqlite://app:{PASSWORD}@h/app"),
        format!("postgres://app:{PASSWORD}@h:port/app"),
        format!("postgres://h:1/app?password={PASSWORD}&nonsense=1"),
        format!("mysql://app:{PASSWORD}@127.0.0.1:1/app?nonsense={PASSWORD}"),
    ] {
        is_kept(&project(), &["status"], ("DATABASE_URL", &url));
    }
}

#[test]
fn a_password_in_a_broken_zdm_toml_is_not_quoted() {
    let project = project();
    for line in [
        format!("url = \"postgres://app:{PASSWORD}@h/app\nrole = \"x\""),
        format!("url = \"postgres://app:{PASSWORD}${{@h/app\""),
        format!("url = [\"postgres://app:{PASSWORD}@h/app\"]"),
        format!("url = postgres://app:{PASSWORD}@h/app"),
    ] {
        project.file("zdm.toml", &format!("[database]\n{line}\n"));
        is_kept(&project, &["status"], ("X", ""));
    }
}

#[test]
fn a_password_from_a_file_is_kept() {
    let project = project();
    project.file("secret", &format!("postgres://app:{PASSWORD}@127.0.0.1:1/app\n"));
    is_kept(&project, &["status"], ("ZDM_DATABASE_URL_FILE", "secret"));
    project.file("zdm.toml", "[database]\nurl_file = \"secret\"\n");
    is_kept(&project, &["status"], ("X", ""));
}

#[test]
fn a_password_is_in_no_log_event_or_table_of_a_run() {
    crate::support::each(|db| {
        let url = db.user("owner").replace(":secret@", &format!(":{PASSWORD}@"));
        let user = db.user_name("owner");
        match db.engine {
            Engine::Postgres => {
                db.run(&format!("ALTER ROLE {user} SUPERUSER PASSWORD '{PASSWORD}'"));
            }
            Engine::MariaDb => {
                db.run(&format!("ALTER USER '{user}'@'%' IDENTIFIED BY '{PASSWORD}'"));
                db.run(&format!("GRANT ALL ON *.* TO '{user}'@'%'"));
            }
        }
        let project = project();
        let mut command = project.command(&["expand", "-vv", "--database-url", &url]);
        command.env("ZDM_LOG", "trace");
        let first = said(command).ended(0);
        let mut command = project.command(&["events", "--format", "json"]);
        command.env("DATABASE_URL", &url);
        let events = said(command).ended(0);
        let all = [first.out, first.err, events.out, events.err].concat();
        assert!(!all.contains(PASSWORD), "the password is in:\n{all}");
        let (run, event) = match db.engine {
            Engine::Postgres => ("zdm.run", "zdm.event"),
            Engine::MariaDb => ("zdm_run", "zdm_event"),
        };
        for table in [run, event] {
            let rows = db.rows(&format!("SELECT * FROM {table}")).concat().concat();
            assert!(!rows.contains(PASSWORD), "the password is in {table}: {rows}");
        }
    });
}
