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
pub(crate) mod read;
mod reserved;
pub(crate) mod rules;
mod tools;

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::model::name::TableName;
use crate::model::phase::Phase;
use crate::model::server::Server;
use crate::sql::catalog::Catalog;
use crate::sql::change::Located;
use crate::sql::effect::Effect;
use crate::sql::estimate::Estimate;
use crate::sql::replay::Names;
use crate::sql::span::Span;
use crate::sql::split::SourceStatement;
use active::{Active, Written};
use finding::{Finding, Severity};
use read::{BegunFile, ReadFile};

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

/// Judges each statement of a file that zdm runs, and carries it out on the catalog.
#[cfg(test)]
pub(crate) fn lint_file(text: &str, cx: &mut FileContext<'_>) -> Vec<LintedStatement> {
    use crate::sql::split::RunBy;
    judge_file(read::read_file(text, cx.server.engine, RunBy::Zdm), cx)
}

/// Judges each statement of a file that was read, and carries it out on the catalog.
pub(crate) fn judge_file(file: ReadFile, cx: &mut FileContext<'_>) -> Vec<LintedStatement> {
    let judged = judge::file((file.statements.into_iter(), file.frame), cx, Rc::clone);
    let judged = judged.into_iter();
    judged
        .map(|(statement, findings)| LintedStatement { findings, ..Rc::unwrap_or_clone(statement) })
        .collect()
}

/// The same, when of each statement no more is kept than what `keep` makes of it; what the rules say stands beside.
pub(crate) fn judge_briefly<K>(
    (file, text): (BegunFile, &str),
    cx: &mut FileContext<'_>,
    mut keep: impl FnMut(&LintedStatement) -> K,
) -> Vec<(K, Vec<Finding>)> {
    judge::file(file.statements(text), cx, |statement| keep(statement))
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
    let changes = read::changes(&source, cx.server.engine);
    judge::statement((source, changes), cx, &active, (0, false), &mut Vec::new())
}

#[cfg(test)]
mod docs;
#[cfg(test)]
mod tests;
