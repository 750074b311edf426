use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::lint::about::Example;
use crate::lint::finding::Finding;
use crate::lint::finding::Fix;
use crate::lint::migration::{MigrationFacts, lint_migration};
use crate::lint::{FileContext, lint_file};
use crate::model::server::Engine;
use crate::model::server::Server;
use crate::sql::catalog::Catalog;
use crate::sql::replay::Names;

/// The findings of an example of a rule, which speaks even if it is off by default.
fn lint(rule: &Rule, example: &Example, sql: &str) -> Vec<Finding> {
    let engine = example.engine().expect("a database that zdm knows");
    let phase = example.phase().expect("a phase that zdm knows");
    if let Check::Migration(_) = rule.check {
        let rules = BTreeMap::new();
        let facts = MigrationFacts {
            id: "0001_x",
            declaration: sql,
            files: &example.files(),
            services: &["api"],
            engine,
            rules: &rules,
            state: example.state(),
            open: example.days.map(|days| Duration::from_hours(24 * days)),
            limit: None,
        };
        let linted = lint_migration(&facts);
        return linted.into_iter().flat_map(|statement| statement.findings).collect();
    }
    let version = match engine {
        Engine::Postgres => (15, 0),
        Engine::MySql => (8, 4),
        Engine::MariaDb => (10, 11),
    };
    let (names, mut catalog) = (Names::new(engine, &[]), Catalog::default());
    let server = Server { engine, version };
    let severity = Some(rule.about().severity().unwrap_or(Severity::Info));
    let rules = BTreeMap::from([(rule.id.to_owned(), severity)]);
    let mut cx = FileContext {
        phase: Some(phase),
        server,
        names: &names,
        catalog: &mut catalog,
        rules: &rules,
        backfilled: &[],
    };
    lint_file(&example.schema, &mut cx);
    cx.catalog.settle();
    lint_file(sql, &mut cx).into_iter().flat_map(|statement| statement.findings).collect()
}

#[test]
fn each_rule_has_its_data_file_and_both_kinds_of_examples() {
    for rule in ALL {
        let about: About =
            toml::from_str(rule.data).unwrap_or_else(|error| panic!("{}: {error}", rule.id));
        assert_eq!(about.id, rule.id);
        assert!(!about.title.is_empty() && !about.why.is_empty() && !about.instead.is_empty());
        assert!(!about.databases().is_empty() && !about.phases().is_empty(), "{}", rule.id);
        assert!(!about.bad.is_empty() && !about.good.is_empty(), "{}", rule.id);
    }
    assert!(ALL.is_sorted_by_key(|rule| rule.id));
}

#[test]
fn each_bad_example_gives_that_rule_and_no_other() {
    let mut wrong = Vec::new();
    for rule in ALL {
        for example in &rule.about().bad {
            let found: Vec<_> =
                lint(rule, example, &example.sql).iter().map(|finding| finding.rule).collect();
            if found != [rule.id] {
                wrong.push(format!("{}: {found:?}: {}", rule.id, example.sql));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_good_example_gives_nothing() {
    let mut wrong = Vec::new();
    for rule in ALL {
        for example in &rule.about().good {
            let found = lint(rule, example, &example.sql);
            let ids: Vec<_> = found.iter().map(|finding| finding.rule).collect();
            if !ids.is_empty() {
                wrong.push(format!("{}: {ids:?}: {}", rule.id, example.sql));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_message_names_its_table_and_says_what_a_lock_means() {
    for rule in ALL.iter().filter(|rule| !matches!(rule.id, "not-understood" | "unused-allow")) {
        let bad = rule.about().bad.iter();
        for finding in bad.flat_map(|example| lint(rule, example, &example.sql)) {
            let message = &finding.message;
            let named = [
                "table \"",
                "index \"",
                "view \"",
                "function \"",
                "type \"",
                "schema \"",
                "migration \"",
            ];
            assert!(named.iter().any(|object| message.contains(object)), "{message}");
            assert!(!message.ends_with('.') && !finding.help.ends_with('.'), "{message}");
            assert!(message.starts_with(|first: char| !first.is_uppercase()
                || message.get(1..2).is_some_and(|second| second.chars().all(char::is_uppercase))));
            if message.contains("Lock") {
                assert!(
                    message.contains("others can only") || message.contains("nobody reads"),
                    "{message}"
                );
            }
        }
    }
}

#[test]
fn an_edit_makes_its_finding_go_away() {
    let mut edits = 0;
    for rule in ALL {
        for example in &rule.about().bad {
            for finding in lint(rule, example, &example.sql) {
                let Some(Fix::Edit { span, text }) = finding.fix else { continue };
                let mut fixed = example.sql.clone();
                fixed.replace_range(span.start..span.end, &text);
                let left = lint(rule, example, &fixed);
                assert!(left.iter().all(|finding| finding.rule != rule.id), "{fixed}: {left:?}");
                edits += 1;
            }
        }
    }
    assert!(edits > 0);
}

#[test]
fn an_unknown_rule_names_its_neighbour() {
    assert_eq!(unknown("rename-colum"), "there is no rule \"rename-colum\" (\"rename-column\"?)");
    assert_eq!(unknown("x"), "there is no rule \"x\"");
}
