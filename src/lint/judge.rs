//! Statements before the rules: one by one, then a file's together.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::active::{Active, Asked, Written};
use super::ask::{FileSubject, Object, Report, Subject};
use super::finding::Finding;
use super::read::{Frame, Read};
use super::{FileContext, LintedStatement, allow};
use crate::model::phase::Phase;
use crate::model::server::Engine;
use crate::sql::change::{Change, Located};
use crate::sql::effect::{Blocks, Effect};
use crate::sql::effects::effect;
use crate::sql::estimate::estimate;
use crate::sql::span::Span;
use crate::sql::split::{Directive, SourceStatement};
use crate::sql::{column_span, listed_span};

/// A finding of a statement that falls if a later one makes its object again.
#[derive(Debug)]
pub(super) struct Doubtful {
    statement: usize,
    message: String,
    object: Object,
}

/// Statements of a file that its rules ask about, and their numbers.
#[derive(Debug, Default)]
struct Concerned {
    numbers: Vec<usize>,
    statements: Vec<Rc<LintedStatement>>,
}

/// What is kept of a statement, and what the rules say of it.
type Kept<K> = (K, Vec<Finding>);

/// Judges each statement of a file, and carries it out on the catalog. What `keep` makes of a statement is kept.
pub(super) fn file<K>(
    (read, frame): (impl Iterator<Item = Read>, Frame),
    cx: &mut FileContext<'_>,
    mut keep: impl FnMut(&Rc<LintedStatement>) -> K,
) -> Vec<Kept<K>> {
    let phase = cx.phase.unwrap_or(Phase::Expand);
    let active = Active::new(cx.server.engine, phase, cx.rules, Written::ByHand);
    let transaction = frame.transaction && cx.phase.is_none();
    let mut doubtful = Vec::new();
    let mut concerned = Concerned::default();
    let mut directives = Vec::new();
    let mut kept = Vec::with_capacity(read.size_hint().0);
    for (number, read) in read.enumerate() {
        let mut judged = statement(read, cx, &active, (number, transaction), &mut doubtful);
        let findings = std::mem::take(&mut judged.findings);
        let judged = Rc::new(judged);
        kept.push((keep(&judged), findings));
        if !judged.source.directives.is_empty() {
            directives.push((number, judged.source.directives.clone()));
        }
        if concerns_files(&judged, transaction) {
            concerned.numbers.push(number);
            concerned.statements.push(judged);
        }
    }
    settle(&mut kept, &concerned, &doubtful);
    together(&mut kept, &concerned, (cx, &active, transaction));
    for (number, directives) in directives {
        if let Some((_, findings)) = kept.get_mut(number) {
            *findings = allow::apply(std::mem::take(findings), &directives, cx.rules);
        }
    }
    if !frame.trailing.is_empty() {
        let findings = allow::unused(&frame.trailing, cx.rules);
        if let Some((_, last)) = kept.last_mut() {
            last.extend(findings);
        } else {
            let nothing = nothing(&frame.trailing, Vec::new());
            kept.extend(nothing.map(|nothing| (keep(&Rc::new(nothing)), findings)));
        }
    }
    kept
}

/// Whether a rule about a file as a whole could speak about a statement, or because of it. Dumps have millions of those
/// of which none can: rows that are put in, and outside of transactions those that are changed.
fn concerns_files(judged: &LintedStatement, transaction: bool) -> bool {
    let is_alone = judged.source.group.is_none() && !transaction;
    let is_about_rows = judged.changes.iter().all(|located| match &located.change {
        Change::Harmless => true,
        Change::Insert { shape, .. } => is_alone || !shape.queried,
        Change::Update { .. } | Change::Delete { .. } => is_alone,
        // What their queries read.
        Change::Act(act) => is_alone && act.kind == "read",
        _ => false,
    });
    !is_about_rows || !(is_alone || judged.effect.blocks < Blocks::Writes)
}

/// Drops the findings that a later statement of the file answers.
fn settle<K>(kept: &mut [Kept<K>], concerned: &Concerned, doubtful: &[Doubtful]) {
    if doubtful.is_empty() {
        return;
    }
    let numbered = concerned.numbers.iter().zip(&concerned.statements);
    let changes = numbered.flat_map(|(number, statement)| {
        statement.changes.iter().map(|located| (*number, &located.change))
    });
    // The last that makes it counts.
    let made: BTreeMap<Object, usize> = changes
        .filter_map(|(number, change)| Object::made_by(change).map(|object| (object, number)))
        .collect();
    for doubt in doubtful {
        let is_made = made.get(&doubt.object).is_some_and(|at| *at > doubt.statement);
        if let Some((_, findings)) = kept.get_mut(doubt.statement).filter(|_| is_made) {
            findings.retain(|finding| finding.message != doubt.message);
        }
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
            types: OnceCell::new(),
        };
        for asked in &active.of_changes {
            for mut report in (asked.check)(&subject) {
                if let Some(object) = report.unless_made.take() {
                    let message = report.message.clone();
                    doubtful.push(Doubtful { statement: number, message, object });
                }
                let span = place(&report, &subject, engine);
                findings.push(finding(report, asked, span, located.is_in_block()));
            }
        }
    }
    findings.dedup_by(|a, b| a.rule == b.rule && a.message == b.message);
    // Millions of statements may have one each.
    findings.shrink_to_fit();
    let estimate = estimate(&changes, &whole, cx.catalog, cx.server);
    cx.catalog.apply(&changes, engine);
    LintedStatement { source, changes, effect: whole, estimate, findings }
}

/// Asks the rules that look at all statements of a file. `cx.catalog` is behind the last.
fn together<K>(
    kept: &mut [Kept<K>],
    Concerned { numbers, statements }: &Concerned,
    (cx, active, transaction): (&FileContext<'_>, &Active, bool),
) {
    let (names, engine) = (cx.names, cx.server.engine);
    let subject = FileSubject { statements, transaction, engine, names, catalog: cx.catalog };
    for asked in &active.of_files {
        for placed in (asked.check)(&subject) {
            let Some(statement) = statements.get(placed.statement) else { continue };
            let number = numbers.get(placed.statement).copied().unwrap_or_default();
            let clause = statement.changes.get(placed.change.unwrap_or(usize::MAX));
            let span = clause.map_or(statement.source.span, |located| located.span);
            let in_block = statement.changes.iter().any(Located::is_in_block);
            if let Some((_, findings)) = kept.get_mut(number) {
                findings.push(finding(placed.report, asked, span, in_block));
            }
        }
    }
}

/// Where in the file a report about a change points: its clause, or what it says of a column or of one of several tables.
fn place(report: &Report, subject: &Subject<'_>, engine: Engine) -> Span {
    let Subject { located, source, changes, .. } = subject;
    if located.span != source.span {
        return located.span;
    }
    let (sql, span) = (&source.sql, source.span);
    let found = match &located.change {
        Change::CreateTable { .. } => {
            let column = report.column.as_ref();
            column.and_then(|column| column_span(sql, span, column, engine))
        }
        Change::DropTable { table, .. }
        | Change::RenameTable { table, .. }
        | Change::Truncate { table, .. }
            if changes.len() > 1 =>
        {
            listed_span(sql, span, &table.name, engine)
        }
        Change::DropIndex { index, .. } if changes.len() > 1 => {
            listed_span(sql, span, index, engine)
        }
        _ => None,
    };
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
