//! A finding with the source line that it is about.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::lint::finding::{Finding, Fix, Severity};
use crate::sql::span::Span;

/// A file in which findings are shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown<'a> {
    /// Its path as the user would type it.
    pub(crate) path: &'a str,
    /// Its text.
    pub(crate) text: &'a str,
}

/// A finding that points at nothing, and what to do instead.
pub(crate) fn whole(finding: &Finding) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Info => Level::INFO,
    };
    let title = Group::with_title(level.primary_title(&finding.message).id(finding.rule));
    // Together they would be joined by a line that points at nothing.
    let [title, help] = [title, help(&finding.help)].map(|part| Renderer::styled().render(&[part]));
    format!("{title}\n{help}\n")
}

/// The finding, its place, and what to do instead.
pub(crate) fn finding(finding: &Finding, file: Shown<'_>) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Info => Level::INFO,
    };
    let (part, line, range) = excerpt(file.text, &finding.span);
    let snippet = Snippet::source(part)
        .line_start(line)
        .path(file.path)
        .annotation(AnnotationKind::Primary.span(range));
    let group = level.primary_title(&finding.message).id(finding.rule).element(snippet);
    let mut groups = vec![group, help(&finding.help)];
    if let Some(Fix::Operation { toml }) = &finding.fix {
        let message = format!("declare in migration.toml instead:\n\n{}", toml.trim_end());
        groups.push(Group::with_title(Level::HELP.secondary_title(message)));
    }
    let mut text = Renderer::styled().render(&groups);
    text.push('\n');
    text
}

/// More bytes of a statement, or of what stands before or behind it in its lines, are not shown.
const LONGEST: usize = 64 << 10;

/// The lines of a text in which a span stands, the number of the first, and the span's bytes in them. Of what is too
/// long to be read, the first line is shown.
fn excerpt<'a>(text: &'a str, span: &Span) -> (&'a str, usize, Range<usize>) {
    // The span may come from another version of the text, or from another file.
    let start = span.start.min(text.len());
    let end = span.end.clamp(start, text.len());
    let Some(marked) = text.get(start..end) else { return (text, 1, 0..0) };
    let marked = if marked.len() > LONGEST {
        let line = marked.lines().next().unwrap_or_default();
        line.get(..line.floor_char_boundary(LONGEST)).unwrap_or_default()
    } else {
        marked
    };
    let end = start + marked.len();
    let near = text.get(text.floor_char_boundary(start.saturating_sub(LONGEST))..start);
    let before = near.unwrap_or_default().rsplit('\n').next().unwrap_or_default();
    let near = text.get(end..text.ceil_char_boundary(end.saturating_add(LONGEST)));
    let behind = near.unwrap_or_default().split('\n').next().unwrap_or_default();
    let from = start - before.len();
    let part = text.get(from..end + behind.len()).unwrap_or_default();
    (part, span.line, start - from..end - from)
}

fn help(help: &str) -> Group<'_> {
    Group::with_title(Level::HELP.secondary_title(help))
}

/// The findings counted: `2 errors, 1 warning`.
pub(crate) fn counted<'a>(findings: impl Iterator<Item = &'a Finding>) -> String {
    let [mut errors, mut warnings, mut remarks] = [0; 3];
    for finding in findings {
        *match finding.severity {
            Severity::Error => &mut errors,
            Severity::Warning => &mut warnings,
            Severity::Info => &mut remarks,
        } += 1;
    }
    tally([errors, warnings, remarks])
}

/// So many errors, warnings and remarks, in words.
pub(crate) fn tally([errors, warnings, remarks]: [usize; 3]) -> String {
    let counts = [(errors, "error"), (warnings, "warning"), (remarks, "remark")];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    let words: Vec<String> = counts.map(|(count, word)| count_of(count, word)).collect();
    if words.is_empty() { "no findings".to_owned() } else { words.join(", ") }
}

/// `1 error`, `2 errors`.
pub(crate) fn count_of(count: usize, word: &str) -> String {
    if count == 1 { format!("{count} {word}") } else { format!("{count} {word}s") }
}
