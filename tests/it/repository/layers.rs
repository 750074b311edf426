//! An arrow may only point down.

use std::collections::BTreeSet;
use std::path::Path;

use super::{files, read, rust_text};

/// The layers, the lowest first. Modules of one level may use each other.
const LEVELS: &[&[&str]] = &[
    &["model"],
    &["sql"],
    &["lint"],
    &["operation"],
    // Settings and failures are plain data that everybody above uses.
    &["plan", "config", "error"],
    &["database"],
    &["app"],
    &["engine"],
    &["report"],
    &["cli"],
];

/// Where the crate is put together: these may use everything.
const ROOTS: &[&str] = &["lib", "main"];

/// What exists for tests alone; `scratch` is the root's name for the throwaway servers, for tests, too.
const TESTS: &[&str] = &["support", "scratch"];

fn level(module: &str) -> Option<usize> {
    LEVELS.iter().position(|names| names.contains(&module))
}

/// The upward arrows of one file, as sentences.
fn upward(path: &Path, text: &str) -> Vec<String> {
    let mut parts: Vec<String> = path
        .with_extension("")
        .iter()
        .skip(1)
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    if parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    let Some(own) = parts.first().filter(|own| !ROOTS.contains(&own.as_str())) else {
        return Vec::new();
    };
    let Some(from) = level(own) else {
        return vec![format!("{}: `{own}` is not in the list of layers", path.display())];
    };
    used(&rust_text::code(text), parts.len())
        .into_iter()
        .filter(|module| !(is_test(path) && TESTS.contains(&module.as_str())))
        .filter(|module| level(module).is_none_or(|to| to > from))
        .map(|module| format!("{}: {own} must not use crate::{module}", path.display()))
        .collect()
}

/// Whether a file holds tests alone, by its name or a folder's.
fn is_test(path: &Path) -> bool {
    path.with_extension("").iter().skip(1).any(|part| {
        let part = part.to_string_lossy();
        part == "tests" || part.ends_with("_tests")
    })
}

/// The modules at the crate's root that a file's code names: after `crate::`, or after as many `super::` as lead there.
fn used(code: &str, depth: usize) -> BTreeSet<String> {
    let code: String = code.split_whitespace().collect::<Vec<_>>().join(" ");
    let code = code.replace(" :: ", "::").replace(":: ", "::").replace(" ::", "::");
    let supers = "super::".repeat(depth);
    let mut found = BTreeSet::new();
    for prefix in ["crate::", supers.as_str()] {
        for (at, _) in code.match_indices(prefix) {
            let before = code.get(..at).unwrap_or_default();
            // `$crate::`, `other_crate::` and longer chains of `super::` are something else.
            if before.ends_with(|c: char| c.is_alphanumeric() || "_$:".contains(c)) {
                continue;
            }
            found.extend(firsts(code.get(at + prefix.len()..).unwrap_or_default()));
        }
    }
    // `use super::super::{self}` and macros name no module of their own.
    found.retain(|name| name.starts_with(|c: char| c.is_lowercase()) && name != "self");
    found.remove("super");
    found
}

/// The first names of a path or of a braced list of paths: `a::b` gives a, `{a::{b, c}, d}` gives a and d.
fn firsts(text: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let Some(list) = text.trim_start().strip_prefix('{') else { return vec![name(text)] };
    let (mut depth, mut names, mut item) = (0_usize, Vec::new(), String::new());
    for c in list.chars() {
        match c {
            '}' if depth == 0 => break,
            ',' if depth == 0 => names.push(name(&std::mem::take(&mut item))),
            _ => {
                depth = depth + usize::from(c == '{') - usize::from(c == '}');
                item.push(c);
            }
        }
    }
    names.push(name(&item));
    names.retain(|name| !name.is_empty());
    names
}

#[test]
fn an_arrow_only_points_down() {
    let wrong: Vec<_> =
        files("src", ".rs").iter().flat_map(|path| upward(path, &read(path))).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_upward_arrow_is_seen_in_every_form() {
    for text in [
        "use crate::engine::job::Job;",
        "use crate::{model::name, engine::{job, event}};",
        "use crate::{\n    model::{self, name},\n    engine,\n};",
        "fn f(job: &crate::engine::Job) {}",
        "use super::super::engine::Job;",
        "pub(crate) use crate :: engine;",
        "#[cfg(test)]\nmod tests { use crate::engine::job; }",
    ] {
        let found = upward(Path::new("src/plan/steps.rs"), text);
        assert_eq!(found, ["src/plan/steps.rs: plan must not use crate::engine"], "{text}");
    }
}

#[test]
fn downward_and_sideways_is_right() {
    for text in [
        "use crate::{model::name::{self, TableName}, sql, config::Config};",
        "use super::super::operation::Operation; use super::view;",
        "use other_crate::engine; macro_rules! m { () => { $crate::engine!() } }",
        "// use crate::engine;\nconst TEXT: &str = \"crate::engine\";",
        "use crate::Error;",
    ] {
        assert_eq!(upward(Path::new("src/plan/steps.rs"), text), [""; 0], "{text}");
    }
    assert_eq!(upward(Path::new("src/lib.rs"), "pub use crate::engine::scratch;"), [""; 0]);
}

#[test]
fn only_tests_use_what_is_there_for_tests() {
    let text = "use crate::support::{self, Db}; use crate::scratch;";
    assert_eq!(upward(Path::new("src/database/state/server_tests.rs"), text), [""; 0]);
    assert_eq!(upward(Path::new("src/engine/gate/tests.rs"), text), [""; 0]);
    assert_eq!(upward(Path::new("src/database/state/server.rs"), text).len(), 2);
}

#[test]
fn a_new_module_needs_a_place_among_the_layers() {
    let found = upward(Path::new("src/utils.rs"), "");
    assert_eq!(found, ["src/utils.rs: `utils` is not in the list of layers"]);
}
