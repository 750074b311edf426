//! Every format over the same sample, and what their readers demand of them.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::rc::Rc;

use super::schema_tests::{assert_valid, sarif_schema};
use super::{ALL, Rendered, ReportFormat};
use crate::config::folder::{Entry, migrations};
use crate::config::{Config, ServiceConfig};
use crate::error::Error;
use crate::lint::finding::Severity;
use crate::lint::rules;
use crate::model::server::{Engine, Server};
use crate::plan::build::plan;
use crate::plan::history::History;
use crate::plan::project::Project;
use crate::plan::verified::{Difference, Seen, Verified, VerifiedStatement};
use crate::plan::view::Plan;
use crate::report::check::{About, Check, Failed};
use crate::report::human::plan::{Detail, View};
use crate::report::linted::{LintedFile, LintedStatement};
use crate::report::place::Root;

/// Files with something of everything: findings of two severities, one of them over two lines, behind a multi-byte
/// character, in words that mean something to a format; a migration that is refused; gates; points of no return.
pub(super) const SAMPLE: &[(&str, &[(&str, &str)])] = &[
    (
        "0001_users",
        &[(
            "expand.sql",
            "CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL, old int);\nCREATE TABLE logs (a int, b int);\n",
        )],
    ),
    (
        "0002_title",
        &[(
            "migration.toml",
            "description = \"users.name | becomes <title> @ada\"\n[[operation]]\nkind = \"rename_column\"\ntable = \"users\"\nfrom = \"name\"\nto = \"title\"\n[contract]\ntolerated_by = [\"api\"]\n",
        )],
    ),
    (
        "0003_index",
        &[(
            "expand.sql",
            "/* é */ CREATE INDEX users_old ON users (old);\nUPDATE users\n   SET old = 1;\n-- zdm:allow(rename-table) 100%: of no use\nSELECT 1;\n",
        )],
    ),
    ("0004_gone", &[("contract.sql", "ALTER TABLE users DROP COLUMN old;\n")]),
    (
        "0005_logs",
        &[(
            "migration.toml",
            "[[operation]]\nkind = \"rename_column\"\ntable = \"logs\"\nfrom = \"a\"\nto = \"b\"\n",
        )],
    ),
];

const USERS: &str = "CREATE TABLE users (id bigint PRIMARY KEY);";

const SERVER: Server = Server { engine: Engine::Postgres, version: (15, 0) };

fn project(folders: &[(&str, &[(&str, &str)])]) -> Project {
    let entries = folders.iter().map(|(name, files)| {
        let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        Entry::Folder { name: (*name).to_owned(), files: files.collect() }
    });
    let service = |name: &str| (name.to_owned(), ServiceConfig::default());
    let services = ["api", "worker"].map(service).into();
    let mut config = Config { services, ..Config::default() };
    // A new rule is no news to a format.
    let spoken = ["index-not-concurrent", "not-understood", "unbatched-dml", "unused-allow"];
    let silent = rules::ALL.iter().filter(|rule| !spoken.contains(&rule.id));
    config.lint.rules = silent.map(|rule| (rule.id.to_owned(), None)).collect();
    Project { config, migrations: migrations("db/migrations", entries.collect()).unwrap() }
}

fn texts(project: &Project) -> BTreeMap<String, String> {
    let files = project.migrations.iter().flat_map(|migration| migration.files.values());
    files.map(|file| (file.path.clone(), file.text.clone())).collect()
}

fn root() -> Root {
    Root { top: "/repo".into(), directory: "/repo/shop".into(), project: "/repo/shop".into() }
}

fn about<'a>(command: &'static str, root: &'a Root) -> About<'a> {
    let at = chrono::DateTime::from_timestamp(1_780_000_000, 0).unwrap();
    About { command, server: SERVER, root, at, code: 3, fails: Some(Severity::Error) }
}

/// The plan of some folders in a format.
pub(super) fn planned(folders: &[(&str, &[(&str, &str)])], format: &str) -> Rendered {
    let project = project(folders);
    let plan = plan(&project, SERVER, None, &History::default());
    let texts = texts(&project);
    let view = View {
        folder: "db/migrations",
        database: None,
        catalog: None,
        texts: &texts,
        detail: Detail::Brief,
        width: 100,
        only: None,
        since: None,
    };
    (named(format).render)(&Check::plan(about("plan", &root()), &plan, &view))
}

