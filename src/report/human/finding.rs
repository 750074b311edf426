//! A finding with the source line that it is about.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::lint::finding::{Finding, Fix, Severity};

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
    // The span may come from another version of the text, or from another file.
    let whole = file.text.len();
    let range = finding.span.start.min(whole)
        ..finding.span.end.clamp(finding.span.start, whole.max(finding.span.start)).min(whole);
    let range = if file.text.get(range.clone()).is_some() { range } else { 0..0 };
    let snippet =
        Snippet::source(file.text).path(file.path).annotation(AnnotationKind::Primary.span(range));
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
