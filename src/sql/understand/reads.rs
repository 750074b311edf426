//! What a query or a statement about rows reads and writes.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, Expr, FromTable, Merge, ObjectName, Query, Select, SetExpr, Statement,
    TableFactor, TableObject, TableWithJoins, Visit, Visitor,
};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use super::reader::Reader;
use crate::model::name::TableName;
use crate::sql::act::Read;

/// The tables that a statement reads and writes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Rows {
    /// Tables and views that are read.
    pub(super) reads: Vec<Read>,
    /// Tables that get, change or lose rows.
    pub(super) writes: Vec<TableName>,
    /// Functions that are called.
    pub(super) calls: Vec<TableName>,
}

/// Of a whole statement; by the words FROM and JOIN when it cannot be parsed.
pub(super) fn of(reader: Reader<'_>) -> Rows {
    let mut words = reader;
    if words.eat("TABLE") {
        let table = words.table();
        let read = table.map(|table| Read { table, for_update: false, by: Vec::new() });
        return Rows { reads: read.into_iter().collect(), ..Rows::default() };
    }
    match reader.parse(Parser::parse_statement) {
        Some(statement) => of_statement(reader, &statement),
        None => by_words(reader),
    }
}

/// Of a condition.
pub(super) fn of_expression(reader: Reader<'_>) -> Rows {
    let Some(expression) = reader.parse(Parser::parse_expr) else { return by_words(reader) };
    collect(reader, &expression)
}

/// Of an INSERT, which is parsed only if it has a query: its rows can be many.
pub(super) fn of_insert(reader: Reader<'_>) -> Rows {
    let has_query = ["SELECT", "TABLE", "WITH"].iter().any(|word| reader.has_word(word));
    if has_query { of(reader) } else { Rows::default() }
}

/// Of what sqlparser has read.
pub(super) fn of_statement(reader: Reader<'_>, statement: &Statement) -> Rows {
    collect(reader, statement)
}

fn collect(reader: Reader<'_>, tree: &impl Visit) -> Rows {
    let mut found = Found { reader, scopes: Vec::new(), rows: Rows::default() };
    // It never breaks off.
    let _done: ControlFlow<()> = tree.visit(&mut found);
    found.rows
}

fn by_words(mut reader: Reader<'_>) -> Rows {
    let mut rows = Rows::default();
    // sqlparser does not know FOR NO KEY UPDATE and FOR KEY SHARE.
    let for_update = reader.rest.windows(2).any(|pair| {
        let [first, second] = pair else { return false };
        first.is_word("FOR")
            && ["UPDATE", "SHARE", "NO", "KEY"].iter().any(|word| second.is_word(word))
    });
    if reader.eat("UPDATE") {
        let _only: bool = reader.eat("ONLY");
        let table = reader.table();
        rows.reads.extend(table.map(|table| Read { table, for_update: false, by: Vec::new() }));
    }
    while !reader.is_empty() {
        if !reader.eat_any(&["FROM", "JOIN", "USING"]) {
            reader.skip();
            continue;
        }
        let _only: bool = reader.eat("ONLY");
        while let Some(table) = reader.table() {
            let is_call = reader.rest.first().is_some_and(|next| next.token == Token::LParen);
            if !is_call {
                rows.reads.push(Read { table, for_update, by: Vec::new() });
            }
            if !reader.eat_token(&Token::Comma) {
                break;
            }
        }
    }
    rows
}

struct Found<'a> {
    reader: Reader<'a>,
    /// Names of WITH, which are no tables, from the outermost query on.
    scopes: Vec<Vec<String>>,
    rows: Rows,
}

