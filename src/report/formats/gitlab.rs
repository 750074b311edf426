//! GitLab Code Quality: the subset of Code Climate's format that GitLab documents.

use serde::Serialize;

use super::{Rendered, ReportFormat};
use crate::lint::finding::Severity;
use crate::report::check::{Check, Failed, Problem};
use crate::report::fingerprint::{Marks, Subject};
use crate::report::human::failure::causes;
use crate::report::json;

/// `--format gitlab`.
pub(super) const FORMAT: ReportFormat =
    ReportFormat { name: "gitlab", about: "A Code Quality report of GitLab", render, failed };

#[derive(Serialize)]
struct Issue {
    #[serde(rename = "type")]
    kind: &'static str,
    check_name: String,
    description: String,
    categories: [&'static str; 1],
    severity: &'static str,
    fingerprint: String,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: usize,
    end: usize,
}

fn render(check: &Check<'_>) -> Rendered {
    let issues: Vec<_> = check.worst_first().into_iter().map(issue).collect();
    json::render(&issues).into()
}

fn issue(problem: &Problem) -> Issue {
    let end = problem.span.map_or(1, |span| {
        // An end before the first character of a line is the end of the line above.
        if span.end_column == 1 && span.end_line > span.line {
            span.end_line - 1
        } else {
            span.end_line
        }
    });
    Issue {
        kind: "issue",
        check_name: problem.rule.to_owned(),
        description: problem.words(),
        categories: ["Bug Risk"],
        severity: match problem.severity {
            Severity::Error => "critical",
            Severity::Warning => "minor",
            Severity::Info => "info",
        },
        fingerprint: problem.fingerprint.clone(),
        location: Location {
            path: problem.path.clone(),
            lines: Lines { begin: problem.line(), end },
        },
    }
}

/// An empty list would say that all is well.
fn failed(failed: &Failed<'_>) -> Rendered {
    let mut words = vec![failed.error.to_string()];
    words.extend(failed.error.detail.iter().cloned());
    words.extend(causes(failed.error));
    words.extend(failed.error.hint.clone());
    let path = "zdm.toml";
    let subject = Subject { path, sql: "", clause: failed.command };
    let mut marks = Marks::new(crate::model::server::Engine::Postgres);
    json::render(&[Issue {
        kind: "issue",
        check_name: format!("zdm {}", failed.command),
        description: words.join("\n"),
        categories: ["Bug Risk"],
        severity: "blocker",
        fingerprint: marks.mark("failed", subject),
        location: Location { path: path.to_owned(), lines: Lines { begin: 1, end: 1 } },
    }])
    .into()
}
