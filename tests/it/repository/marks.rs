//! No unfinished work without a link to where it is tracked.

use super::{files, read};

/// Spelled so that this file does not find itself.
const MARKS: &[&str] = &[
    concat!("to", "do!("),
    concat!("unimple", "mented!("),
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("X", "XX"),
];

/// The lines of a text that leave something open and do not say where it is tracked.
fn open_marks(text: &str) -> Vec<usize> {
    let open =
        |line: &str| MARKS.iter().any(|mark| line.contains(mark)) && !line.contains("https://");
    text.lines().enumerate().filter(|(_, line)| open(line)).map(|(number, _)| number + 1).collect()
}

#[test]
fn nothing_is_left_open_without_a_link() {
    let mut wrong = Vec::new();
    let all = [
        ("src", ".rs"),
        ("tests", ".rs"),
        ("src", ".sql"),
        ("lints", ".toml"),
        ("scripts", ".sh"),
        ("migrations-examples", ""),
    ];
    for path in all.iter().flat_map(|(folder, ending)| files(folder, ending)) {
        let lines = open_marks(&read(&path));
        wrong.extend(lines.iter().map(|line| format!("{}:{line}", path.display())));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_open_mark_is_found() {
    let text =
        format!("ok\n// {}: later\n// {}(https://example.com/1)\n", MARKS.concat(), MARKS.concat());
    assert_eq!(open_marks(&text), [2]);
}
