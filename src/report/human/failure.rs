//! A failure, for people.

use std::error::Error as _;
use std::fmt::Write;

use super::style::{Tone, paint};
use crate::error::Error;

/// Message, detail, what was and was not done, causes; then, after a blank line, what to do.
pub(crate) fn failure(error: &Error) -> String {
    let mut text = format!("{}: {error}\n", paint(Tone::Bad, "error"));
    let mut line = |label: &str, words: &str| {
        let words = words.replace('\n', "\n    ");
        let label = if label.is_empty() { String::new() } else { format!("{label}: ") };
        writeln!(text, "  {label}{words}").unwrap_or_default();
    };
    for detail in &error.detail {
        line("", detail);
    }
    for done in &error.done {
        line("done", done);
    }
    for not_done in &error.not_done {
        line("not done", not_done);
    }
    for cause in causes(error) {
        line("caused by", &cause);
    }
    if let Some(hint) = &error.hint {
        text.push('\n');
        writeln!(text, "{}: {hint}", paint(Tone::Code, "hint")).unwrap_or_default();
    }
    text
}

/// A blocked gate that was to be skipped.
pub(crate) fn skipped(error: &Error) -> String {
    let mut text = format!("{}: {error}\n", paint(Tone::Warn, "skipped"));
    for detail in &error.detail {
        writeln!(text, "  {detail}").unwrap_or_default();
    }
    text
}

/// The chain of causes, without links that only repeat the one above.
pub(crate) fn causes(error: &Error) -> Vec<String> {
    let mut causes: Vec<String> = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        let words = cause.to_string();
        if causes.last() != Some(&words) {
            causes.push(words);
        }
        next = cause.source();
    }
    causes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn a_failure_tells_what_happened_what_was_done_and_what_to_do() {
        let mut error = Error::new(ErrorKind::Busy, "could not lock table \"users\"")
            .detail("held by pid 7 (psql, 3 min)")
            .caused_by(std::io::Error::other("timeout"))
            .hint("Ask its owner, then run `zdm expand` again.");
        error.done.push("add column display_name".to_owned());
        error.not_done.push("create trigger".to_owned());
        let plain = anstream::adapter::strip_str(&failure(&error)).to_string();
        insta::assert_snapshot!(plain, @r#"
        error: could not lock table "users"
          held by pid 7 (psql, 3 min)
          done: add column display_name
          not done: create trigger
          caused by: timeout

        hint: Ask its owner, then run `zdm expand` again.
        "#);
    }
}