/// The files of the sample in a format.
pub(super) fn linted(format: &str) -> Rendered {
    let project = project(SAMPLE);
    let plan = plan(&project, SERVER, None, &History::default());
    let texts = texts(&project);
    let files: Vec<_> = texts.iter().map(|(path, text)| file(path, text, &plan)).collect();
    (named(format).render)(&Check::lint(about("lint", &root()), &files))
}

fn file(path: &str, text: &str, plan: &Plan) -> LintedFile {
    let phases = plan.migrations.iter().flat_map(|migration| &migration.phases);
    let statements = phases.flat_map(|phase| &phase.steps).flat_map(|step| &step.statements);
    let mut linted = Vec::new();
    for statement in statements {
        let Some((_, span)) = statement.place.as_ref().filter(|(own, _)| own == path) else {
            continue;
        };
        linted.push(LintedStatement {
            span: *span,
            sql: Some(statement.sql.as_str().into()),
            changes: Rc::new([]),
            effect: Rc::new(statement.effect.clone()),
            estimate: statement.estimate.map(Box::new),
            findings: statement.findings.clone(),
        });
    }
    let phase = crate::model::phase::Phase::Expand;
    LintedFile { path: path.to_owned(), text: text.to_owned(), phase, statements: linted }
}

pub(super) fn failed(format: &str) -> Rendered {
    let error = Error::usage("could not read file \"a%b.sql\"")
        .detail("it is\nnot <there>")
        .hint("Look for it.");
    let at = chrono::DateTime::from_timestamp(1_780_000_000, 0).unwrap();
    let root = root();
    (named(format).failed)(&Failed { command: "lint", error: &error, code: 2, at, root: &root })
}

fn named(format: &str) -> &'static ReportFormat {
    ALL.iter().find(|known| known.name == format).unwrap()
}

/// Everything that a format writes.
fn screen(rendered: &Rendered) -> String {
    let version = format!("\"semanticVersion\": \"{}\"", env!("CARGO_PKG_VERSION"));
    let mut text = rendered.text.replace(&version, "\"semanticVersion\": \"VERSION\"");
    for (variable, added) in &rendered.appended {
        write!(text, "\n--> {variable}\n{added}").unwrap();
    }
    text
}

#[test]
fn the_sample_in_every_format() {
    for format in ALL {
        let name = format.name;
        insta::assert_snapshot!(format!("{name}_plan"), screen(&planned(SAMPLE, name)));
        insta::assert_snapshot!(format!("{name}_lint"), screen(&linted(name)));
        insta::assert_snapshot!(format!("{name}_failed"), screen(&failed(name)));
    }
}

#[test]
fn the_registry_is_in_alphabetical_order() {
    assert!(ALL.is_sorted_by_key(|format| format.name));
}

#[test]
fn github_gets_no_more_annotations_than_it_shows_and_every_finding_is_in_the_log() {
    let users = "CREATE TABLE users (id bigint PRIMARY KEY);";
    let indexes = "CREATE INDEX ON users (id);\n".repeat(14);
    let allows = "-- zdm:allow(rename-table) no\nSELECT 1;\n".repeat(12);
    let text = format!("{allows}{indexes}");
    let folders = [("1_u", &[("expand.sql", users)][..]), ("2_i", &[("expand.sql", &text)])];
    let rendered = planned(&folders, "github");
    let lines: Vec<_> = rendered.text.lines().collect();
    let level = |level: &str| lines.iter().filter(|line| line.starts_with(level)).count();
    assert_eq!((level("::error "), level("::warning "), level("::notice ")), (10, 10, 1));
    assert!(lines[..10].iter().all(|line| line.starts_with("::error ")), "{lines:#?}");
    assert_eq!(level("- "), 6);
    let (_, outputs) = rendered.appended.iter().find(|(name, _)| *name == "GITHUB_OUTPUT").unwrap();
    assert!(outputs.contains("findings=26\nerrors=14\nwarnings=12\n"), "{outputs}");
}

