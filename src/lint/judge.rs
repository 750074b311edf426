//! Statements before the rules: one by one, then a file's together.

use std::collections::BTreeMap;

use super::active::{Active, Asked};
use super::ask::{FileSubject, Object, Report, Subject};
use super::finding::Finding;
use super::{FileContext, LintedStatement};
use crate::model::phase::Phase;
use crate::model::server::Engine;
use crate::sql::change::{Change, Located};
use crate::sql::effect::{Blocks, Effect};
use crate::sql::effects::effect;
use crate::sql::estimate::estimate;
use crate::sql::span::Span;
use crate::sql::split::{Directive, SourceStatement};
use crate::sql::{column_span, understand};

/// A finding of a statement that falls if a later one makes its object again.
#[derive(Debug)]
pub(super) struct Doubtful {
    statement: usize,
    message: String,
    object: Object,
}

/// Drops the findings that a later statement of the file answers.
pub(super) fn settle(statements: &mut [LintedStatement], doubtful: &[Doubtful]) {
    if doubtful.is_empty() {
        return;
    }
    let numbered = statements.iter().enumerate();
    let changes = numbered.flat_map(|(number, statement)| {
        statement.changes.iter().map(move |located| (number, &located.change))
    });
    // The last that makes it counts.
    let made: BTreeMap<Object, usize> = changes
        .filter_map(|(number, change)| Object::made_by(change).map(|object| (object, number)))
        .collect();
    for doubt in doubtful {
        let is_made = made.get(&doubt.object).is_some_and(|at| *at > doubt.statement);
        if let Some(statement) = statements.get_mut(doubt.statement).filter(|_| is_made) {
            statement.findings.retain(|finding| finding.message != doubt.message);
        }
    }
}

/// What a statement of a file does, with the tables as it names them.
pub(super) fn changes(source: &SourceStatement, engine: Engine) -> Vec<Located> {
    match &source.problem {
        Some(why) => {
            vec![Located::new(Change::Opaque { why: why.clone() }, source.span)]
        }
        None => understand(&source.sql, source.span, engine),
    }
}

/// Judges a statement by itself, and carries it out on the catalog. Allows are not looked at yet.
pub(super) fn statement(
    (source, changes): (SourceStatement, Vec<Located>),
    cx: &mut FileContext<'_>,
    active: &Active,
    (number, transaction): (usize, bool),
    doubtful: &mut Vec<Doubtful>,
) -> LintedStatement {
    let engine = cx.server.engine;
    let changes = cx.names.resolve(changes, cx.catalog);
    let whole = effect(&changes, cx.catalog, cx.server);
    let mut findings = Vec::new();
    for (clause, located) in changes.iter().enumerate() {
        let alone;
        let cost = if changes.len() == 1 {
            &whole
        } else {
            alone = effect(std::slice::from_ref(located), cx.catalog, cx.server);
            &alone
        };
        let subject = Subject {
            located,
            effect: cost,
            estimate: estimate(std::slice::from_ref(located), cost, cx.catalog, cx.server),
            whole: &whole,
            number: clause,
            changes: &changes,
            source: &source,
            phase: cx.phase.unwrap_or(Phase::Expand),
            server: cx.server,
            names: cx.names,
            catalog: cx.catalog,
            backfilled: cx.backfilled,
            transaction,
        };
        for asked in &active.of_changes {
            for mut report in (asked.check)(&subject) {
                if let Some(object) = report.unless_made.take() {
                    let message = report.message.clone();
                    doubtful.push(Doubtful { statement: number, message, object });
                }
                let span = place(&report, located, subject.source, engine);
                findings.push(finding(report, asked, span, located.is_in_block()));
            }
        }
    }
    findings.dedup_by(|a, b| a.rule == b.rule && a.message == b.message);
    let estimate = estimate(&changes, &whole, cx.catalog, cx.server);
    cx.catalog.apply(&changes, engine);
    LintedStatement { source, changes, effect: whole, estimate, findings }
}

/// Asks the rules that look at all statements of a file. `cx.catalog` is behind the last.
pub(super) fn together(
    statements: &mut [LintedStatement],
    cx: &FileContext<'_>,
    active: &Active,
    transaction: bool,
) {
    let (names, engine) = (cx.names, cx.server.engine);
    let subject = FileSubject { statements, transaction, engine, names, catalog: cx.catalog };
    let mut found = Vec::new();
    for asked in &active.of_files {
        for placed in (asked.check)(&subject) {
            let Some(statement) = statements.get(placed.statement) else { continue };
            let clause = statement.changes.get(placed.change.unwrap_or(usize::MAX));
            let span = clause.map_or(statement.source.span, |located| located.span);
            let in_block = statement.changes.iter().any(Located::is_in_block);
            found.push((placed.statement, finding(placed.report, asked, span, in_block)));
        }
    }
    for (number, finding) in found {
        if let Some(statement) = statements.get_mut(number) {
            statement.findings.push(finding);
        }
    }
}

/// Where in the file a report about a change points.
fn place(report: &Report, located: &Located, source: &SourceStatement, engine: Engine) -> Span {
    let is_table = matches!(located.change, Change::CreateTable { .. });
    let column = report.column.as_ref().filter(|_| is_table && located.span == source.span);
    let found = column.and_then(|column| column_span(&source.sql, source.span, column, engine));
    found.unwrap_or(located.span)
}

/// A statement inside a block cannot be taken out of it, and most forms that could stand in its place not be put there:
/// what is said of it has no edit.
fn finding<F>(report: Report, asked: &Asked<F>, span: Span, in_block: bool) -> Finding {
    Finding {
        rule: asked.rule.id,
        severity: report.at_most.map_or(asked.severity, |most| most.min(asked.severity)),
        message: report.message,
        help: report.help,
        span,
        fix: report.fix.filter(|_| !in_block),
    }
}

/// What stands for a file without statements, so that its findings have a place.
pub(super) fn nothing(directives: &[Directive], findings: Vec<Finding>) -> Option<LintedStatement> {
    let first = directives.first()?;
    let source = SourceStatement {
        span: first.span,
        sql: String::new(),
        group: None,
        problem: None,
        directives: directives.to_vec(),
    };
    let changes = vec![Located::new(Change::Harmless, first.span)];
    let effect = Effect {
        known: true,
        locks: Vec::new(),
        blocks: Blocks::Nothing,
        rewrites: Vec::new(),
        scans: Vec::new(),
        algorithm: None,
    };
    Some(LintedStatement { source, changes, effect, estimate: None, findings })
}
