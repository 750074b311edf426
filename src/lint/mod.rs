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
#[cfg(feature = "fuzz")]
pub(crate) mod fuzz;
mod judge;
pub(crate) mod migration;
mod reserved;
pub(crate) mod rules;
mod tools;

use std::collections::BTreeMap;

use crate::model::name::TableName;
use crate::model::phase::Phase;
use crate::model::server::{Engine, Server};
use crate::sql::Session;
use crate::sql::catalog::Catalog;
use crate::sql::change::Located;
use crate::sql::effect::Effect;
use crate::sql::estimate::Estimate;
use crate::sql::replay::Names;
use crate::sql::span::Span;
use crate::sql::split::{self, Directive, RunBy, SourceStatement};
use active::{Active, Written};
use finding::{Finding, Severity};

/// What the rules know besides the text of a file.
#[derive(Debug)]
pub(crate) struct FileContext<'a> {
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

/// A file that was read: its statements and what they do, before anything is known of the schema.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ReadFile {
    /// In their order.
    pub(crate) statements: Vec<(SourceStatement, Vec<Located>)>,
    trailing: Vec<Directive>,
    /// Whether the tool that runs it does so in one transaction.
    transaction: bool,
}

/// Reads a file: what takes the longest, and needs nothing but its text.
pub(crate) fn read_file(text: &str, engine: Engine, run_by: RunBy) -> ReadFile {
    let file = split::file(text, engine, run_by);
    // zdm itself runs a file statement by statement, and in other sessions after a lost connection.
    let is_followed = run_by == RunBy::AnyTool && engine.is_mysql_family();
    let mut session = is_followed.then(|| Session::new(engine));
    let statements = file.statements.into_iter().map(|source| {
        let mut changes = judge::changes(&source, engine);
        if let Some(session) = &mut session {
            changes = session.follow(&source.sql, source.span, changes);
        }
        (source, changes)
    });
    ReadFile {
        statements: statements.collect(),
        trailing: file.trailing,
        transaction: tools::wraps_in_a_transaction(text),
    }
}

/// Judges each statement of a file that zdm runs, and carries it out on the catalog.
#[cfg(test)]
pub(crate) fn lint_file(text: &str, cx: &mut FileContext<'_>) -> Vec<LintedStatement> {
    judge_file(read_file(text, cx.server.engine, RunBy::Zdm), cx)
}

/// Judges each statement of a file that was read, and carries it out on the catalog.
pub(crate) fn judge_file(file: ReadFile, cx: &mut FileContext<'_>) -> Vec<LintedStatement> {
    let phase = cx.phase.unwrap_or(Phase::Expand);
    let active = Active::new(cx.server.engine, phase, cx.rules, Written::ByHand);
    let transaction = file.transaction && cx.phase.is_none();
    let mut doubtful = Vec::new();
    let sources = file.statements.into_iter().enumerate();
    let mut statements: Vec<_> = sources
        .map(|(number, read)| {
            judge::statement(read, cx, &active, (number, transaction), &mut doubtful)
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
    let changes = judge::changes(&source, cx.server.engine);
    judge::statement((source, changes), cx, &active, (0, false), &mut Vec::new())
}

#[cfg(test)]
mod docs;
#[cfg(test)]
mod tests;