#[test]
fn what_ran_otherwise_than_planned_is_an_error_in_every_format() {
    let project = project(SAMPLE);
    let plan = plan(&project, SERVER, None, &History::default());
    let texts = texts(&project);
    let steps = plan.migrations.iter().flat_map(|one| &one.phases).flat_map(|one| &one.steps);
    let found = Difference {
        what: "lock on public.users".to_owned(),
        foretold: "none".to_owned(),
        seen: "ShareLock".to_owned(),
    };
    let ran = steps.flat_map(|step| &step.statements).map(|one| VerifiedStatement {
        migration: plan.migrations[0].id.clone(),
        phase: crate::model::phase::Phase::Expand,
        step: String::new(),
        sql: one.sql.clone(),
        place: one.place.clone(),
        foretold: one.effect.clone(),
        seen: Seen::Nothing,
        differences: if one.sql == "SELECT 1" { vec![found.clone()] } else { Vec::new() },
    });
    let verified = Verified { server: SERVER, statements: ran.collect(), notes: Vec::new() };
    let view = View {
        folder: "db/migrations",
        database: None,
        catalog: None,
        texts: &texts,
        detail: Detail::Brief,
        width: 100,
        only: None,
        since: None,
    };
    let root = root();
    for format in ALL {
        let about = About { fails: None, ..about("plan", &root) };
        let text = (format.render)(&Check::plan(about, &plan, &view).verified(&verified)).text;
        let words = "lock on public.users: the plan says none, and it was ShareLock";
        assert!(text.contains(words), "{text}");
        assert!(text.contains("shop/db/migrations/0003_index/expand.sql"), "{text}");
        match format.name {
            "sarif" => drop(assert_valid(&sarif_schema(), &text)),
            // The refused migration, and this.
            "junit" => assert_eq!(text.matches("<failure ").count(), 2, "{text}"),
            _ => {}
        }
    }
}

#[test]
fn a_lint_alone_may_fill_the_comment() {
    let sql = "CREATE INDEX ON users (id);\n".repeat(400);
    let project =
        project(&[("1_users", &[("expand.sql", USERS)]), ("2_i", &[("expand.sql", &sql)])]);
    let plan = plan(&project, SERVER, None, &History::default());
    let texts = texts(&project);
    let files: Vec<_> = texts.iter().map(|(path, text)| file(path, text, &plan)).collect();
    let text = (named("markdown").render)(&Check::lint(about("lint", &root()), &files)).text;
    assert!(text.len() < 65_536 && text.len() > 60_000, "{}", text.len());
    assert!(text.contains(" findings. `zdm lint` shows everything."), "{text}");
}

#[test]
fn no_text_of_an_author_becomes_a_command_of_the_runner() {
    let sql = "SELECT 1;\n::stop-commands::x\n##[add-mask]a\nCREATE INDEX \"x::y,z%0A\n::error::\" ON users (id);\n";
    let folders = [("1_u", &[("expand.sql", USERS)][..]), ("2_i", &[("expand.sql", sql)])];
    for line in planned(&folders, "github").text.lines() {
        let known = ["::error file=", "::warning file=", "::notice ", "::group::", "::endgroup::"];
        let is_own = known.iter().any(|own| line.starts_with(own));
        assert!(is_own || !line.trim_start().starts_with("::"), "{line}");
    }
}

#[test]
fn a_comment_stays_below_the_limit_and_says_what_is_left_out() {
    let sql = "CREATE INDEX ON users (id);\n".repeat(300);
    let names: Vec<_> = (2..300).map(|number| format!("{number}_index")).collect();
    let users = [("expand.sql", "CREATE TABLE users (id bigint PRIMARY KEY);")];
    let (large, small) = ([("expand.sql", sql.as_str())], [("expand.sql", "SELECT 1;")]);
    let mut folders: Vec<(&str, &[(&str, &str)])> = vec![("1_users", &users)];
    folders.extend(names.iter().map(|name| (name.as_str(), &small[..])));
    folders.push(("999_large", &large));
    let text = planned(&folders, "markdown").text;
    assert!(text.len() < 65_536 && text.len() > 60_000, "{}", text.len());
    assert!(text.starts_with("<!-- zdm:plan shop -->\n"), "{text}");
    assert!(text.contains("**Left out**, as a comment has a limit: "), "{text}");
    // The worst has its place, although it is the last.
    assert!(text.contains("<details open><summary><b>999_large</b>"), "{text}");
    let count = |what: &str| text.matches(what).count();
    assert_eq!(count("<details"), count("</details>"));
}
