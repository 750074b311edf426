//! Files that the rules have judged, as both formats show them.

use std::borrow::Borrow;
use std::collections::BTreeSet;
use std::rc::Rc;

use super::check::UNREAD;
use crate::lint::finding::{Finding, Severity};
use crate::model::phase::Phase;
use crate::model::server::Server;
use crate::report::json::change::Change;
use crate::sql;
use crate::sql::catalog::Catalog;
use crate::sql::change::Located;
use crate::sql::effect::Effect;
use crate::sql::effects::effect;
use crate::sql::estimate::Estimate;
use crate::sql::span::{Places, Span};

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

/// A statement. There may be millions: those that are alike share what was found out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct LintedStatement {
    /// Where it stands.
    pub(crate) span: Span,
    /// Its text, when it is not what stands there.
    pub(crate) sql: Option<Box<str>>,
    /// What it does, in short.
    pub(crate) changes: Rc<[Change]>,
    /// What it costs.
    pub(crate) effect: Rc<Effect>,
    /// How long that takes, when the sizes of its tables are known.
    pub(crate) estimate: Option<Box<Estimate>>,
    /// What the rules say.
    pub(crate) findings: Vec<Finding>,
}

/// What is kept of a statement once, however many are alike.
#[derive(Debug)]
pub(crate) struct Shared<T: ?Sized>(BTreeSet<Rc<T>>);

impl<T: ?Sized> Default for Shared<T> {
    fn default() -> Self {
        Self(BTreeSet::new())
    }
}

impl<T: Ord + ?Sized> Shared<T> {
    /// The same as `value`, kept once.
    pub(crate) fn keep<V: Borrow<T> + Into<Rc<T>>>(&mut self, value: V) -> Rc<T> {
        if let Some(known) = self.0.get(value.borrow()) {
            return Rc::clone(known);
        }
        let kept: Rc<T> = value.into();
        self.0.insert(Rc::clone(&kept));
        kept
    }
}

impl LintedFile {
    /// A file that is no text: what stands before its first byte that is none, and why.
    pub(crate) fn unread(
        path: String,
        (mut text, why): (String, &str),
        phase: Phase,
        server: Server,
    ) -> Self {
        let start = text.len();
        text.push(char::REPLACEMENT_CHARACTER);
        let span = Places::of(&text).span(start, text.len());
        let why = format!("nothing of this file is judged: {why}, in line {}", span.line);
        let finding = Finding {
            rule: UNREAD,
            severity: Severity::Error,
            message: why.clone(),
            help:
                "Save it as UTF-8; UTF-16 and UTF-32 are read if a byte order mark stands in front"
                    .to_owned(),
            span,
            fix: None,
        };
        let changes = [Located::new(sql::change::Change::Opaque { why }, span)];
        let statement = LintedStatement {
            span,
            sql: Some("".into()),
            changes: changes.iter().map(|located| (&located.change).into()).collect(),
            effect: Rc::new(effect(&changes, &Catalog::default(), server)),
            estimate: None,
            findings: vec![finding],
        };
        Self { path, text, phase, statements: vec![statement] }
    }

    /// Whether it is no text, and that is reported.
    pub(crate) fn is_unread(&self) -> bool {
        self.findings().any(|finding| finding.rule == UNREAD)
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_alike_is_kept_once() {
        let mut kept = Shared::<[u8]>::default();
        let (first, other, again) = (kept.keep(vec![1]), kept.keep(vec![2]), kept.keep(vec![1]));
        assert!(Rc::ptr_eq(&first, &again) && !Rc::ptr_eq(&first, &other));
    }
}
