//! What rules are asked, and what they answer.

use std::cell::OnceCell;
use std::ops::Range;
use std::rc::Rc;

use super::LintedStatement;
use super::finding::{Fix, Severity};
use super::migration::{MigrationSubject, Part};
use crate::model::name::TableName;
use crate::model::phase::Phase;
use crate::model::server::{Engine, Server};
use crate::sql::catalog::{Catalog, Column, Table};
use crate::sql::change::{Change, Located};
use crate::sql::effect::{Blocks, Effect};
use crate::sql::estimate::Estimate;
use crate::sql::quote;
use crate::sql::replay::Names;
use crate::sql::span::Places;
use crate::sql::split::SourceStatement;

/// How a rule is asked.
#[derive(Clone, Copy, Debug)]
pub(super) enum Check {
    /// About each change of a statement.
    Change(ChangeCheck),
    /// About all statements of a file, after the last: what spans a transaction, or what a later statement mends.
    File(FileCheck),
    /// About a migration as a whole.
    Migration(MigrationCheck),
    /// Somebody else finds what it reports.
    Elsewhere,
}

/// Answers about a change.
pub(super) type ChangeCheck = fn(&Subject<'_>) -> Vec<Report>;

/// Answers about a file.
pub(super) type FileCheck = fn(&FileSubject<'_>) -> Vec<Placed>;

/// Answers about a migration.
pub(super) type MigrationCheck = fn(&MigrationSubject<'_>) -> Vec<Part>;

/// What a rule is asked about: one change of a statement.
#[derive(Debug)]
pub(super) struct Subject<'a> {
    /// The change, and its clause.
    pub(super) located: &'a Located,
    /// What the change costs alone.
    pub(super) effect: &'a Effect,
    /// How long that takes, when the size of the table is known: prints itself as `about 40 s on 12 GB`.
    pub(super) estimate: Option<Estimate>,
    /// What the statement costs.
    pub(super) whole: &'a Effect,
    /// Which of the statement's changes it is.
    pub(super) number: usize,
    /// All changes of the statement.
    pub(super) changes: &'a [Located],
    /// The statement.
    pub(super) source: &'a SourceStatement,
    /// The phase in which it runs.
    pub(super) phase: Phase,
    /// For which server.
    pub(super) server: Server,
    /// How tables are called.
    pub(super) names: &'a Names,
    /// The schema before the statement.
    pub(super) catalog: &'a Catalog,
    /// Tables for which the migration declares a backfill.
    pub(super) backfilled: &'a [TableName],
    /// Whether the tool that runs the file puts all of it into one transaction.
    pub(super) transaction: bool,
    /// The types of the columns that the change makes, as catalogs spell them, once a rule has asked.
    pub(super) types: OnceCell<Vec<String>>,
}

/// What a rule is asked about: all statements of a file.
#[derive(Debug)]
pub(super) struct FileSubject<'a> {
    /// In their order, with what they cost at their places; without most of those that are about rows alone.
    pub(super) statements: &'a [Rc<LintedStatement>],
    /// Whether the tool that runs the file puts all of it into one transaction.
    pub(super) transaction: bool,
    /// For which database.
    pub(super) engine: Engine,
    /// How tables are called.
    pub(super) names: &'a Names,
    /// The schema behind the last statement.
    pub(super) catalog: &'a Catalog,
}

/// What a rule has to say.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// What is wrong.
    pub(super) message: String,
    /// What to do: one imperative sentence.
    pub(super) help: String,
    /// A text that makes it go away.
    pub(super) fix: Option<Fix>,
    /// A finding that is never worse than this.
    pub(super) at_most: Option<Severity>,
    /// The column that it is about, by which a CREATE TABLE is searched for its place.
    pub(super) column: Option<String>,
    /// A finding that does not stand if a later statement of the file makes this again.
    pub(super) unless_made: Option<Object>,
}

/// Something that a statement can make or take away.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Object {
    /// A table.
    Table(TableName),
    /// A view, materialized or not, by its own name.
    View(String),
    /// A function or procedure, by its own name.
    Routine(String),
}

