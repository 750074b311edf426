//! What `zdm plan` or `zdm lint` found, as every format for other programs shows it.

use chrono::{DateTime, Utc};

use super::fingerprint::{self, Marks};
use super::human::finding::{count_of, counted};
use super::linted::LintedFile;
use super::place::Root;
use crate::error::Error;
use crate::lint::finding::{Finding, Fix, Severity};
use crate::model::server::Server;
use crate::plan::verified::{Difference, Verified};
use crate::plan::view::{Plan, PlannedMigration, PlannedPhase, PlannedStatement};
use crate::report::human::plan::View;
use crate::sql::span::Span;

/// The name under which a refused migration is reported beside the rules.
pub(crate) const REFUSED: &str = "refused";

/// The name under which a statement is reported that did on a scratch server what the plan does not say.
pub(crate) const DIFFERS: &str = "differs-from-plan";

/// The name under which a file is reported that is no text.
pub(crate) const UNREAD: &str = "unread-file";

/// What was found.
#[derive(Debug)]
pub(crate) struct Check<'a> {
    /// Where, when and for whom.
    pub(crate) about: About<'a>,
    /// Everything in one line.
    pub(crate) headline: String,
    /// Files (lint) or migrations (plan), in order.
    pub(crate) groups: Vec<Group>,
    /// What was planned, when a plan was made.
    pub(crate) plan: Option<(&'a Plan, &'a View<'a>)>,
}

/// Where, when and for whom something was checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About<'a> {
    /// The command's name.
    pub(crate) command: &'static str,
    /// The server that it is meant for.
    pub(crate) server: Server,
    /// The repository, in which programs look for paths.
    pub(crate) root: &'a Root,
    /// When.
    pub(crate) at: DateTime<Utc>,
    /// The exit code.
    pub(crate) code: u8,
    /// The lowest severity that fails; none: findings never do.
    pub(crate) fails: Option<Severity>,
}

/// That nothing could be found out.
#[derive(Debug)]
pub(crate) struct Failed<'a> {
    /// The command's name.
    pub(crate) command: &'static str,
    /// Why.
    pub(crate) error: &'a Error,
    /// The exit code.
    pub(crate) code: u8,
    /// When.
    pub(crate) at: DateTime<Utc>,
    /// The repository, and where in it the project is.
    pub(crate) root: &'a Root,
}

/// A file or a migration.
#[derive(Debug)]
pub(crate) struct Group {
    /// Its path or name.
    pub(crate) name: String,
    /// What was looked at in it.
    pub(crate) cases: Vec<Case>,
}

/// A statement or a step.
#[derive(Debug)]
pub(crate) struct Case {
    /// What it belongs to: a file, or a migration's phase.
    pub(crate) class: String,
    /// What it is.
    pub(crate) title: String,
    /// What is wrong with it.
    pub(crate) problems: Vec<Problem>,
}

/// A finding, or a refusal, with its place in the repository.
#[derive(Debug)]
pub(crate) struct Problem {
    /// The rule's id.
    pub(crate) rule: &'static str,
    /// How bad it is.
    pub(crate) severity: Severity,
    /// What is wrong.
    pub(crate) message: String,
    /// What to do instead.
    pub(crate) help: String,
    /// The file, from the repository's root.
    pub(crate) path: String,
    /// The clause; none: the file as a whole, because zdm wrote the statement.
    pub(crate) span: Option<Span>,
    /// A change that makes it go away.
    pub(crate) fix: Option<Fix>,
    /// The same for as long as the statement is, wherever it stands.
    pub(crate) fingerprint: String,
}

