//! What tables have to do with each other, as far as the catalog knows.

use std::collections::BTreeSet;

use sqlparser::tokenizer::Token;

use super::catalog::{Catalog, ConstraintKind, Table, TableKind};
use super::rename::may_mention;
use super::tables::Link;
use super::tokens::{Lexeme, acting, name};
use crate::model::name::TableName;
use crate::model::server::Engine;

impl Catalog {
    /// The partitions of a table, or the tables that inherit from it, without theirs.
    pub(crate) fn children<'c>(
        &'c self,
        of: &'c TableName,
    ) -> impl Iterator<Item = &'c TableName> + 'c {
        let known = self.tables.perhaps_pointing_at(of, Link::Child);
        let children = known.filter(move |(_, known)| known.shape.parents.contains(of));
        children.map(|(name, _)| name)
    }

    /// All below a table: partitions of partitions, too.
    pub(crate) fn descendants(&self, of: &TableName) -> Vec<TableName> {
        self.reach(of, |catalog, name| catalog.children(name).cloned().collect())
    }

    /// The tables that its foreign keys point at, itself left out.
    pub(crate) fn partners(&self, of: &TableName) -> Vec<TableName> {
        let keys = self.tables.get(of).into_iter().flat_map(|known| &known.constraints);
        let others = keys.filter(|known| known.kind == ConstraintKind::ForeignKey);
        let others: BTreeSet<_> =
            others.filter_map(|known| known.other.clone()).filter(|other| other != of).collect();
        others.into_iter().collect()
    }

    /// The tables whose foreign keys point at it, itself left out. Foreign keys of partitions are their parent's.
    pub(crate) fn referrers(&self, of: &TableName) -> Vec<TableName> {
        let points_here = |known: &Table| {
            known
                .constraints
                .iter()
                .any(|key| key.kind == ConstraintKind::ForeignKey && key.other.as_ref() == Some(of))
        };
        let mut found: BTreeSet<TableName> = BTreeSet::new();
        for (name, known) in self.tables.perhaps_pointing_at(of, Link::Key) {
            if points_here(known) {
                found.insert(name.clone());
            }
        }
        let recorded = self.tables.get(of).into_iter().flat_map(|known| &known.constraints);
        let recorded = recorded.filter(|key| key.kind == ConstraintKind::ReferencedBy);
        found.extend(recorded.filter_map(|key| key.other.clone()));
        found.remove(of);
        found.into_iter().collect()
    }

    /// The views, materialized ones included, that read it, and those that read them.
    pub(crate) fn readers(&self, of: &TableName) -> Vec<TableName> {
        self.reach(of, |catalog, name| {
            let known = catalog.tables.perhaps_pointing_at(name, Link::Reader);
            let views = known.filter(|(_, known)| known.shape.reads.contains(name));
            views.map(|(name, _)| name.clone()).collect()
        })
    }

    /// The views, materialized ones included, that need a column of a table, and those that read them.
    pub(crate) fn readers_of_column(&self, of: &TableName, column: &str) -> Vec<TableName> {
        let direct = self.tables.perhaps_pointing_at(of, Link::Reader).filter(|(_, known)| {
            known.shape.reads.contains(of) && may_need(&known.shape.query, column)
        });
        let mut found: BTreeSet<TableName> = BTreeSet::new();
        for (view, _) in direct {
            found.insert(view.clone());
            found.extend(self.readers(view));
        }
        found.into_iter().collect()
    }

    /// The tables that stand behind a name: itself, or what a view reads.
    pub(crate) fn behind(&self, name: &TableName) -> Vec<TableName> {
        if !self.is_kind(name, TableKind::View) {
            return vec![name.clone()];
        }
        let all = self.reach(name, |catalog, name| {
            let view = catalog.tables.get(name);
            let view = view.filter(|known| known.shape.kind == TableKind::View);
            view.map(|known| known.shape.reads.clone()).unwrap_or_default()
        });
        all.into_iter().filter(|name| !self.is_kind(name, TableKind::View)).collect()
    }

    /// Whether a name is known to be of a kind.
    pub(crate) fn is_kind(&self, name: &TableName, kind: TableKind) -> bool {
        self.tables.get(name).is_some_and(|known| known.shape.kind == kind)
    }

    /// Everything that can be reached in steps from a name, without itself, in the order of finding.
    fn reach(
        &self,
        from: &TableName,
        step: impl Fn(&Self, &TableName) -> Vec<TableName>,
    ) -> Vec<TableName> {
        let mut found: Vec<TableName> = Vec::new();
        let mut at = 0;
        let mut next = step(self, from);
        loop {
            for name in next {
                if name != *from && !found.contains(&name) {
                    found.push(name);
                }
            }
            let Some(name) = found.get(at) else { return found };
            at += 1;
            next = step(self, name);
        }
    }
}

/// Whether a query can need a column: it names one that is called so, or takes all. One that is not known can.
fn may_need(query: &str, column: &str) -> bool {
    if query.is_empty() {
        return true;
    }
    // Most queries need not be read as tokens.
    if !query.contains('*') && !may_mention(query, column) {
        return false;
    }
    let lexemes = acting(query, Engine::Postgres).lexemes;
    let takes_all = lexemes.windows(2).any(|pair| match pair {
        [before, star] if star.token == Token::Mul => {
            matches!(before.token, Token::Comma | Token::Period)
                || before.is_word("SELECT")
                || before.is_word("DISTINCT")
        }
        _ => false,
    });
    let names_it = |lexeme: &Lexeme| match &lexeme.token {
        Token::Word(word) => name(&word.value, word.quote_style, Engine::Postgres) == column,
        _ => false,
    };
    takes_all || lexemes.iter().any(names_it)
}