impl Visitor for Found<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let names = query.with.iter().flat_map(|with| &with.cte_tables);
        self.scopes.push(names.map(|cte| self.reader.ident(&cte.alias.name)).collect());
        let mut locked = None;
        for lock in &query.locks {
            let of = lock.of.iter().map(|name| self.reader.object(name).name);
            locked.get_or_insert_with(Vec::new).extend(of);
        }
        self.set(&query.body, locked.as_deref());
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &Query) -> ControlFlow<()> {
        self.scopes.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_statement(&mut self, statement: &Statement) -> ControlFlow<()> {
        match statement {
            Statement::Update(update) => {
                let mut tables = vec![&update.table];
                tables.extend(match &update.from {
                    Some(
                        sqlparser::ast::UpdateTableFromKind::BeforeSet(from)
                        | sqlparser::ast::UpdateTableFromKind::AfterSet(from),
                    ) => from.iter().collect::<Vec<_>>(),
                    None => Vec::new(),
                });
                self.write(&update.table.relation);
                self.tables(&tables, update.selection.as_ref(), None);
            }
            Statement::Delete(delete) => {
                let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) =
                    &delete.from;
                if let Some(first) = from.first() {
                    self.write(&first.relation);
                }
                let mut tables: Vec<_> = from.iter().collect();
                tables.extend(delete.using.iter().flatten());
                self.tables(&tables, delete.selection.as_ref(), None);
            }
            Statement::Merge(Merge { table, source, .. }) => {
                self.write(table);
                self.factor(table, None, None);
                self.factor(source, None, None);
            }
            Statement::Insert(insert) => {
                if let TableObject::TableName(name) = &insert.table {
                    self.rows.writes.push(self.reader.object(name));
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        if let Expr::Function(call) = expression {
            self.call(&call.name);
        }
        ControlFlow::Continue(())
    }
}

impl Found<'_> {
    fn call(&mut self, name: &ObjectName) {
        self.rows.calls.push(self.reader.object(name));
    }

    fn set(&mut self, body: &SetExpr, locked: Option<&[String]>) {
        match body {
            SetExpr::Select(select) => self.select(select, locked),
            SetExpr::SetOperation { left, right, .. } => {
                self.set(left, locked);
                self.set(right, locked);
            }
            SetExpr::Table(table) => {
                if let Some(name) = &table.table_name {
                    let schema = table.schema_name.clone();
                    self.read(TableName { schema, name: name.clone() }, false, Vec::new());
                }
            }
            // A query in parentheses is visited by itself, as are statements that change rows.
            _ => {}
        }
    }

    fn select(&mut self, select: &Select, locked: Option<&[String]>) {
        let tables: Vec<_> = select.from.iter().collect();
        self.tables(&tables, select.selection.as_ref(), locked);
    }

    fn tables(
        &mut self,
        tables: &[&TableWithJoins],
        condition: Option<&Expr>,
        locked: Option<&[String]>,
    ) {
        for table in tables {
            self.factor(&table.relation, condition, locked);
            for join in &table.joins {
                self.factor(&join.relation, condition, locked);
            }
        }
    }

    fn factor(
        &mut self,
        factor: &TableFactor,
        condition: Option<&Expr>,
        locked: Option<&[String]>,
    ) {
        match factor {
            TableFactor::Table { name, alias, args: None, .. } => {
                let table = self.reader.object(name);
                let known_as = alias.as_ref().map(|alias| self.reader.ident(&alias.name));
                let known_as = known_as.unwrap_or_else(|| table.name.clone());
                let for_update =
                    locked.is_some_and(|names| names.is_empty() || names.contains(&known_as));
                let mut by = Vec::new();
                if let Some(condition) = condition {
                    self.compared(condition, &known_as, &mut by);
                }
                self.read(table, for_update, by);
            }
            TableFactor::Table { name, args: Some(_), .. } => self.call(name),
            TableFactor::NestedJoin { table_with_joins, .. } => {
                self.tables(&[table_with_joins.as_ref()], condition, locked);
            }
            _ => {}
        }
    }

    fn read(&mut self, table: TableName, for_update: bool, by: Vec<String>) {
        let is_with =
            table.schema.is_none() && self.scopes.iter().flatten().any(|name| *name == table.name);
        if !is_with {
            self.rows.reads.push(Read { table, for_update, by });
        }
    }

    fn write(&mut self, factor: &TableFactor) {
        if let TableFactor::Table { name, args: None, .. } = factor {
            self.rows.writes.push(self.reader.object(name));
        }
    }

    /// The columns of a table (as it is known here) that a condition compares with values.
    fn compared(&self, condition: &Expr, known_as: &str, by: &mut Vec<String>) {
        match condition {
            Expr::Nested(inner) => self.compared(inner, known_as, by),
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
                self.compared(left, known_as, by);
                self.compared(right, known_as, by);
            }
            Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
                if is_value(right) {
                    by.extend(self.column(left, known_as));
                } else if is_value(left) {
                    by.extend(self.column(right, known_as));
                }
            }
            Expr::InList { expr, list, negated: false } if list.iter().all(is_value) => {
                by.extend(self.column(expr, known_as));
            }
            Expr::Between { expr, negated: false, low, high }
                if is_value(low) && is_value(high) =>
            {
                by.extend(self.column(expr, known_as));
            }
            _ => {}
        }
    }

    fn column(&self, expression: &Expr, known_as: &str) -> Option<String> {
        match expression {
            Expr::Identifier(name) => Some(self.reader.ident(name)),
            Expr::CompoundIdentifier(parts) => {
                let [.., table, column] = parts.as_slice() else { return None };
                (self.reader.ident(table) == known_as).then(|| self.reader.ident(column))
            }
            Expr::Nested(inner) => self.column(inner, known_as),
            _ => None,
        }
    }
}

/// Whether an expression names no column of the same query.
fn is_value(expression: &Expr) -> bool {
    match expression {
        Expr::Value(_) | Expr::TypedString(_) | Expr::Subquery(_) => true,
        Expr::Cast { expr, .. } | Expr::UnaryOp { expr, .. } | Expr::Nested(expr) => is_value(expr),
        _ => false,
    }
}
