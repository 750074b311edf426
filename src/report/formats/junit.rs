//! JUnit's XML, which most servers for continuous integration show.
//!
//! There is no one schema. This keeps to what both wide-spread ones take: that of Apache Ant's task, which demands
//! name, package, id, timestamp, host and counts of each suite, and that of Jenkins, which knows fewer attributes.

use std::fmt::Write;

use chrono::{DateTime, Utc};

use super::{Rendered, ReportFormat};
use crate::lint::finding::Severity;
use crate::report::check::{Case, Check, DIFFERS, Failed, Group, Problem, REFUSED, UNREAD};
use crate::report::human::failure::causes;

/// `--format junit`.
pub(super) const FORMAT: ReportFormat =
    ReportFormat { name: "junit", about: "Test results in JUnit's XML", render, failed };

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";

fn render(check: &Check<'_>) -> Rendered {
    let mut text = HEAD.to_owned();
    for (id, group) in check.groups.iter().enumerate() {
        let mut cases = String::new();
        let (mut tests, mut failures) = (0, 0);
        for case in &group.cases {
            let (ran, failed) = write_case(&mut cases, case, check.about.fails);
            tests += ran;
            failures += failed;
        }
        let suite = Suite {
            id,
            name: &group.name,
            package: check.about.command,
            at: check.about.at,
            counts: (tests, failures, 0),
        };
        suite.write(&mut text, &cases, &remarks(group, check.about.fails));
    }
    text.push_str("</testsuites>\n");
    text.into()
}

fn failed(failed: &Failed<'_>) -> Rendered {
    let mut words: Vec<String> = failed.error.detail.clone();
    words.extend(causes(failed.error));
    words.extend(failed.error.hint.clone());
    let name = format!("zdm {}", failed.command);
    let case = format!(
        "    <testcase name={} classname={} time=\"0\">\n      <error message={} type=\"exit code {}\">{}</error>\n    </testcase>\n",
        attribute("runs"),
        attribute(&name),
        attribute(&failed.error.to_string()),
        failed.code,
        escaped(&words.join("\n")),
    );
    let mut text = HEAD.to_owned();
    let suite =
        Suite { id: 0, name: &name, package: failed.command, at: failed.at, counts: (1, 0, 1) };
    suite.write(&mut text, &case, "");
    text.push_str("</testsuites>\n");
    text.into()
}

struct Suite<'a> {
    id: usize,
    name: &'a str,
    package: &'a str,
    at: DateTime<Utc>,
    counts: (usize, usize, usize),
}

impl Suite<'_> {
    fn write(&self, text: &mut String, cases: &str, remarks: &str) {
        let (tests, failures, errors) = self.counts;
        let (name, package) = (attribute(self.name), attribute(self.package));
        let at = self.at.format("%Y-%m-%dT%H:%M:%S");
        write!(
            text,
            "  <testsuite name={name} package={package} id=\"{}\" timestamp=\"{at}\" hostname=\"localhost\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" time=\"0\">\n    <properties/>\n{cases}    <system-out>{}</system-out>\n    <system-err/>\n  </testsuite>\n",
            self.id,
            escaped(remarks)
        )
        .unwrap_or_default();
    }
}

fn fails(problem: &Problem, at_least: Option<Severity>) -> bool {
    [REFUSED, DIFFERS, UNREAD].contains(&problem.rule)
        || at_least.is_some_and(|least| problem.severity >= least)
}

/// A case, or one for each of its failures: readers show a single failure of a case. Returns how many, and how many failed.
fn write_case(text: &mut String, case: &Case, at_least: Option<Severity>) -> (usize, usize) {
    let failing: Vec<_> = case.problems.iter().filter(|one| fails(one, at_least)).collect();
    let class = attribute(&case.class);
    if failing.is_empty() {
        let name = attribute(&case.title);
        writeln!(text, "    <testcase name={name} classname={class} time=\"0\"/>")
            .unwrap_or_default();
        return (1, 0);
    }
    for problem in &failing {
        let name = attribute(&format!("{} [{}]", case.title, problem.rule));
        let words = format!("{}\n{}", place(problem), problem.words());
        write!(
            text,
            "    <testcase name={name} classname={class} time=\"0\">\n      <failure message={} type={}>{}</failure>\n    </testcase>\n",
            attribute(&problem.message),
            attribute(problem.rule),
            escaped(&words)
        )
        .unwrap_or_default();
    }
    (failing.len(), failing.len())
}

/// What was found and does not fail.
fn remarks(group: &Group, at_least: Option<Severity>) -> String {
    let problems = group.cases.iter().flat_map(|case| &case.problems);
    let remarks = problems.filter(|problem| !fails(problem, at_least));
    let lines: Vec<_> = remarks
        .map(|problem| format!("{} {}: {}", place(problem), problem.rule, problem.words()))
        .collect();
    lines.join("\n")
}

fn place(problem: &Problem) -> String {
    match problem.span {
        Some(span) => format!("{}:{}:{}", problem.path, span.line, span.column),
        None => problem.path.clone(),
    }
}

/// Text as XML 1.0 can hold it: of the control characters it knows three.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\n' | '\t' => safe.push(character),
            '\r' => safe.push_str("&#13;"),
            '\u{0}'..'\u{20}' | '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            _ => safe.push(character),
        }
    }
    safe
}

fn attribute(text: &str) -> String {
    format!("\"{}\"", escaped(text).replace('\n', "&#10;").replace('\t', "&#9;"))
}
