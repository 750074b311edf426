//! What is known of a table, and what else the statement does to it.

use super::super::case::Case;
use crate::model::name::TableName;
use crate::model::server::Server;
use crate::sql::catalog::{Catalog, Column, Constraint, ConstraintKind, Index, Table};
use crate::sql::change::{Change, ConstraintDef, ConstraintDefKind, Located};
use crate::sql::tokens::acting;

/// The table of a clause and the statement around it.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) changes: &'a [Located],
    pub(super) table: &'a TableName,
    /// The table; `None` when it is not known.
    pub(super) known: Option<&'a Table>,
    pub(super) catalog: &'a Catalog,
    pub(super) server: Server,
}

impl<'a> Context<'a> {
    pub(super) fn new(
        changes: &'a [Located],
        table: &'a TableName,
        catalog: &'a Catalog,
        server: Server,
    ) -> Self {
        Self { changes, table, known: catalog.tables.get(table), catalog, server }
    }

    /// A case of that kind with the facts about the table.
    pub(super) fn case(&self, kind: &'static str) -> Case {
        let row_format = self.row_format();
        let partitioned = self.known.is_some_and(|known| known.storage.partitioned.is_some());
        Case::new(kind, self.table)
            .fact("fulltext", self.has_fulltext())
            .fact("drops-fulltext", self.drops_fulltext())
            .fact("compressed", row_format == "COMPRESSED")
            .fact("redundant", row_format == "REDUNDANT")
            .fact("partitioned", partitioned)
            .fact("not-innodb", self.other_engine())
            .fact("virtual", self.has_generated(Generated::Virtual))
            .fact("stored", self.has_generated(Generated::Stored))
            .fact("virtual-indexed", self.has_indexed_virtual())
            .fact("spatial", self.has_kind("SPATIAL"))
            .fact("versioned", self.known.is_some_and(|known| known.storage.versioned))
    }

    /// The case of a rebuild.
    pub(super) fn rebuild(&self) -> Case {
        let adds = self.changes.iter().any(|located| {
            matches!(&located.change, Change::CreateIndex { kind: Some(kind), .. } if kind == "FULLTEXT")
        });
        let counts = self.changes.iter().any(
            |located| matches!(&located.change, Change::AddColumn { column, .. } if column.counts),
        );
        self.case("rebuild").fact("adds-fulltext", adds).fact("adds-counter", counts)
    }

    fn row_format(&self) -> &str {
        self.known.and_then(|known| known.storage.row_format.as_deref()).unwrap_or_default()
    }

    /// Whether an engine other than InnoDB keeps the table.
    pub(super) fn other_engine(&self) -> bool {
        let engine = self.known.and_then(|known| known.storage.engine.as_deref());
        engine.is_some_and(|engine| !engine.eq_ignore_ascii_case("InnoDB"))
    }

    pub(super) fn same(&self, a: &str, b: &str) -> bool {
        self.server.engine.same_name(a, b)
    }

