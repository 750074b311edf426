//! A plan, for people.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::finding::{Shown, count_of, counted, finding, tally, whole};
use super::style::{Tone, paint};
use crate::lint::finding::{Finding, Severity};
use crate::model::phase::Phase;
use crate::model::server::Engine;
use crate::model::state::State;
use crate::plan::digest::digest;
use crate::plan::view::{Plan, PlannedMigration, PlannedPhase, PlannedStatement, PlannedStep};
use crate::report::facts::{Fact, facts};
use crate::report::since::Since;
use crate::report::words::{NO_RETURN, Weight, cost, meaning, touching, untouching, worst};
use crate::sql::catalog::Catalog;

/// What is shown of a plan, and how.
#[derive(Debug)]
pub(crate) struct View<'a> {
    /// Where the migrations are.
    pub(crate) folder: &'a str,
    /// The database that was asked, without its password; none: no database was.
    pub(crate) database: Option<String>,
    /// The tables of the database that was asked, for their sizes.
    pub(crate) catalog: Option<&'a Catalog>,
    /// The texts of SQL files by their paths, for findings.
    pub(crate) texts: &'a BTreeMap<String, String>,
    /// How much of it.
    pub(crate) detail: Detail,
    /// How many characters a line has.
    pub(crate) width: usize,
    /// This phase alone.
    pub(crate) only: Option<Phase>,
    /// What changed since then alone.
    pub(crate) since: Option<&'a Since>,
}

/// How much of a plan is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Detail {
    /// Long statements are cut, and migrations that are done are left out.
    Brief,
    /// Everything.
    Full,
}

/// The plan: migrations, phases, steps, statements with what they cost, findings, gates, the point of no return.
pub(crate) fn plan(plan: &Plan, view: &View<'_>) -> String {
    let mut text = String::new();
    let asked = match &view.database {
        Some(database) => format!("state and sizes from {database}"),
        None => "no database was asked".to_owned(),
    };
    let title = format!("Plan for {}", plan.server);
    writeln!(text, "{}, {} ({asked})", paint(Tone::Strong, title), view.folder).unwrap_or_default();
    if let Some(since) = view.since {
        let words = format!("what changed since {} ({})", since.revision, since.base);
        writeln!(text, "{}", paint(Tone::Faint, words)).unwrap_or_default();
    }
    write_facts(&mut text, &facts(&digest(plan, view.only), view.since), view.width);
    let mut hidden = 0;
    for migration in &plan.migrations {
        let rest = phases(migration, view);
        let is_silent = rest.is_empty() && migration.refusals.is_empty();
        if is_silent && view.detail == Detail::Brief {
            hidden += 1;
            continue;
        }
        text.push('\n');
        write_migration(&mut text, migration, &rest, (plan.server.engine, view));
    }
    text.push('\n');
    if hidden > 0 {
        let words =
            format!("{} done already: `zdm plan --all` shows them", count_of(hidden, "migration"));
        writeln!(text, "{}", paint(Tone::Faint, words)).unwrap_or_default();
    }
    writeln!(text, "{}", summary(plan, view)).unwrap_or_default();
    text
}

/// What a reviewer must know first: the kinds stand in a column of their own, each once.
fn write_facts(text: &mut String, facts: &[Fact], width: usize) {
    let mut last = "";
    for fact in facts {
        let label = if fact.label == last { "" } else { fact.label };
        last = fact.label;
        let mut label = paint(fact.tone, format!("{label:<9}"));
        for line in wrapped(&fact.words, width.saturating_sub(12)) {
            writeln!(text, "  {label} {line}").unwrap_or_default();
            label = " ".repeat(9);
        }
    }
}