impl<'a> Check<'a> {
    /// Files that were judged.
    pub(crate) fn lint(about: About<'a>, files: &[LintedFile]) -> Self {
        let mut marks = Marks::new(about.server.engine);
        let groups = files.iter().map(|file| lint_group(file, &about, &mut marks)).collect();
        let statements: usize = files.iter().map(LintedFile::count).sum();
        let (files_words, statements) =
            (count_of(files.len(), "file"), count_of(statements, "statement"));
        let found = counted(files.iter().flat_map(LintedFile::findings));
        let headline = format!("{found} in {statements} of {files_words}");
        Self { about, headline, groups, plan: None }
    }

    /// What was planned.
    pub(crate) fn plan(about: About<'a>, plan: &'a Plan, view: &'a View<'a>) -> Self {
        let mut marks = Marks::new(about.server.engine);
        let cx = (&about, view);
        let groups = plan.migrations.iter().map(|one| plan_group(one, cx, &mut marks)).collect();
        let headline = super::human::plan::headline(plan, view);
        Self { about, headline, groups, plan: Some((plan, view)) }
    }

    /// The same, and a group of the statements that ran on a scratch server, with what each did and the plan does not say.
    pub(crate) fn verified(mut self, verified: &Verified) -> Self {
        let folder = self.plan.map_or("", |(_, view)| view.folder);
        let mut marks = Marks::new(self.about.server.engine);
        let root = self.about.root;
        let cases = verified.statements.iter().map(|one| {
            let declared = format!("{folder}/{}/migration.toml", one.migration);
            let path = root.relative(one.place.as_ref().map_or(&declared, |(path, _)| path));
            let problem = |found: &Difference| {
                let Difference { what, foretold, seen } = found;
                let subject = fingerprint::Subject { path: &path, sql: &one.sql, clause: what };
                Problem {
                    rule: DIFFERS,
                    severity: Severity::Error,
                    message: format!("{what}: the plan says {foretold}, and it was {seen}"),
                    help: format!("Believe what was seen: {} ran it", verified.server),
                    path: path.clone(),
                    span: one.place.as_ref().map(|(_, span)| *span),
                    fix: None,
                    fingerprint: marks.mark(DIFFERS, subject),
                }
            };
            Case {
                class: format!("verify.{}.{}", one.migration, one.phase),
                title: brief(&one.sql),
                problems: one.differences.iter().map(problem).collect(),
            }
        });
        let cases = cases.collect();
        self.groups.push(Group { name: "verify".to_owned(), cases });
        let differences = count_of(verified.differences().count(), "difference");
        self.headline = format!("{}, {differences} from what ran", self.headline);
        self
    }

    /// Every problem, in the order of the files.
    pub(crate) fn problems(&self) -> impl Iterator<Item = &Problem> {
        self.groups.iter().flat_map(|group| &group.cases).flat_map(|case| &case.problems)
    }

    /// Every problem, the most severe first.
    pub(crate) fn worst_first(&self) -> Vec<&Problem> {
        let mut problems: Vec<_> = self.problems().collect();
        problems.sort_by_key(|problem| std::cmp::Reverse(problem.severity));
        problems
    }

    /// How many problems of a severity there are.
    pub(crate) fn count(&self, severity: Severity) -> usize {
        self.problems().filter(|problem| problem.severity == severity).count()
    }
}

impl Problem {
    /// 1-based line at which it begins.
    pub(crate) fn line(&self) -> usize {
        self.span.map_or(1, |span| span.line)
    }

    /// Message and help.
    pub(crate) fn words(&self) -> String {
        if self.help.is_empty() {
            return self.message.clone();
        }
        format!("{}\nhelp: {}", self.message, self.help)
    }
}

fn lint_group(file: &LintedFile, about: &About<'_>, marks: &mut Marks) -> Group {
    let path = about.root.relative(&file.path);
    let cases = file.statements.iter().map(|statement| {
        let problem = |found: &Finding, marks: &mut Marks| {
            let clause = file.text.get(found.span.start..found.span.end).unwrap_or_default();
            let subject = fingerprint::Subject { path: &path, sql: file.sql(statement), clause };
            located(found, (path.clone(), Some(found.span)), marks.mark(found.rule, subject))
        };
        Case {
            class: path.clone(),
            title: format!("line {}: {}", statement.span.line, brief(file.sql(statement))),
            problems: statement.findings.iter().map(|found| problem(found, marks)).collect(),
        }
    });
    let cases = cases.collect();
    Group { name: path, cases }
}

