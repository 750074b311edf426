//! What holds for the whole repository, and only a test keeps true.
//!
//! Each check is a function over text, so that a test beside it can show it failing.

mod crates;
mod layers;
mod licences;
mod marks;
mod registries;
mod rust_text;
mod sizes;

use std::fs;
use std::path::{Path, PathBuf};

/// The root of the repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file under a folder of the repository whose name ends so, sorted, relative to the root.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path.strip_prefix(root()).unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

/// The text of a file of the repository.
fn read(path: &Path) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// Compares with a committed file; `ZDM_REWRITE=1` writes it instead.
fn assert_committed(path: &str, expected: &str) {
    let path = Path::new(path);
    if std::env::var_os("ZDM_REWRITE").is_some() {
        fs::write(root().join(path), expected).unwrap();
    }
    let committed = fs::read_to_string(root().join(path)).unwrap_or_default();
    assert!(
        committed == expected,
        "{} is not what it should be; ZDM_REWRITE=1 cargo test --test it repository writes it\n{}",
        path.display(),
        difference(&committed, expected)
    );
}

/// The lines that one text has and the other has not.
fn difference(old: &str, new: &str) -> String {
    let gone =
        old.lines().filter(|line| !new.lines().any(|l| l == *line)).map(|l| format!("- {l}"));
    let come =
        new.lines().filter(|line| !old.lines().any(|l| l == *line)).map(|l| format!("+ {l}"));
    gone.chain(come).collect::<Vec<_>>().join("\n")
}
