//! The library that applications embed stays small, and nothing is built that needs a C library of the machine.

use std::collections::BTreeSet;
use std::process::Command;

use super::{assert_committed, read, root};

/// The crates that a set of features builds on this platform, by name.
fn crates(features: &[&str]) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .current_dir(root())
        .args(["tree", "--locked", "--offline", "--edges", "normal,build", "--prefix", "none"])
        .args(["--format", "{p}", "--no-dedupe"])
        .args(features)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

fn check_committed(database: &str) {
    let crates = crates(&["--no-default-features", "--features", database]);
    // The same list on each platform: these stand in for each other.
    let platform = |name: &String| name.starts_with("windows") || name.starts_with("wasi");
    let mut text: String =
        "# The crates of the application library; tests/it/repository/crates.rs compares.\n".into();
    for name in crates.iter().filter(|name| !platform(name)) {
        text.push_str(name);
        text.push('\n');
    }
    assert_committed(&format!("tests/data/app-crates-{database}.txt"), &text);
}

#[test]
#[cfg(target_os = "linux")]
fn the_library_for_postgres_builds_the_committed_crates() {
    check_committed("postgres");
}

#[test]
#[cfg(target_os = "linux")]
fn the_library_for_mysql_builds_the_committed_crates() {
    check_committed("mysql");
}

#[test]
fn the_library_builds_nothing_of_the_command_line() {
    for database in ["postgres", "mysql"] {
        let crates = crates(&["--no-default-features", "--features", database]);
        for name in ["clap", "indicatif", "sqlparser", "refinery", "toml", "chrono"] {
            assert!(!crates.contains(name), "{database} builds {name}");
        }
    }
}

#[test]
fn no_build_links_a_c_library_of_the_machine() {
    // deny.toml names them for cargo-deny, too.
    let deny: toml::Table = read("deny.toml".as_ref()).parse().unwrap();
    let crates = crates(&["--all-features"]);
    let denied = deny["bans"]["deny"].as_array().unwrap();
    assert!(denied.len() >= 6);
    for entry in denied {
        let name = entry["crate"].as_str().unwrap();
        assert!(!crates.contains(name), "{name} is built");
    }
}

#[test]
fn the_features_are_those_that_the_documentation_names() {
    let manifest: toml::Table = read("Cargo.toml".as_ref()).parse().unwrap();
    let features = manifest["features"].as_table().unwrap();
    let names: Vec<_> = features.keys().map(String::as_str).collect();
    // `fuzz` is the way in for fuzz/, and nobody else.
    let expected =
        ["cli", "default", "engine", "fuzz", "mysql", "mysql-tls", "postgres", "postgres-tls"];
    assert_eq!(names, expected);
    let default: Vec<_> =
        features["default"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert_eq!(default, ["cli", "postgres-tls", "mysql-tls"]);
}