impl Object {
    /// What a change makes.
    pub(super) fn made_by(change: &Change) -> Option<Self> {
        match change {
            Change::CreateTable { table, .. } => Some(Self::Table(table.clone())),
            Change::Act(act) => {
                let name = act.object.as_ref().or(act.tables.first())?.name.clone();
                match act.kind {
                    "create_view" | "create_materialized_view" => Some(Self::View(name)),
                    "create_function" => Some(Self::Routine(name)),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

/// What a rule has to say about a statement of a file.
#[derive(Debug)]
pub(super) struct Placed {
    /// Which statement.
    pub(super) statement: usize,
    /// Which of its changes; none: the statement.
    pub(super) change: Option<usize>,
    /// What.
    pub(super) report: Report,
}

impl Subject<'_> {
    /// The table as people know it.
    pub(super) fn show(&self, table: &TableName) -> String {
        self.names.show(table)
    }

    /// How long it takes on the table at hand, to be put behind a sentence: `, about 40 s on 12 GB`. Empty when its size
    /// is not known.
    pub(super) fn takes(&self) -> String {
        self.estimate.map(|estimate| format!(", {estimate}")).unwrap_or_default()
    }

    /// What is known of a table.
    pub(super) fn known(&self, table: &TableName) -> Option<&Table> {
        self.catalog.tables.get(table)
    }

    /// What is known of a column.
    pub(super) fn column(&self, table: &TableName, column: &str) -> Option<&Column> {
        let same = |known: &&Column| self.server.engine.same_name(&known.name, column);
        self.known(table)?.columns.iter().find(same)
    }

    /// Whether nobody uses a table yet: it was made in the same release (or by this very statement), or is temporary.
    pub(super) fn is_new(&self, table: &TableName) -> bool {
        // What CREATE TABLE makes beside the table follows it.
        let makes = |located: &Located| matches!(&located.change, Change::CreateTable { table: made, .. } if made == table);
        self.known(table).is_some_and(|known| known.is_new)
            || self.changes.first().is_some_and(makes)
    }

    /// Whether no old build knows a column: the same release, or this very statement, adds it.
    pub(super) fn is_new_column(&self, table: &TableName, name: &str) -> bool {
        let adds = |located: &Located| {
            matches!(&located.change, Change::AddColumn { table: at, column, .. }
                if at == table && self.server.engine.same_name(&column.name, name))
        };
        self.column(table, name).is_some_and(|known| known.is_new)
            || (self.changes.len() < 100 && self.changes.iter().any(adds))
    }

    /// What others meet while the statement works, and for how long, in words that follow `: meanwhile`.
    pub(super) fn waiting(&self) -> String {
        let who = match self.blocks() {
            Blocks::ReadsAndWrites => "nobody reads or writes it",
            Blocks::Writes => "every write waits, and others can only read",
            Blocks::Ddl | Blocks::Nothing => "others read and write",
        };
        format!("{who}{}", self.takes())
    }

    /// Whether the change keeps writers waiting while the server reads or writes a whole table.
    pub(super) fn blocks_for_long(&self) -> bool {
        let works = !self.effect.rewrites.is_empty() || !self.effect.scans.is_empty();
        self.blocks() >= Blocks::Writes && works
    }

    /// Whom the change keeps waiting in its statement: on MySQL and MariaDB a clause can cost less than it would alone
    /// (`DROP PRIMARY KEY, ADD PRIMARY KEY (b)`).
    fn blocks(&self) -> Blocks {
        self.effect.blocks.min(self.whole.blocks)
    }

    /// Whether a fix may put other statements in this one's place: it stands alone, and makes one change.
    pub(super) fn is_alone(&self) -> bool {
        self.source.group.is_none() && !self.transaction && self.changes.len() == 1
    }

    /// The statement replaced by others.
    pub(super) fn replaced(&self, text: String) -> Fix {
        Fix::Edit { span: self.source.span, text }
    }

    /// A text put in at a byte of the statement.
    pub(super) fn inserted(&self, at: usize, text: &str) -> Fix {
        let span = Places::within(&self.source.sql, self.source.span).span(at, at);
        Fix::Edit { span, text: text.to_owned() }
    }

    /// A table's name in SQL: as short as the search path allows.
    pub(super) fn quoted(&self, table: &TableName) -> String {
        let shown = self.show(table);
        if shown == table.name && table.schema.is_some() {
            return quote::ident(self.server.engine, &table.name);
        }
        quote::table(self.server.engine, table)
    }

    /// Names of columns in SQL.
    pub(super) fn idents(&self, names: &[String]) -> String {
        let quoted: Vec<_> = names.iter().map(|name| self.ident(name)).collect();
        quoted.join(", ")
    }

    /// A name in SQL.
    pub(super) fn ident(&self, name: &str) -> String {
        quote::ident(self.server.engine, name)
    }
}

impl FileSubject<'_> {
    /// The statements that run in one transaction, transaction by transaction.
    pub(super) fn transactions(&self) -> Vec<Range<usize>> {
        if self.transaction {
            return std::iter::once(0..self.statements.len()).collect();
        }
        let group = |at: usize| self.statements.get(at).and_then(|known| known.source.group);
        let mut found = Vec::new();
        let mut start = 0;
        for end in 1..=self.statements.len() {
            if group(end) != group(start) || end == self.statements.len() {
                if group(start).is_some() {
                    found.push(start..end);
                }
                start = end;
            }
        }
        found
    }

    /// Every change with its places: statement and change.
    pub(super) fn changes(&self) -> impl Iterator<Item = ((usize, usize), &Change)> {
        self.statements.iter().enumerate().flat_map(|(statement, linted)| {
            let changes = linted.changes.iter().enumerate();
            changes.map(move |(change, located)| ((statement, change), &located.change))
        })
    }

    /// The changes of some statements, with their places.
    pub(super) fn changes_of(
        &self,
        statements: Range<usize>,
    ) -> impl Iterator<Item = ((usize, usize), &Change)> {
        let first = statements.start;
        let found = self.statements.get(statements).unwrap_or_default();
        found.iter().enumerate().flat_map(move |(statement, linted)| {
            let changes = linted.changes.iter().enumerate();
            changes.map(move |(change, located)| ((first + statement, change), &located.change))
        })
    }
}

impl Report {
    /// A message and what to do.
    pub(super) fn new(message: String, help: impl Into<String>) -> Self {
        Self { message, help: help.into(), ..Self::default() }
    }

    /// With a fix, if there is one.
    pub(super) fn with_fix(self, fix: Option<Fix>) -> Self {
        Self { fix, ..self }
    }

    /// Never worse than this.
    pub(super) fn at_most(self, severity: Severity) -> Self {
        Self { at_most: Some(severity), ..self }
    }

    /// About a column of the change.
    pub(super) fn in_column(self, column: Option<&str>) -> Self {
        Self { column: column.map(str::to_owned), ..self }
    }

    /// Only if no later statement of the file makes it again.
    pub(super) fn unless_made(self, object: Object) -> Self {
        Self { unless_made: Some(object), ..self }
    }

    /// About a change of a statement.
    pub(super) fn at(self, (statement, change): (usize, usize)) -> Placed {
        Placed { statement, change: Some(change), report: self }
    }

    /// About a whole statement.
    pub(super) fn of_statement(self, statement: usize) -> Placed {
        Placed { statement, change: None, report: self }
    }
}
