//! Statements about rows: what they change, also inside WITH, and what they call.

use std::ops::ControlFlow;

use sqlparser::ast::{
    AssignmentTarget, Delete, Expr, FromTable, Insert, Merge, Select, SelectItem, SetExpr,
    Statement, TableFactor, TableObject, TableWithJoins, Update, Visit, Visitor,
};

use super::functions::is_known_function;
use super::reader::Reader;
use super::{opaque, reads};
use crate::model::name::TableName;
use crate::model::server::Engine;
use crate::sql::act::Act;
use crate::sql::change::{Change, InsertShape};

/// What a statement about rows does; at least one change.
pub(super) fn rows(reader: Reader<'_>, statement: &Statement) -> Vec<Change> {
    let mut found =
        Found { reader, is_query: matches!(statement, Statement::Query(_)), changes: Vec::new() };
    // It never breaks off.
    let _done: ControlFlow<()> = statement.visit(&mut found);
    if reader.engine == Engine::Postgres {
        let rows = reads::of_statement(reader, statement);
        if !rows.reads.is_empty() {
            let act = Act { reads: rows.reads, ..Act::new("read", "its query") };
            found.changes.push(Change::Act(Box::new(act)));
        }
    }
    if found.changes.is_empty() {
        found.changes.push(Change::Harmless);
    }
    found.changes
}

struct Found<'a> {
    reader: Reader<'a>,
    /// Whether it is there for its result, or for what its functions do.
    is_query: bool,
    changes: Vec<Change>,
}

impl Visitor for Found<'_> {
    type Break = ();

    fn pre_visit_statement(&mut self, statement: &Statement) -> ControlFlow<()> {
        let change = match statement {
            Statement::Update(update) => self.update(update),
            Statement::Delete(delete) => self.delete(delete),
            Statement::Merge(Merge { table, .. }) => match self.factor(table) {
                Some(table) => Change::Update { table, filtered: true, columns: Vec::new() },
                None => opaque("MERGE into something that is not a table"),
            },
            Statement::Insert(insert) => match &insert.table {
                TableObject::TableName(name) => Change::Insert {
                    table: self.reader.object(name),
                    shape: shape(insert),
                    columns: insert
                        .columns
                        .iter()
                        .map(|name| self.reader.object(name).name)
                        .collect(),
                    rows: Vec::new(),
                },
                TableObject::TableFunction(_) | TableObject::TableQuery(_) => {
                    opaque("INSERT into something that is not a table")
                }
            },
            Statement::Query(_) => return ControlFlow::Continue(()),
            _ => opaque("a statement stands inside another"),
        };
        self.changes.push(change);
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        if let Some(into) = &select.into
            && let Some(target) = into.targets.first().and_then(|target| self.target(target))
        {
            self.changes.push(Change::CreateTable {
                table: target,
                columns: Vec::new(),
                key: Vec::new(),
                if_not_exists: false,
                temporary: into.temporary,
                options: String::new(),
                origin: Box::default(),
            });
        }
        // `SELECT f();` is the way to call a function for what it does.
        let calls = select.projection.iter().filter_map(|item| match item {
            SelectItem::UnnamedExpr(Expr::Function(call)) => Some(self.reader.object(&call.name)),
            _ => None,
        });
        let unknown = calls.filter(|name| {
            self.is_query && select.from.is_empty() && !is_known_function(name, self.reader.engine)
        });
        let unknown: Vec<_> = unknown
            .map(|name| match self.reader.engine {
                // Its text may be known.
                Engine::Postgres => {
                    Change::Act(Box::new(Act::new("call", format!("SELECT {name}()")).about(name)))
                }
                Engine::MySql | Engine::MariaDb => opaque(can_do_anything(&name)),
            })
            .collect();
        self.changes.extend(unknown);
        ControlFlow::Continue(())
    }
}

impl Found<'_> {
    fn factor(&self, factor: &TableFactor) -> Option<TableName> {
        match factor {
            TableFactor::Table { name, args: None, .. } => Some(self.reader.object(name)),
            _ => None,
        }
    }

    fn target(&self, target: &Expr) -> Option<TableName> {
        match target {
            Expr::Identifier(ident) => Some(TableName::bare(self.reader.ident(ident))),
            Expr::CompoundIdentifier(parts) => {
                let mut parts = parts.iter().rev().map(|part| self.reader.ident(part));
                let name = parts.next()?;
                Some(TableName { schema: parts.next(), name })
            }
            _ => None,
        }
    }

    /// The columns that an UPDATE sets.
    fn set(&self, update: &Update) -> Vec<String> {
        let targets = update.assignments.iter().flat_map(|assignment| match &assignment.target {
            AssignmentTarget::ColumnName(name) => vec![self.reader.object(name).name],
            AssignmentTarget::Tuple(names) => {
                names.iter().map(|name| self.reader.object(name).name).collect()
            }
        });
        targets.collect()
    }

    fn update(&self, update: &Update) -> Change {
        let filtered = update.selection.is_some() || update.limit.is_some();
        match self.factor(&update.table.relation) {
            Some(table) => Change::Update { table, filtered, columns: self.set(update) },
            None => opaque("UPDATE of something that is not a table"),
        }
    }

    /// MySQL can name the tables whose rows go in front of FROM, by their aliases.
    fn delete(&self, delete: &Delete) -> Change {
        let filtered = delete.selection.is_some() || delete.limit.is_some();
        let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
        let first = delete.tables.first().map(|name| self.reader.object(name));
        let table = match first {
            Some(name) => self.behind_alias(&name, from).or(Some(name)),
            None => from.first().and_then(|table| self.factor(&table.relation)),
        };
        match table {
            Some(table) => Change::Delete { table, filtered },
            None => opaque("DELETE from something that is not a table"),
        }
    }

    fn behind_alias(&self, alias: &TableName, from: &[TableWithJoins]) -> Option<TableName> {
        let joined = from.iter().flat_map(|table| {
            std::iter::once(&table.relation).chain(table.joins.iter().map(|join| &join.relation))
        });
        joined.into_iter().find_map(|factor| match factor {
            TableFactor::Table { name, alias: Some(known), .. }
                if self.reader.ident(&known.name) == alias.name =>
            {
                Some(self.reader.object(name))
            }
            _ => None,
        })
    }
}

/// An INSERT behind WITH.
fn shape(insert: &Insert) -> InsertShape {
    let body = insert.source.as_ref().map(|query| query.body.as_ref());
    InsertShape {
        unnamed: insert.columns.is_empty() && body.is_some(),
        queried: body.is_some_and(|body| !matches!(body, SetExpr::Values(_))),
    }
}

/// Why a call is not understood.
pub(in crate::sql) fn can_do_anything(function: &TableName) -> String {
    format!("it calls function \"{function}\", which can do anything")
}
