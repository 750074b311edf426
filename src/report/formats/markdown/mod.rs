//! Markdown for a comment under a pull or merge request, and for GitHub's job summary.
//!
//! GitHub takes comments of up to 65,536 characters: what does not fit is left out, the least severe first, and said.

mod escape;
mod migration;

use std::cmp::Reverse;
use std::fmt::Write;

use escape::{code, prose};

use super::{Rendered, ReportFormat};
use crate::lint::finding::Severity;
use crate::plan::digest::digest;
use crate::plan::view::Plan;
use crate::report::check::{Check, Failed, Problem};
use crate::report::facts::facts;
use crate::report::human::failure::causes;
use crate::report::human::finding::count_of;
use crate::report::human::plan::{Detail, View};
use crate::report::place::Root;

/// `--format markdown`.
pub(super) const FORMAT: ReportFormat = ReportFormat {
    name: "markdown",
    about: "A comment under a pull or merge request, below 65,536 characters",
    render,
    failed,
};

/// In bytes, of which a text has at least as many as characters.
const LIMIT: usize = 65_000;

/// How much of it the table of findings may take when migrations follow.
const FINDINGS: usize = 40_000;

/// What is kept for the sentence about what is left out.
const RESERVE: usize = 400;

fn render(check: &Check<'_>) -> Rendered {
    comment(check).into()
}

/// The comment.
pub(super) fn comment(check: &Check<'_>) -> String {
    let mut text = head(check);
    let mut left_out = Vec::new();
    let cut = write_findings(&mut text, check);
    if cut > 0 {
        left_out.push(count_of(cut, "finding"));
    }
    if let Some((plan, view)) = check.plan {
        let cut = write_migrations(&mut text, (plan, view));
        if cut > 0 {
            left_out.push(format!("the steps of {}", count_of(cut, "migration")));
        }
    }
    if !left_out.is_empty() {
        let words = left_out.join(" and ");
        let command = check.about.command;
        writeln!(
            text,
            "\n**Left out**, as a comment has a limit: {words}. `zdm {command}` shows everything."
        )
        .unwrap_or_default();
    }
    text
}

fn failed(failed: &Failed<'_>) -> Rendered {
    failure(failed).into()
}

/// The comment when nothing could be found out.
pub(super) fn failure(failed: &Failed<'_>) -> String {
    let mut text = marker(failed.command, failed.root);
    let error = failed.error;
    writeln!(text, "### :x: `zdm {}` failed (exit code {})\n", failed.command, failed.code)
        .unwrap_or_default();
    writeln!(text, "{}", prose(&clipped(&error.to_string()))).unwrap_or_default();
    for line in error.detail.iter().chain(&causes(error)).take(20) {
        write!(text, "\n- {}", prose(&clipped(line))).unwrap_or_default();
    }
    if let Some(hint) = &error.hint {
        write!(text, "\n\n**Hint:** {}", prose(&clipped(hint))).unwrap_or_default();
    }
    text.push('\n');
    text
}

/// By which a program finds the comment that it wrote before. Projects that share a repository have comments of their
/// own: the directory tells them apart.
fn marker(command: &str, root: &Root) -> String {
    match root.project() {
        // Nothing in it may end the comment, or the line.
        Some(project) => {
            let project = project.replace('>', "%3E").replace(char::is_control, "?");
            format!("<!-- zdm:{command} {project} -->\n")
        }
        None => format!("<!-- zdm:{command} -->\n"),
    }
}

fn head(check: &Check<'_>) -> String {
    let mut text = marker(check.about.command, check.about.root);
    let worst = check.problems().map(|problem| problem.severity).max();
    let sign = worst.map_or(":white_check_mark:", sign);
    let command = check.about.command;
    writeln!(text, "### {sign} `zdm {command}`: {}\n", prose(&check.headline)).unwrap_or_default();
    match check.plan {
        Some((plan, view)) => {
            let asked = match &view.database {
                Some(_) => "state and sizes from a database",
                None => "no database was asked",
            };
            writeln!(text, "{}, {} ({asked})\n", plan.server, code(view.folder))
                .unwrap_or_default();
            if let Some(since) = view.since {
                writeln!(
                    text,
                    "What changed since {} ({}).\n",
                    code(&since.revision),
                    code(&since.base)
                )
                .unwrap_or_default();
            }
            for fact in facts(&digest(plan, view.only), view.since) {
                let words = prose(&clipped(&fact.words));
                writeln!(text, "- **{}**: {words}", fact.label).unwrap_or_default();
            }
        }
        None => writeln!(text, "For {}.", check.about.server).unwrap_or_default(),
    }
    text
}

fn sign(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => ":x:",
        Severity::Warning => ":warning:",
        Severity::Info => ":information_source:",
    }
}

/// A table of as many findings as there is room for, the most severe first. Returns how many are left out.
fn write_findings(text: &mut String, check: &Check<'_>) -> usize {
    let problems = check.worst_first();
    if problems.is_empty() {
        return 0;
    }
    text.push_str("\n| | where | what is wrong | what to do |\n|---|---|---|---|\n");
    let mut shown = 0;
    let limit = if check.plan.is_some() { FINDINGS } else { LIMIT - RESERVE };
    for problem in &problems {
        let row = finding_row(problem);
        if text.len() + row.len() > limit {
            break;
        }
        text.push_str(&row);
        shown += 1;
    }
    problems.len() - shown
}

fn finding_row(problem: &Problem) -> String {
    let place = match problem.span {
        Some(span) => format!("{}:{}", problem.path, span.line),
        None => problem.path.clone(),
    };
    format!(
        "| {} | {}<br>{} | {} | {} |\n",
        sign(problem.severity),
        code(&place),
        prose(problem.rule),
        prose(&clipped(&problem.message)),
        prose(&clipped(&problem.help))
    )
}

/// Every migration behind a line that can be opened; the worst are sure of their place. Returns how many are cut.
fn write_migrations(text: &mut String, (plan, view): (&Plan, &View<'_>)) -> usize {
    let shown: Vec<_> = plan
        .migrations
        .iter()
        .filter(|one| view.detail == Detail::Full || !migration::is_done(one))
        .collect();
    let mut by_weight: Vec<_> = shown.iter().enumerate().collect();
    by_weight.sort_by_key(|(_, one)| Reverse(migration::weight(one)));
    let mut room = LIMIT.saturating_sub(text.len() + RESERVE);
    let (mut sections, mut cut) = (Vec::new(), 0);
    for (index, one) in by_weight {
        let cx = (plan.server.engine, view);
        let section = migration::section(one, cx, room);
        cut += usize::from(section.is_cut);
        room = room.saturating_sub(section.text.len());
        sections.push((index, section.text));
    }
    sections.sort();
    for (_, section) in sections {
        text.push_str(&section);
    }
    cut
}

/// A text of a length that leaves room for others.
fn clipped(text: &str) -> String {
    match text.char_indices().nth(1_000) {
        Some((end, _)) => format!("{} ...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