fn plan_group(
    migration: &PlannedMigration,
    (about, view): (&About<'_>, &View<'_>),
    marks: &mut Marks,
) -> Group {
    let id = migration.id.to_string();
    let declared = about.root.relative(&format!("{}/{id}/migration.toml", view.folder));
    let mut cases = Vec::new();
    if !migration.refusals.is_empty() {
        let prefix = format!("{}/{id}/", view.folder);
        // What is refused stands in the declaration, unless there is nothing but files of SQL.
        let generated = migration.phases.iter().flat_map(|phase| &phase.steps);
        let is_declared =
            migration.phases.is_empty() || generated.clone().any(|step| step.step.origin.is_none());
        let file = view.texts.keys().find(|path| path.starts_with(&prefix) && !is_declared);
        let path = file.map_or_else(|| declared.clone(), |path| about.root.relative(path));
        let refusal = |(message, help): &(String, String)| {
            let subject = fingerprint::Subject { path: &path, sql: "", clause: message };
            Problem {
                rule: REFUSED,
                severity: Severity::Error,
                message: format!("migration {id} is refused: {message}"),
                help: help.clone(),
                path: path.clone(),
                span: None,
                fix: None,
                fingerprint: marks.mark(REFUSED, subject),
            }
        };
        let problems = migration.refusals.iter().map(refusal).collect();
        cases.push(Case { class: id.clone(), title: "can run".to_owned(), problems });
    }
    if migration.findings_beside().next().is_some() && view.only.is_none() {
        let problems = problems(&migration.beside, &declared, (about, view), marks);
        cases.push(Case { class: id.clone(), title: "as a whole".to_owned(), problems });
    }
    let left = |phase: &&PlannedPhase| phase.steps.iter().any(|step| !step.done);
    for phase in migration.phases.iter().filter(left) {
        let left = phase.steps.iter().enumerate().filter(|(_, step)| !step.done);
        cases.extend(left.map(|(index, step)| Case {
            class: format!("{id}.{}", phase.phase),
            title: format!("{}. {}", index + 1, brief(&step.step.title)),
            problems: problems(&step.statements, &declared, (about, view), marks),
        }));
    }
    Group { name: id, cases }
}

fn problems(
    statements: &[PlannedStatement],
    declared: &str,
    (about, view): (&About<'_>, &View<'_>),
    marks: &mut Marks,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    for statement in statements {
        for found in &statement.findings {
            let place = statement.place.as_ref().map(|(path, _)| path);
            let text = place.and_then(|path| view.texts.get(path));
            let clause = text.and_then(|text| text.get(found.span.start..found.span.end));
            let path = place.map_or_else(|| declared.to_owned(), |path| about.root.relative(path));
            let subject = fingerprint::Subject {
                path: &path,
                sql: &statement.sql,
                clause: clause.unwrap_or_default(),
            };
            let mark = marks.mark(found.rule, subject);
            problems.push(located(found, (path.clone(), place.map(|_| found.span)), mark));
        }
    }
    problems
}

fn located(found: &Finding, (path, span): (String, Option<Span>), fingerprint: String) -> Problem {
    Problem {
        rule: found.rule,
        severity: found.severity,
        message: found.message.clone(),
        help: found.help.clone(),
        path,
        // An edit is of a file.
        fix: found.fix.clone().filter(|_| span.is_some()),
        span,
        fingerprint,
    }
}

/// The beginning of a text, on one line.
pub(crate) fn brief(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(100) {
        Some((end, _)) => format!("{} ...", words.get(..end).unwrap_or_default().trim_end()),
        None => words,
    }
}
