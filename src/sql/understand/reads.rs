//! What a query or a statement about rows reads and writes.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, Expr, FromTable, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr,
    Merge, ObjectName, OrderByKind, Query, Select, SelectItem, SetExpr, Statement, TableFactor,
    TableObject, TableWithJoins, UnaryOperator, Visit, Visitor,
};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use super::reader::Reader;
use crate::model::name::TableName;
use crate::sql::act::{Comparison, Limit, Read};

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
        let read = table.map(Read::whole);
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
    let mut found = Found {
        reader,
        scopes: Vec::new(),
        rows: Rows::default(),
        first_rows: false,
        is_asked_for: false,
        order: None,
        ends: None,
    };
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
        rows.reads.extend(table.map(Read::whole));
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
                rows.reads.push(Read { for_update, ..Read::whole(table) });
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
    /// Whether the query needs the first rows of its table alone.
    first_rows: bool,
    /// Whether it is only asked whether the next query has a row.
    is_asked_for: bool,
    /// The column by whose order the query wants its first rows.
    order: Option<String>,
    /// The column of which the query wants the greatest or least value.
    ends: Option<String>,
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
        let asked = query.limit_clause.is_some() || query.fetch.is_some() || self.is_asked_for;
        self.is_asked_for = false;
        let first = asked && gives_first_rows(query);
        self.first_rows = first && query.order_by.is_none();
        self.order = ordered_by(query).filter(|_| first).and_then(|by| self.name_of(by));
        self.set(&query.body, locked.as_deref());
        self.first_rows = false;
        self.order = None;
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
        match expression {
            Expr::Function(call) => self.call(&call.name),
            Expr::Exists { .. } => self.is_asked_for = true,
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

impl Found<'_> {
    fn name_of(&self, column: &Expr) -> Option<String> {
        match column {
            Expr::Identifier(name) => Some(self.reader.ident(name)),
            Expr::CompoundIdentifier(parts) => parts.last().map(|name| self.reader.ident(name)),
            _ => None,
        }
    }

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
                    self.read(TableName { schema, name: name.clone() }, false, Compared::default());
                }
            }
            // A query in parentheses is visited by itself, as are statements that change rows.
            _ => {}
        }
    }

    fn select(&mut self, select: &Select, locked: Option<&[String]>) {
        let tables: Vec<_> = select.from.iter().collect();
        self.ends = end_of(select).and_then(|column| self.name_of(column));
        self.tables(&tables, select.selection.as_ref(), locked);
        self.ends = None;
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
                let mut compared = Compared::default();
                if let Some(condition) = condition {
                    self.compared(condition, &known_as, &mut compared);
                }
                compared.by.extend(self.ends.clone().or_else(|| self.order.clone()));
                self.read(table, for_update, compared);
            }
            TableFactor::Table { name, args: Some(_), .. } => self.call(name),
            TableFactor::NestedJoin { table_with_joins, .. } => {
                self.tables(&[table_with_joins.as_ref()], condition, locked);
            }
            _ => {}
        }
    }

    fn read(&mut self, table: TableName, for_update: bool, compared: Compared) {
        let is_with =
            table.schema.is_none() && self.scopes.iter().flatten().any(|name| *name == table.name);
        if !is_with {
            let (by, limits) = (compared.by, compared.limits);
            let first_rows = self.first_rows;
            self.rows.reads.push(Read { table, for_update, by, limits, first_rows });
        }
    }

    fn write(&mut self, factor: &TableFactor) {
        if let TableFactor::Table { name, args: None, .. } = factor {
            self.rows.writes.push(self.reader.object(name));
        }
    }

    /// What a condition says of a table's columns (as the table is known here), compared with values.
    fn compared(&self, condition: &Expr, known_as: &str, found: &mut Compared) {
        use BinaryOperator::{Eq, Gt, GtEq, Lt, LtEq};
        let mut note = |column: Option<String>, comparison: Comparison, values: &[&Expr]| {
            let Some(column) = column else { return };
            if comparison == Comparison::OneOf {
                found.by.push(column.clone());
            }
            let values: Option<Vec<_>> = values.iter().map(|value| plain(value)).collect();
            found.limits.extend(values.map(|values| Limit { column, comparison, values }));
        };
        match condition {
            Expr::Nested(inner) => self.compared(inner, known_as, found),
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
                self.compared(left, known_as, found);
                self.compared(right, known_as, found);
            }
            Expr::BinaryOp { left, op: op @ (Eq | Gt | GtEq | Lt | LtEq), right } => {
                let (as_written, turned) = match op {
                    Gt => (Comparison::Above, Comparison::Below),
                    GtEq => (Comparison::From, Comparison::UpTo),
                    Lt => (Comparison::Below, Comparison::Above),
                    LtEq => (Comparison::UpTo, Comparison::From),
                    _ => (Comparison::OneOf, Comparison::OneOf),
                };
                if is_value(right) {
                    note(self.column(left, known_as), as_written, &[right.as_ref()]);
                } else if is_value(left) {
                    note(self.column(right, known_as), turned, &[left.as_ref()]);
                }
            }
            Expr::InList { expr, list, negated: false } if list.iter().all(is_value) => {
                let values: Vec<_> = list.iter().collect();
                note(self.column(expr, known_as), Comparison::OneOf, &values);
            }
            Expr::Between { expr, negated: false, low, high }
                if is_value(low) && is_value(high) =>
            {
                note(self.column(expr, known_as), Comparison::From, &[low.as_ref()]);
                note(self.column(expr, known_as), Comparison::UpTo, &[high.as_ref()]);
                found.by.extend(self.column(expr, known_as));
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

/// What is known of a table's columns.
#[derive(Default)]
struct Compared {
    by: Vec<String>,
    limits: Vec<Limit>,
}

/// A value as it is, without quotes; `None` when it is worked out.
fn plain(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Value(_) | Expr::TypedString(_) => {
            let text = expression.to_string();
            let quoted = text.split_once('\'').and_then(|(_, rest)| rest.rsplit_once('\''));
            Some(quoted.map_or(text.clone(), |(inside, _)| inside.replace("''", "'")))
        }
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => Some(format!("-{}", plain(expr)?)),
        Expr::Cast { expr, .. } | Expr::Nested(expr) => plain(expr),
        _ => None,
    }
}

/// Whether a query gives the first rows that it meets, be it that it has a limit.
fn gives_first_rows(query: &Query) -> bool {
    let SetExpr::Select(select) = query.body.as_ref() else { return false };
    let plain_item = |item: &SelectItem| match item {
        SelectItem::UnnamedExpr(expression) => {
            !matches!(expression, Expr::Function(_)) && !has_call(expression)
        }
        SelectItem::ExprWithAlias { expr, .. } => !has_call(expr),
        _ => true,
    };
    select.selection.is_none()
        && select.having.is_none()
        && select.distinct.is_none()
        && select.from.len() == 1
        && select.from.iter().all(|table| table.joins.is_empty())
        && matches!(&select.group_by, GroupByExpr::Expressions(list, _) if list.is_empty())
        && select.projection.iter().all(plain_item)
}

/// The column that a query is ordered by first.
fn ordered_by(query: &Query) -> Option<&Expr> {
    match &query.order_by.as_ref()?.kind {
        OrderByKind::Expressions(list) => list.first().map(|first| &first.expr),
        OrderByKind::All(_) => None,
    }
}

/// Whether a function, which may be an aggregate, is called in an expression.
fn has_call(expression: &Expr) -> bool {
    expression.to_string().contains('(')
}

/// The column of which a query wants the greatest or least value, and nothing else.
fn end_of(select: &Select) -> Option<&Expr> {
    let [item] = select.projection.as_slice() else { return None };
    let (SelectItem::UnnamedExpr(expression) | SelectItem::ExprWithAlias { expr: expression, .. }) =
        item
    else {
        return None;
    };
    let Expr::Function(call) = expression else { return None };
    let name = call.name.to_string().to_ascii_lowercase();
    let alone = select.selection.is_none()
        && select.from.len() == 1
        && select.from.iter().all(|table| table.joins.is_empty())
        && matches!(&select.group_by, GroupByExpr::Expressions(list, _) if list.is_empty());
    let FunctionArguments::List(list) = &call.args else { return None };
    let [FunctionArg::Unnamed(FunctionArgExpr::Expr(argument))] = list.args.as_slice() else {
        return None;
    };
    (alone && matches!(name.as_str(), "max" | "min")).then_some(argument)
}

/// Whether an expression names no column of the same query.
fn is_value(expression: &Expr) -> bool {
    match expression {
        Expr::Value(_) | Expr::TypedString(_) | Expr::Subquery(_) => true,
        Expr::Cast { expr, .. } | Expr::UnaryOp { expr, .. } | Expr::Nested(expr) => is_value(expr),
        _ => false,
    }
}
