//! One migration of a plan: a line that opens to its phases, each a table of steps with what waits.

use std::fmt::Write;

use super::escape::{code, html, prose};
use crate::lint::finding::Severity;
use crate::model::server::Engine;
use crate::model::state::State;
use crate::plan::view::{PlannedMigration, PlannedPhase, PlannedStep};
use crate::report::check::brief;
use crate::report::human::finding::count_of;
use crate::report::human::plan::{View, phases};
use crate::report::words::{NO_RETURN, Weight, cost, meaning, touching, untouching, worst};

/// A migration's text.
pub(super) struct Section {
    /// The text.
    pub(super) text: String,
    /// Whether steps are left out.
    pub(super) is_cut: bool,
}

/// How many statements of a step are shown.
const STATEMENTS: usize = 5;

/// Whether nothing of it is left to run, and nothing is wrong.
pub(super) fn is_done(migration: &PlannedMigration) -> bool {
    let mut steps = migration.phases.iter().flat_map(|phase| &phase.steps);
    migration.refusals.is_empty() && steps.all(|step| step.done)
}

/// How much it deserves to be seen.
pub(super) fn weight(migration: &PlannedMigration) -> (bool, Option<Severity>) {
    let steps = migration.phases.iter().flat_map(|phase| &phase.steps).filter(|step| !step.done);
    let findings = steps.flat_map(|step| &step.statements).flat_map(|one| &one.findings);
    let findings = findings.chain(migration.findings_beside().map(|(_, finding)| finding));
    (!migration.refusals.is_empty(), findings.map(|finding| finding.severity).max())
}

/// A migration in at most `room` bytes; nothing but a cut when not even its first line fits.
pub(super) fn section(
    migration: &PlannedMigration,
    cx: (Engine, &View<'_>),
    room: usize,
) -> Section {
    let (engine, view) = cx;
    let shown = phases(migration, view);
    let open = if weight(migration) >= (false, Some(Severity::Error)) { " open" } else { "" };
    let mut text = format!(
        "\n<details{open}><summary><b>{}</b> {}</summary>\n\n",
        html(migration.id.as_str()),
        html(&title(migration, &shown))
    );
    let end = "</details>\n";
    if text.len() + end.len() > room {
        return Section { text: String::new(), is_cut: true };
    }
    let mut is_cut = false;
    let mut add = |part: &str| {
        let fits = !is_cut && text.len() + part.len() + end.len() + 40 <= room;
        if fits {
            text.push_str(part);
        }
        is_cut |= !fits;
    };
    for (message, help) in &migration.refusals {
        add(&format!("- **refused**: {}<br>{}\n", prose(message), prose(help)));
    }
    for note in &migration.notes {
        add(&format!("- **note**: {}\n", prose(note)));
    }
    for phase in shown {
        add(&phase_head(phase));
        for (index, step) in phase.steps.iter().enumerate() {
            add(&row(index + 1, step, (engine, view)));
        }
    }
    if is_cut {
        text.push_str("\n(cut)\n");
    }
    text.push('\n');
    text.push_str(end);
    // Each part brings the empty line that it needs before it.
    Section { text: text.replace("\n\n\n", "\n\n"), is_cut }
}

fn title(migration: &PlannedMigration, shown: &[&PlannedPhase]) -> String {
    let mut title = String::new();
    if migration.state != State::Pending {
        write!(title, "[{}] ", migration.state).unwrap_or_default();
    }
    if let Some(description) = &migration.description {
        write!(title, "{} ", brief(description)).unwrap_or_default();
    }
    let steps = shown.iter().flat_map(|phase| &phase.steps).filter(|step| !step.done);
    let names: Vec<&str> = shown.iter().map(|phase| phase.phase.as_str()).collect();
    let steps = count_of(steps.count(), "step");
    write!(title, "({steps}: {})", names.join(", ")).unwrap_or_default();
    title
}

fn phase_head(phase: &PlannedPhase) -> String {
    let mut text = format!("\n**{}**: {}\n", phase.phase, prose(meaning(phase)));
    if let Some(gate) = &phase.gate {
        write!(text, "\n> **gate**: {}\n", prose(&gate.words)).unwrap_or_default();
    }
    if phase.point_of_no_return {
        write!(text, "\n> **{NO_RETURN}**\n").unwrap_or_default();
    }
    text.push_str("\n| | step | what waits |\n|--:|---|---|\n");
    text
}

fn row(number: usize, step: &PlannedStep, cx: (Engine, &View<'_>)) -> String {
    let (shown, rest) = touching(step);
    let is_written = step.step.origin.is_some();
    // The title of a step from a file is its statement.
    let title = brief(&step.step.title);
    let title = if is_written { code(&title) } else { prose(&title) };
    let mut cell = if step.done { format!("{title} (done)") } else { title };
    let listed: Vec<_> =
        shown.iter().filter(|_| !is_written || step.statements.len() > 1).collect();
    for statement in listed.iter().take(STATEMENTS) {
        write!(cell, "<br>{}", code(&brief(&statement.sql))).unwrap_or_default();
    }
    let rest = rest + listed.len().saturating_sub(STATEMENTS);
    if listed.len() > STATEMENTS {
        write!(cell, "<br>and {} more", count_of(rest, "statement")).unwrap_or_default();
    } else if rest > 0 && !shown.is_empty() {
        write!(cell, "<br>{}", untouching(rest)).unwrap_or_default();
    }
    let waits = worst(&shown).map(|statement| cost(step, statement, cx));
    let waits = waits.map_or_else(String::new, |(weight, words)| match weight {
        Weight::Long => format!(":hourglass: **{}**", prose(&words)),
        Weight::Instant | Weight::Free => prose(&words),
    });
    format!("| {number} | {cell} | {waits} |\n")
}
