//! Files stay small enough to read.

use std::path::PathBuf;

use super::{files, read, rust_text};

const MEDIAN: usize = 150;
const P90: usize = 400;
const LARGEST: usize = 500;

/// What is wrong with the sizes, as sentences.
fn too_large(mut sizes: Vec<(usize, PathBuf)>) -> Vec<String> {
    sizes.sort();
    let at = |share: usize| sizes.get(sizes.len() * share / 100).map_or(0, |(lines, _)| *lines);
    let mut wrong = Vec::new();
    if at(50) > MEDIAN {
        wrong.push(format!("half of the files have more than {MEDIAN} lines (median {})", at(50)));
    }
    if at(90) > P90 {
        wrong.push(format!("a tenth of the files have more than {P90} lines (p90 {})", at(90)));
    }
    for (lines, path) in sizes.iter().filter(|(lines, _)| *lines > LARGEST) {
        wrong.push(format!("{} has {lines} lines, more than {LARGEST}: split it", path.display()));
    }
    wrong
}

#[test]
fn files_are_small_without_their_tests() {
    let size = |path: PathBuf| (rust_text::without_tests(&read(&path)).lines().count(), path);
    let product = files("src", ".rs").into_iter().filter(|path| !path.ends_with("tests.rs"));
    let product = product.filter(|path| !path.to_string_lossy().ends_with("_tests.rs"));
    let wrong = too_large(product.map(size).collect());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_large_file_is_named() {
    let sizes = |lines: &[usize]| lines.iter().map(|n| (*n, PathBuf::from("a.rs"))).collect();
    assert_eq!(too_large(sizes(&[10, 20, 400])), [""; 0]);
    let found = too_large(sizes(&[200, 201, 501]));
    let expected = [
        "half of the files have more than 150 lines (median 201)",
        "a tenth of the files have more than 400 lines (p90 501)",
        "a.rs has 501 lines, more than 500: split it",
    ];
    assert_eq!(found, expected);
}
