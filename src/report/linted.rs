//! Files that the rules have judged, as both formats show them.

use crate::lint::finding::Finding;
use crate::model::phase::Phase;
use crate::report::json::change::Change;
use crate::sql::effect::Effect;
use crate::sql::estimate::Estimate;
use crate::sql::span::Span;

/// A file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct LintedFile {
    /// Its path as the user would type it.
    pub(crate) path: String,
    /// Its text.
    pub(crate) text: String,
    /// In which phase it runs.
    pub(crate) phase: Phase,
    /// Its statements.
    pub(crate) statements: Vec<LintedStatement>,
}

/// A statement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct LintedStatement {
    /// Where it stands.
    pub(crate) span: Span,
    /// Its text, when it is not what stands there.
    pub(crate) sql: Option<String>,
    /// What it does, in short: of thousands of files no more is kept than what is shown.
    pub(crate) changes: Vec<Change>,
    /// What it costs.
    pub(crate) effect: Effect,
    /// How long that takes, when the sizes of its tables are known.
    pub(crate) estimate: Option<Estimate>,
    /// What the rules say.
    pub(crate) findings: Vec<Finding>,
}

impl LintedFile {
    /// How many statements it has. What is said of a migration as a whole stands at none.
    pub(crate) fn count(&self) -> usize {
        self.statements.iter().filter(|statement| !self.sql(statement).is_empty()).count()
    }

    /// The text of one of its statements.
    pub(crate) fn sql<'a>(&'a self, statement: &'a LintedStatement) -> &'a str {
        let Span { start, end, .. } = statement.span;
        let stands_there = || self.text.get(start..end).unwrap_or_default();
        statement.sql.as_deref().unwrap_or_else(stands_there)
    }

    /// What the rules say of all of it.
    pub(crate) fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.statements.iter().flat_map(|statement| &statement.findings)
    }
}
