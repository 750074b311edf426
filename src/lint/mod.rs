//! Rules over changes, effects, catalog and phase.
//!
//! Invariant: a rule never sees a parser's tree. One Rust file a rule in `rules/`, one data file a rule in `lints/`,
//! one line in the registry.

mod about;
mod active;
mod allow;
mod ask;
mod columns;
pub(crate) mod finding;
pub(crate) mod fix;
mod judge;
pub(crate) mod migration;
mod reserved;
pub(crate) mod rules;
mod tools;

use std::collections::BTreeMap;

use crate::model::name::TableName;
use crate::model::phase::Phase;
use crate::model::server::Server;
use crate::sql::catalog::Catalog;
use crate::sql::change::Located;
use crate::sql::effect::Effect;
use crate::sql::estimate::Estimate;
use crate::sql::replay::Names;
use crate::sql::span::Span;
use crate::sql::split::{self, RunBy, SourceStatement};
use active::{Active, Written};
use finding::{Finding, Severity};

/// What the rules know besides the text of a file.
#[derive(Debug)]
pub(crate) struct FileContext<'a> {
    /// The file's text.
    pub(crate) text: &'a str,
    /// In which phase it runs. None: it is deployed in one go, as other tools do, which is judged as expand.
    pub(crate) phase: Option<Phase>,
    /// For which server.
    pub(crate) server: Server,
    /// Where names without a schema are looked for.
    pub(crate) names: &'a Names,
    /// The schema before the file's first statement; afterwards, behind its last.
    pub(crate) catalog: &'a mut Catalog,
    /// `[lint.rules]`: rule id to severity; `None` switches the rule off.
    pub(crate) rules: &'a BTreeMap<String, Option<Severity>>,
    /// The tables for which the migration declares a `[[backfill]]`.
    pub(crate) backfilled: &'a [TableName],
}

/// A statement with all that is known of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct LintedStatement {
    /// The statement.
    pub(crate) source: SourceStatement,
    /// What it does, with the full names of tables.
    pub(crate) changes: Vec<Located>,
    /// What it costs.
    pub(crate) effect: Effect,
    /// How long that takes, when the sizes of its tables are known.
    pub(crate) estimate: Option<Estimate>,
    /// What the rules say, after allows and `[lint.rules]`.
    pub(crate) findings: Vec<Finding>,
}

/// Judges each statement of a file, and carries it out on the catalog.
pub(crate) fn lint_file(cx: &mut FileContext<'_>) -> Vec<LintedStatement> {
    lint(cx, RunBy::Zdm)
}

/// The same for a file that another tool runs: the part that undoes the migration is left out, and what its client would
/// do is no finding.
pub(crate) fn lint_file_of_any_tool(cx: &mut FileContext<'_>) -> Vec<LintedStatement> {
    lint(cx, RunBy::AnyTool)
}

fn lint(cx: &mut FileContext<'_>, run_by: RunBy) -> Vec<LintedStatement> {
    let file = split::file(cx.text, cx.server.engine, run_by);
    let phase = cx.phase.unwrap_or(Phase::Expand);
    let active = Active::new(cx.server.engine, phase, cx.rules, Written::ByHand);
    let of_a_tool = run_by == RunBy::AnyTool || cx.phase.is_none();
    let transaction = of_a_tool && tools::wraps_in_a_transaction(cx.text);
    let mut doubtful = Vec::new();
    let sources = file.statements.into_iter().enumerate();
    let mut statements: Vec<_> = sources
        .map(|(number, source)| {
            judge::statement(source, cx, &active, (number, transaction), &mut doubtful)
        })
        .collect();
    judge::settle(&mut statements, &doubtful);
    judge::together(&mut statements, cx, &active, transaction);
    for statement in &mut statements {
        let findings = std::mem::take(&mut statement.findings);
        statement.findings = allow::apply(findings, &statement.source.directives, cx.rules);
    }
    if !file.trailing.is_empty() {
        let findings = allow::unused(&file.trailing, cx.rules);
        match statements.last_mut() {
            Some(last) => last.findings.extend(findings),
            None => statements.extend(judge::nothing(&file.trailing, findings)),
        }
    }
    statements
}

/// Judges one statement that zdm has written, and carries it out on the catalog. Only rules that ask what a statement
/// costs speak: what it means for old builds is the operation's business.
pub(crate) fn lint_generated(sql: &str, cx: &mut FileContext<'_>) -> LintedStatement {
    let source = SourceStatement {
        span: Span::whole(sql),
        sql: sql.to_owned(),
        group: None,
        problem: None,
        directives: Vec::new(),
    };
    let phase = cx.phase.unwrap_or(Phase::Expand);
    let active = Active::new(cx.server.engine, phase, cx.rules, Written::ByZdm);
    judge::statement(source, cx, &active, (0, false), &mut Vec::new())
}

#[cfg(test)]
mod docs;
#[cfg(test)]
mod tests;
