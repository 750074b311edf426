//! Workflow commands of GitHub Actions, which become annotations of the changed lines.
//!
//! GitHub shows ten errors, ten warnings and ten notices of a step, and fifty of a job, and drops the rest without a
//! word. So the most severe come first, and what is left over is counted, and listed in the log.

use std::fmt::Write;

use super::{Rendered, ReportFormat, markdown};
use crate::lint::finding::Severity;
use crate::report::check::{Check, Failed, Problem};

/// `--format github`.
pub(super) const FORMAT: ReportFormat = ReportFormat {
    name: "github",
    about: "Annotations of GitHub Actions; also writes to GITHUB_STEP_SUMMARY and GITHUB_OUTPUT",
    render,
    failed,
};

/// How many annotations of one level GitHub shows of a step.
const OF_A_STEP: usize = 10;

fn render(check: &Check<'_>) -> Rendered {
    let counts = [Severity::Error, Severity::Warning, Severity::Info].map(|one| check.count(one));
    let worst = check.problems().map(|problem| problem.severity).max();
    let appended = vec![
        ("GITHUB_STEP_SUMMARY", markdown::comment(check)),
        ("GITHUB_OUTPUT", outputs(counts, worst, check.about.code)),
    ];
    Rendered { text: commands(check), appended }
}

fn failed(failed: &Failed<'_>) -> Rendered {
    let title = property(&format!("zdm {}", failed.command));
    let mut words = failed.error.to_string();
    for line in failed.error.detail.iter().chain(&failed.error.hint) {
        write!(words, "\n{line}").unwrap_or_default();
    }
    let appended = vec![
        ("GITHUB_STEP_SUMMARY", markdown::failure(failed)),
        ("GITHUB_OUTPUT", outputs([0; 3], None, failed.code)),
    ];
    Rendered { text: format!("::error title={title}::{}\n", data(&words)), appended }
}

/// The outputs of the step: counts, the worst severity (empty without findings) and the exit code.
fn outputs([errors, warnings, infos]: [usize; 3], worst: Option<Severity>, code: u8) -> String {
    let worst = match worst {
        Some(Severity::Error) => "error",
        Some(Severity::Warning) => "warning",
        Some(Severity::Info) => "info",
        None => "",
    };
    let findings = errors + warnings + infos;
    format!(
        "findings={findings}\nerrors={errors}\nwarnings={warnings}\ninfos={infos}\nhighest_severity={worst}\nexit_code={code}\n"
    )
}

fn commands(check: &Check<'_>) -> String {
    let mut text = String::new();
    let mut rest: Vec<&Problem> = Vec::new();
    let mut shown = [(Severity::Error, 0), (Severity::Warning, 0), (Severity::Info, 0)];
    for problem in check.worst_first() {
        let limit = match problem.severity {
            Severity::Error | Severity::Warning => OF_A_STEP,
            // One notice says what is left over.
            Severity::Info => OF_A_STEP - 1,
        };
        let count = shown.iter_mut().find(|(severity, _)| *severity == problem.severity);
        match count.map(|(_, count)| count).filter(|count| **count < limit) {
            Some(count) => {
                *count += 1;
                writeln!(text, "{}", annotation(problem)).unwrap_or_default();
            }
            None => rest.push(problem),
        }
    }
    if !rest.is_empty() {
        let title = property(&format!("zdm {}", check.about.command));
        let words = format!(
            "GitHub shows {OF_A_STEP} annotations of a kind; {} more in the log of this step",
            rest.len()
        );
        writeln!(text, "::notice title={title}::{}", data(&words)).unwrap_or_default();
        writeln!(text, "::group::{} more", rest.len()).unwrap_or_default();
        for problem in rest {
            writeln!(text, "{}", log_line(problem)).unwrap_or_default();
        }
        text.push_str("::endgroup::\n");
    }
    writeln!(text, "{}", check.headline).unwrap_or_default();
    text
}

fn annotation(problem: &Problem) -> String {
    let level = match problem.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "notice",
    };
    let mut text = format!("::{level} file={},line={}", property(&problem.path), problem.line());
    if let Some(span) = problem.span {
        // GitHub takes columns of a single line alone.
        if span.line == span.end_line {
            let (begin, end) = (span.column, span.end_column);
            write!(text, ",col={begin},endLine={},endColumn={end}", span.end_line)
                .unwrap_or_default();
        } else {
            write!(text, ",endLine={}", span.end_line).unwrap_or_default();
        }
    }
    write!(text, ",title={}::{}", property(problem.rule), data(&problem.words()))
        .unwrap_or_default();
    text
}

/// One finding on one line that is no command, whatever is in it.
fn log_line(problem: &Problem) -> String {
    let words = problem.words().split_whitespace().collect::<Vec<_>>().join(" ");
    // The runner also looks for its older form of commands, anywhere in a line.
    let words = words.replace("##[", "## [");
    let column = problem.span.map_or(1, |span| span.column);
    format!("- {} {}:{}:{column} {words}", problem.rule, problem.path, problem.line())
}

/// The text of a command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a command's property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_finding_ends_its_command_or_begins_another() {
        let problem = Problem {
            rule: "a-rule",
            severity: Severity::Error,
            message: "100% of\r\n::stop-commands::x".to_owned(),
            help: "##[add-mask]y".to_owned(),
            path: "a,b:c%.sql".to_owned(),
            span: None,
            fix: None,
            fingerprint: String::new(),
        };
        assert_eq!(
            annotation(&problem),
            "::error file=a%2Cb%3Ac%25.sql,line=1,title=a-rule::100%25 of%0D%0A::stop-commands::x%0Ahelp: ##[add-mask]y"
        );
        assert_eq!(
            log_line(&problem),
            "- a-rule a,b:c%.sql:1:1 100% of ::stop-commands::x help: ## [add-mask]y"
        );
    }
}
