use super::*;
use crate::config::Config;
use crate::config::folder::{Entry, migrations};
use crate::model::server::Engine;

const RENAME: &str =
    "[[operation]]\nkind='rename_column'\ntable='users'\nfrom='name'\nto='title'\n";

fn project(folders: &[(&str, &[(&str, &str)])]) -> Project {
    let entries = folders.iter().map(|(name, files)| {
        let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        Entry::Folder { name: (*name).to_owned(), files: files.collect() }
    });
    Project { config: Config::default(), migrations: migrations("m", entries.collect()).unwrap() }
}

/// The plan in lines: migration, phase, statements with their effect and findings.
fn lines(plan: &Plan) -> String {
    let mut text = String::new();
    for migration in &plan.migrations {
        text.push_str(&format!("{} {}\n", migration.id, migration.state));
        for (refusal, _) in &migration.refusals {
            text.push_str(&format!("  REFUSED {refusal}\n"));
        }
        for note in &migration.notes {
            text.push_str(&format!("  NOTE {note}\n"));
        }
        for phase in &migration.phases {
            let end = if phase.point_of_no_return { " (no way back)" } else { "" };
            text.push_str(&format!("  {}{end}\n", phase.phase));
            for step in &phase.steps {
                text.push_str(&format!("    {}: {}\n", step.step.name, step.step.title));
                for statement in &step.statements {
                    let findings: Vec<_> =
                        statement.findings.iter().map(|finding| finding.rule).collect();
                    text.push_str(&format!(
                        "      {}\n        {:?} {}\n",
                        statement.sql.replace('\n', "\n      "),
                        statement.effect.blocks,
                        findings.join(" ")
                    ));
                }
            }
        }
    }
    text
}

fn check(folders: &[(&str, &[(&str, &str)])], engine: Engine) -> String {
    let version = if engine == Engine::Postgres { (15, 0) } else { (10, 11) };
    let server = Server { engine, version };
    lines(&plan(&project(folders), server, None, &History::default()))
}

const USERS: &str =
    "CREATE TABLE users (id bigint PRIMARY KEY, name varchar(50) NOT NULL, UNIQUE (name));";

#[test]
fn a_rename_is_planned_without_a_database() {
    let folders: &[(&str, &[(&str, &str)])] =
        &[("0001_users", &[("expand.sql", USERS)]), ("0002_title", &[("migration.toml", RENAME)])];
    insta::assert_snapshot!(check(folders, Engine::Postgres), @"");
    insta::assert_snapshot!(check(folders, Engine::MariaDb), @"");
}

#[test]
fn a_table_that_the_folder_does_not_make_is_planned_with_what_is_not_known() {
    let folders: &[(&str, &[(&str, &str)])] = &[("0002_title", &[("migration.toml", RENAME)])];
    let found = check(folders, Engine::Postgres);
    assert!(found.contains("ADD COLUMN \"title\" <type of users.name>"), "{found}");
    assert!(
        found.contains("NOTE table \"public.users\" is not known without a database"),
        "{found}"
    );
}

#[test]
fn findings_stand_beside_the_statements_of_files() {
    let folders: &[(&str, &[(&str, &str)])] = &[
        ("0001_users", &[("expand.sql", USERS)]),
        ("0002_index", &[("expand.sql", "CREATE INDEX i ON users (name);\nDROP TABLE users;")]),
    ];
    insta::assert_snapshot!(check(folders, Engine::Postgres), @"");
}

#[test]
fn what_can_never_run_is_refused_by_name() {
    let folders: &[(&str, &[(&str, &str)])] = &[
        ("0001_users", &[("expand.sql", USERS)]),
        ("0002_title", &[("migration.toml", &RENAME.replace("'name'", "'id'"))]),
        (
            "0003_bad",
            &[("expand.sql", "BEGIN; CREATE INDEX CONCURRENTLY i ON users (name); COMMIT;")],
        ),
    ];
    let found = check(folders, Engine::Postgres);
    assert!(
        found.contains("REFUSED column \"id\" is part of the key of table \"public.users\""),
        "{found}"
    );
    assert!(
        found.contains("REFUSED m/0003_bad/expand.sql:1:8: this statement cannot run inside"),
        "{found}"
    );
}