/// Lines of at most so many characters, cut between words.
fn wrapped(words: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The phases of a migration that are shown.
pub(crate) fn phases<'p>(
    migration: &'p PlannedMigration,
    view: &View<'_>,
) -> Vec<&'p PlannedPhase> {
    let wanted = |phase: &&PlannedPhase| view.only.is_none_or(|only| phase.phase == only);
    let phases = migration.phases.iter().filter(wanted);
    match view.detail {
        Detail::Full => phases.collect(),
        Detail::Brief => phases.filter(|phase| phase.steps.iter().any(|step| !step.done)).collect(),
    }
}

fn write_migration(
    text: &mut String,
    migration: &PlannedMigration,
    phases: &[&PlannedPhase],
    (engine, view): (Engine, &View<'_>),
) {
    let description = migration.description.as_deref().unwrap_or_default();
    let state = match migration.state {
        State::Pending => String::new(),
        state => paint(Tone::Good, format!("  [{state}]")),
    };
    let id = paint(Tone::Strong, &migration.id);
    let gap = if description.is_empty() { "" } else { "  " };
    writeln!(text, "{id}{state}{gap}{description}{}", verdict(migration, phases, view))
        .unwrap_or_default();
    for (message, help) in &migration.refusals {
        writeln!(text, "  {}: {message}", paint(Tone::Bad, "refused")).unwrap_or_default();
        writeln!(text, "    {}: {help}", paint(Tone::Code, "help")).unwrap_or_default();
    }
    for note in &migration.notes {
        writeln!(text, "  {}: {note}", paint(Tone::Warn, "note")).unwrap_or_default();
    }
    for (part, found) in migration.findings_beside().filter(|_| view.only.is_none()) {
        write_finding(text, (part, found), view);
    }
    for phase in phases {
        write_phase(text, phase, (engine, view));
    }
}

fn write_finding(text: &mut String, (part, found): (&PlannedStatement, &Finding), view: &View<'_>) {
    let path = part.place.as_ref().map_or("(generated)", |(path, _)| path.as_str());
    let source = view.texts.get(path).map_or(part.sql.as_str(), String::as_str);
    let shown = if found.span.start == found.span.end && part.place.is_some() {
        // Nothing to point at: it is said of the whole.
        whole(found)
    } else {
        text.push('\n');
        finding(found, Shown { path, text: source })
    };
    for line in shown.lines() {
        writeln!(text, "    {line}").unwrap_or_default();
    }
}

/// The findings of what is left of a migration, counted; nothing when there are none.
fn verdict(migration: &PlannedMigration, phases: &[&PlannedPhase], view: &View<'_>) -> String {
    let steps = phases.iter().flat_map(|phase| &phase.steps).filter(|step| !step.done);
    let beside = migration.findings_beside().filter(|_| view.only.is_none());
    let found: Vec<_> = steps.flat_map(findings).chain(beside).map(|(_, found)| found).collect();
    let tone = match found.iter().map(|found| found.severity).max() {
        Some(Severity::Error) => Tone::Bad,
        Some(Severity::Warning) => Tone::Warn,
        Some(Severity::Info) => Tone::Faint,
        None => return String::new(),
    };
    format!("  {}", paint(tone, format!("[{}]", counted(found.into_iter()))))
}

fn write_phase(text: &mut String, phase: &PlannedPhase, (engine, view): (Engine, &View<'_>)) {
    let name = paint(Tone::Code, format!("{:<8}", phase.phase.as_str()));
    writeln!(text, "  {name}  {}", paint(Tone::Faint, meaning(phase))).unwrap_or_default();
    if let Some(gate) = &phase.gate {
        writeln!(text, "    {}: {}", paint(Tone::Warn, "gate"), gate.words).unwrap_or_default();
    }
    if phase.point_of_no_return {
        writeln!(text, "    {}", paint(Tone::Bad, NO_RETURN)).unwrap_or_default();
    }
    let mut gap = "";
    for (index, step) in phase.steps.iter().enumerate() {
        text.push_str(gap);
        write_step(text, (index + 1, step), (engine, view));
        gap = if findings(step).next().is_some() && !step.done { "\n" } else { "" };
    }
}

fn write_step(
    text: &mut String,
    (number, step): (usize, &PlannedStep),
    (engine, view): (Engine, &View<'_>),
) {
    let place = match &step.step.origin {
        Some(origin) => {
            let file = origin.file.rsplit('/').next().unwrap_or(&origin.file);
            paint(Tone::Faint, format!("  ({file}:{})", origin.line))
        }
        None => String::new(),
    };
    let done = if step.done { paint(Tone::Good, " done") } else { String::new() };
    writeln!(text, "    {number}. {}{done}{place}", step.step.title).unwrap_or_default();
    if step.done && view.detail == Detail::Brief {
        return;
    }
    match view.detail {
        Detail::Brief => write_brief(text, step, (engine, view)),
        Detail::Full => write_full(text, step, (engine, view)),
    }
    for found in findings(step) {
        write_finding(text, found, view);
    }
}

fn findings(step: &PlannedStep) -> impl Iterator<Item = (&PlannedStatement, &Finding)> {
    step.statements
        .iter()
        .flat_map(|statement| statement.findings.iter().map(move |finding| (statement, finding)))
}

/// One line a statement that touches a table, and what the step costs as a whole.
fn write_brief(text: &mut String, step: &PlannedStep, (engine, view): (Engine, &View<'_>)) {
    let is_written = step.step.origin.is_some();
    let (shown, rest) = touching(step);
    // The title of a step from a file is its statement.
    for statement in shown.iter().filter(|_| !is_written || step.statements.len() > 1) {
        writeln!(text, "         {}", one_line(&statement.sql, view.width)).unwrap_or_default();
    }
    if rest > 0 && !shown.is_empty() {
        writeln!(text, "         {}", paint(Tone::Faint, untouching(rest))).unwrap_or_default();
    }
    if let Some(worst) = worst(&shown) {
        writeln!(text, "         {}", painted(cost(step, worst, (engine, view))))
            .unwrap_or_default();
    }
}

/// Every statement in full, each with what it costs.
fn write_full(text: &mut String, step: &PlannedStep, cx: (Engine, &View<'_>)) {
    for statement in &step.statements {
        for line in statement.sql.trim().lines() {
            writeln!(text, "         {}", line.trim_end()).unwrap_or_default();
        }
        writeln!(text, "         {}", painted(cost(step, statement, cx))).unwrap_or_default();
    }
}

fn painted((weight, words): (Weight, String)) -> String {
    match weight {
        Weight::Free => paint(Tone::Faint, format!("-- {words}")),
        Weight::Instant => paint(Tone::Warn, format!("-- {words}")),
        // Seen without colours, too.
        Weight::Long => paint(Tone::Bad, format!("!! {words}")),
    }
}

/// The beginning of a statement.
fn one_line(sql: &str, width: usize) -> String {
    let words = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    let room = width.saturating_sub(13).max(40);
    match words.char_indices().nth(room) {
        Some((end, _)) => format!("{} ...", words.get(..end).unwrap_or_default().trim_end()),
        None => words,
    }
}

/// The plan in one line.
pub(crate) fn headline(plan: &Plan, view: &View<'_>) -> String {
    let digest = digest(plan, view.only);
    let mut words = format!("{} to run", count_of(digest.steps, "step"));
    if digest.migrations > 1 {
        write!(words, " in {}", count_of(digest.migrations, "migration")).unwrap_or_default();
    }
    write!(words, ", {}", tally(digest.findings)).unwrap_or_default();
    if !digest.refused.is_empty() {
        write!(words, ", {} refused", count_of(digest.refused.len(), "migration"))
            .unwrap_or_default();
    }
    words
}

fn summary(plan: &Plan, view: &View<'_>) -> String {
    let mut words = headline(plan, view);
    let [errors, ..] = digest(plan, view.only).findings;
    if errors > 0 {
        words.push_str("\n`zdm rules RULE` explains a finding, and says how to allow it");
    }
    words
}
