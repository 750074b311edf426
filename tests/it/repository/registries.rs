//! A rule, an operation, a report's format and a command are a file and a line in a registry; rules have a data file, too. They agree both ways.

use std::collections::BTreeSet;
use std::path::Path;

use super::{files, read, rust_text};

type Names = BTreeSet<String>;

/// The names of the files of a folder, without their ending; those of its modules that are folders, too.
fn stems(folder: &str, ending: &str, but: &[&str]) -> Names {
    let inside = |path: &Path| {
        let inner = path.strip_prefix(folder).unwrap().to_path_buf();
        let first = inner.iter().next().unwrap().to_string_lossy().into_owned();
        first.strip_suffix(ending).map_or(first.clone(), str::to_owned)
    };
    let mut names: Names = files(folder, ending).iter().map(|path| inside(path)).collect();
    names.retain(|name| !but.contains(&name.as_str()));
    names
}

/// What stands between two marks, everywhere in a text.
fn between(text: &str, open: &str, close: &str) -> Names {
    let pieces = text.split(open).skip(1);
    pieces.filter_map(|piece| piece.split_once(close)).map(|(name, _)| name.to_owned()).collect()
}

/// What one side has and the other has not, as sentences.
fn disagreements(left: (&str, &Names), right: (&str, &Names)) -> Vec<String> {
    let only = |(here, names): (&str, &Names), (there, others): (&str, &Names)| -> Vec<String> {
        names.difference(others).map(|name| format!("{name}: in {here}, not in {there}")).collect()
    };
    [only(left, right), only(right, left)].concat()
}

fn assert_agree(left: (&str, &Names), right: (&str, &Names)) {
    assert!(!left.1.is_empty());
    let wrong = disagreements(left, right);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_rule_has_its_file_its_data_and_its_line_in_the_registry() {
    let registry = read(Path::new("src/lint/rules/mod.rs"));
    let list = registry.split_once("pub(crate) const ALL").unwrap().1.split_once("];").unwrap().0;
    let registered: Names = between(list, "    ", "::RULE");
    let rust = stems("src/lint/rules", ".rs", &["mod", "tests"]);
    let data = stems("lints", ".toml", &["effects"]);
    let data = data.iter().map(|name| name.replace('-', "_")).collect();
    assert_agree(("src/lint/rules", &rust), ("lints", &data));
    assert_agree(("src/lint/rules", &rust), ("the registry", &registered));
    let sorted: Vec<_> = list.lines().filter(|line| line.contains("::RULE")).collect();
    assert!(sorted.is_sorted(), "the registry is in alphabetical order");
}

#[test]
fn every_operation_has_its_file_and_its_line_in_the_registry() {
    let mut rust = Names::new();
    for path in files("src/operation", ".rs") {
        if rust_text::code(&read(&path)).contains("impl Operation for ") {
            let inner = path.strip_prefix("src/operation").unwrap().with_extension("");
            rust.insert(inner.iter().next().unwrap().to_string_lossy().into_owned());
        }
    }
    let registry = read(Path::new("src/operation/registry.rs"));
    let registered = between(rust_text::without_tests(&registry), "    name: \"", "\"");
    assert_agree(("src/operation", &rust), ("the registry", &registered));
}

#[test]
fn every_report_format_has_its_file_and_its_line_in_the_registry() {
    let registry = read(Path::new("src/report/formats/mod.rs"));
    let list = registry.split_once("pub(crate) const ALL").unwrap().1.split_once("];").unwrap().0;
    let list = list.replace("&[", ", ");
    let registered: Names = list
        .split(',')
        .filter_map(|item| item.trim().strip_suffix("::FORMAT"))
        .map(str::to_owned)
        .collect();
    let rust = stems("src/report/formats", ".rs", &["mod", "schema_tests", "tests"]);
    assert_agree(("src/report/formats", &rust), ("the registry", &registered));
}

#[test]
fn every_signal_has_its_file_and_its_line_in_the_registry() {
    let registry = read(Path::new("src/engine/signals/mod.rs"));
    let list = registry.split_once("const ALL: &[Kind]").unwrap().1.split_once("];").unwrap().0;
    let registered = between(list, "    ", "::KIND");
    let rust = stems("src/engine/signals", ".rs", &["mod"]);
    assert_agree(("src/engine/signals", &rust), ("the registry", &registered));
    let settings = read(Path::new("src/config/backfill.rs"));
    let keys = settings.split_once("const SIGNALS").unwrap().1.split_once("];").unwrap().0;
    let mut keys = between(keys, "    \"", "\"");
    // What it means to replica_lag.
    assert!(keys.remove("ignore"));
    assert_agree(("the registry", &registered), ("the keys of zdm.toml", &keys));
}

#[test]
fn every_command_has_its_file() {
    let dispatch = read(Path::new("src/cli/commands/mod.rs"));
    let arms = dispatch.split_once("match command {").unwrap().1.split_once("\n    }\n").unwrap().0;
    let called: Names = between(arms, "=> ", "::");
    let mut rust = stems("src/cli/commands", ".rs", &["mod"]);
    // It is a folder of its own.
    rust.insert("demo".to_owned());
    assert_agree(("src/cli/commands", &rust), ("the dispatch", &called));
    let arguments = read(Path::new("src/cli/args/mod.rs"));
    let list = arguments.split_once("enum Command {").unwrap().1.split_once("\n}\n").unwrap().0;
    let declared: Names = list
        .lines()
        .filter_map(|line| line.trim().strip_suffix("),")?.split_once('('))
        .map(|(name, _)| name.to_owned())
        .filter(|name| name.starts_with(|c: char| c.is_uppercase()))
        .collect();
    let handled = between(arms, "Command::", "(");
    assert_agree(("the arguments", &declared), ("the dispatch", &handled));
}

#[test]
fn a_disagreement_is_seen_from_both_sides() {
    let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect::<Names>();
    let found = disagreements(("files", &names(&["a", "b"])), ("registry", &names(&["b", "c"])));
    assert_eq!(found, ["a: in files, not in registry", "c: in registry, not in files"]);
    assert_eq!(between("x => a::f, y => b::g", "=> ", "::"), names(&["a", "b"]));
}
