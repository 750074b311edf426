//! One statement before all rules.

use super::finding::Finding;
use super::rules::{self, Subject};
use super::{FileContext, LintedStatement, allow};
use crate::model::phase::Phase;
use crate::sql::change::{Change, Located};
use crate::sql::effect::{Blocks, Effect};
use crate::sql::effects::effect;
use crate::sql::estimate::estimate;
use crate::sql::split::{Directive, SourceStatement};
use crate::sql::understand;

/// Who has written a statement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Written {
    ByHand,
    ByZdm,
}

/// Judges a statement, and carries it out on the catalog.
pub(super) fn statement(
    source: SourceStatement,
    cx: &mut FileContext<'_>,
    written: Written,
) -> LintedStatement {
    let engine = cx.server.engine;
    let changes = match &source.problem {
        Some(why) => {
            vec![Located { change: Change::Opaque { why: why.clone() }, span: source.span }]
        }
        None => understand(&source.sql, source.span, engine),
    };
    let changes = cx.names.resolve(changes, cx.catalog);
    let whole = effect(&changes, cx.catalog, cx.server);
    let mut findings = Vec::new();
    for located in &changes {
        let alone = effect(std::slice::from_ref(located), cx.catalog, cx.server);
        let subject = Subject {
            located,
            effect: &alone,
            estimate: estimate(std::slice::from_ref(located), &alone, cx.catalog, cx.server),
            whole: &whole,
            changes: &changes,
            source: &source,
            phase: cx.phase.unwrap_or(Phase::Expand),
            server: cx.server,
            names: cx.names,
            catalog: cx.catalog,
            backfilled: cx.backfilled,
        };
        findings.extend(ask_all(&subject, cx, written));
    }
    findings.dedup_by(|a, b| a.rule == b.rule && a.message == b.message);
    let findings = allow::apply(findings, &source.directives, cx.rules);
    let estimate = estimate(&changes, &whole, cx.catalog, cx.server);
    cx.catalog.apply(&changes, engine);
    LintedStatement { source, changes, effect: whole, estimate, findings }
}

fn ask_all(subject: &Subject<'_>, cx: &FileContext<'_>, written: Written) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in rules::ALL {
        let about = rule.about();
        let applies = about.databases().contains(&subject.server.engine)
            && about.phases().contains(&subject.phase)
            && (written == Written::ByHand || rule.judges_generated);
        let Some(severity) = rules::severity(rule, cx.rules).filter(|_| applies) else { continue };
        findings.extend((rule.check)(subject).into_iter().map(|report| Finding {
            rule: rule.id,
            severity: report.at_most.map_or(severity, |most| most.min(severity)),
            message: report.message,
            help: report.help,
            span: subject.located.span,
            fix: report.fix,
        }));
    }
    findings
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
    let changes = vec![Located { change: Change::Harmless, span: first.span }];
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