    pub(super) fn column(&self, name: &str) -> Option<&'a Column> {
        self.known?.columns.iter().find(|column| self.same(&column.name, name))
    }

    /// The indexes that there are, without the primary key's.
    pub(super) fn indexes(&self) -> &'a [Index] {
        self.known.map(|known| known.indexes.as_slice()).unwrap_or_default()
    }

    pub(super) fn constraints(&self) -> impl Iterator<Item = &'a Constraint> + use<'a> {
        self.known.into_iter().flat_map(|known| &known.constraints)
    }

    /// Whether the statement drops that index.
    pub(super) fn drops_index(&self, index: &Index) -> bool {
        let is_named = |name: &String| self.same(name, &index.name);
        self.changes.iter().any(|located| match &located.change {
            Change::DropIndex { index, .. } => is_named(index),
            Change::DropConstraint { constraint, .. } => is_named(constraint),
            _ => false,
        })
    }

    /// Whether the statement drops that column.
    pub(super) fn drops_column(&self, name: &str) -> bool {
        self.changes.iter().any(|located| {
            matches!(&located.change, Change::DropColumn { column, .. } if self.same(column, name))
        })
    }

    /// Whether the statement drops that constraint.
    pub(super) fn drops_constraint(&self, name: &str) -> bool {
        self.changes.iter().any(|located| {
            matches!(&located.change, Change::DropConstraint { constraint, .. } if self.same(constraint, name))
        })
    }

    /// The primary key that the statement makes.
    pub(super) fn new_key(&self) -> Option<&'a ConstraintDef> {
        self.changes.iter().find_map(|located| match &located.change {
            Change::AddConstraint { constraint, .. }
                if matches!(constraint.kind, ConstraintDefKind::PrimaryKey { .. }) =>
            {
                Some(constraint)
            }
            _ => None,
        })
    }

    /// The primary key's columns; empty: there is none, or it is not known.
    pub(super) fn key(&self) -> &'a [String] {
        let key = self.known.map(|known| known.key.as_slice()).unwrap_or_default();
        if self.known.is_some_and(|known| known.shape.key_name.is_some()) {
            return key;
        }
        // The catalog of a live table puts a unique key there when there is no primary one.
        let is_unique = |index: &Index| index.unique && index.columns == key;
        if self.indexes().iter().any(is_unique) { &[] } else { key }
    }

    /// Whether the statement takes all columns of an index away, or the index.
    pub(super) fn goes(&self, index: &Index) -> bool {
        self.drops_index(index) || index.columns.iter().all(|name| self.drops_column(name))
    }

    fn has_kind(&self, kind: &str) -> bool {
        self.indexes().iter().any(|index| index.kind.as_deref() == Some(kind) && !self.goes(index))
    }

    /// Whether a FULLTEXT index is there, be it that it goes.
    pub(super) fn had_fulltext(&self) -> bool {
        self.indexes().iter().any(|index| index.kind.as_deref() == Some("FULLTEXT"))
    }

    /// The unique key by which InnoDB orders the rows of a table without a primary key.
    pub(super) fn clustering(&self) -> Option<&'a Index> {
        let refuses_null = |name: &String| self.column(name).is_some_and(|known| known.not_null);
        let unique = |index: &&Index| index.unique && index.columns.iter().all(refuses_null);
        self.indexes().iter().find(unique).filter(|_| self.key().is_empty())
    }

    /// The columns by which InnoDB orders the rows; empty: by a number of its own.
    pub(super) fn order(&self) -> &'a [String] {
        let unique = self.clustering().map(|index| index.columns.as_slice()).unwrap_or_default();
        if self.key().is_empty() { unique } else { self.key() }
    }

    /// The same after the statement; which unique keys it adds is not looked at.
    fn next_order(&self) -> &'a [String] {
        if let Some(new) = self.new_key() {
            return &new.columns;
        }
        let stays = |columns: &[String]| !columns.iter().any(|name| self.drops_column(name));
        if !self.key().is_empty() && !self.drops_constraint("PRIMARY") && stays(self.key()) {
            return self.key();
        }
        let refuses_null = |name: &String| self.column(name).is_some_and(|known| known.not_null);
        let mut unique = self.indexes().iter().filter(|index| {
            index.unique && index.columns.iter().all(refuses_null) && !self.drops_index(index)
        });
        let next = unique.find(|index| stays(&index.columns));
        next.map(|index| index.columns.as_slice()).unwrap_or_default()
    }

    /// What becomes of the order of the rows when what orders them goes: MariaDB takes the next key for it.
    pub(super) fn reorders(&self, case: Case) -> Case {
        let (old, new) = (self.order(), self.next_order());
        let same =
            old.len() == new.len() && old.iter().zip(new).all(|(old, new)| self.same(old, new));
        let there = !old.is_empty() && !new.is_empty();
        case.fact("same-order", there && same).fact("next-order", there && !same)
    }

    /// Whether a foreign key of the table that stays changes its rows: ON DELETE CASCADE and the like.
    pub(super) fn has_acting_key(&self) -> bool {
        let acts = |definition: &str| {
            let upper = definition.to_ascii_uppercase();
            ["CASCADE", "SET NULL", "SET DEFAULT"].iter().any(|action| upper.contains(action))
        };
        self.constraints()
            .any(|key| key.kind == ConstraintKind::ForeignKey && acts(&key.definition))
    }

    /// Whether a FULLTEXT index is there, and stays.
    pub(super) fn has_fulltext(&self) -> bool {
        self.has_kind("FULLTEXT")
    }

    fn drops_fulltext(&self) -> bool {
        let fulltext = |index: &&Index| index.kind.as_deref() == Some("FULLTEXT");
        let mut all = self.indexes().iter().filter(fulltext).peekable();
        all.peek().is_some() && all.all(|index| self.goes(index))
    }

    fn has_generated(&self, mode: Generated) -> bool {
        let stays = |column: &&Column| !self.drops_column(&column.name);
        self.known
            .into_iter()
            .flat_map(|known| &known.columns)
            .filter(stays)
            .any(|column| self.generated(column) == Some(mode))
    }

    fn has_indexed_virtual(&self) -> bool {
        self.indexes().iter().filter(|index| !self.goes(index)).any(|index| {
            let mut columns = index.columns.iter().filter_map(|name| self.column(name));
            columns.any(|column| self.generated(column) == Some(Generated::Virtual))
        })
    }

    /// Where a column's values are, when it is generated.
    pub(super) fn generated(&self, column: &Column) -> Option<Generated> {
        let text = column.generated.as_deref()?;
        let stored = self.known.into_iter().flat_map(|known| &known.storage.stored);
        let is_listed = stored.into_iter().any(|name| self.same(name, &column.name));
        Some(if is_listed { Generated::Stored } else { Generated::written(text) })
    }

    /// Whether the expression of a generated column, a check or a partitioning names a column.
    pub(super) fn names(&self, expression: &str, column: &str) -> bool {
        let lexemes = acting(expression, self.server.engine).lexemes;
        lexemes.iter().any(|lexeme| match &lexeme.token {
            sqlparser::tokenizer::Token::Word(word) => self.same(&word.value, column),
            _ => false,
        })
    }

    /// Whether a foreign key of another table points at the column.
    pub(super) fn is_referenced(&self, column: &str) -> bool {
        let points = |constraint: &Constraint| {
            constraint.kind == ConstraintKind::ReferencedBy
                && constraint.columns.iter().any(|name| self.same(name, column))
        };
        self.constraints().any(points)
    }

    /// Whether a foreign key of this table that stays goes over the column.
    pub(super) fn refers(&self, column: &str) -> bool {
        let goes_over = |constraint: &Constraint| {
            constraint.kind == ConstraintKind::ForeignKey
                && !self.drops_constraint(&constraint.name)
                && constraint.columns.iter().any(|name| self.same(name, column))
        };
        self.constraints().any(goes_over)
    }
}

/// Where the values of a generated column are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Generated {
    /// Worked out when they are read.
    Virtual,
    /// In the rows.
    Stored,
}

impl Generated {
    /// What a written `(expr) STORED` says.
    pub(super) fn written(text: &str) -> Self {
        if text.ends_with(" STORED") { Self::Stored } else { Self::Virtual }
    }
}
