//! Statements that sqlparser reads as a whole.

use std::collections::BTreeSet;

use sqlparser::ast::{CreateIndex, CreateTable, CreateTableLikeKind, IndexColumn, Statement};

use sqlparser::parser::Parser;

use super::column::{column, columns, constraint, kind_of_index};
use super::reader::Reader;
use super::{clauses, loose, mysql, opaque, postgres, postgres_alter, query, unread};
use crate::model::name::TableName;
use crate::model::server::Engine;
use crate::sql::change::{Change, IndexForm, Origin};
use crate::sql::tokens::Lexeme;

/// What a statement does, by sqlparser; by its parts where sqlparser cannot read the whole.
pub(super) fn by_parser(reader: Reader<'_>) -> Vec<Change> {
    if reader.engine.is_mysql_family()
        && let Some(changes) = mysql::create_table(reader).or_else(|| mysql::create_index(reader))
    {
        return changes;
    }
    // sqlparser takes ONLY for the name of a table.
    if let Some(changes) = without_only(reader) {
        return changes;
    }
    let parsed = reader.parse(Parser::parse_statement);
    match parsed.and_then(|statement| lower(reader, &statement)) {
        Some(changes) => changes,
        None => table_by_parts(reader)
            .or_else(|| index_without_kind(reader))
            .or_else(|| loose::statement(reader))
            .unwrap_or_else(|| vec![unread(reader, "it cannot be read as SQL")]),
    }
}

fn lower(reader: Reader<'_>, statement: &Statement) -> Option<Vec<Change>> {
    Some(match statement {
        Statement::CreateTable(_)
            if reader.engine == Engine::Postgres
                && reader.rest.windows(2).any(|pair| {
                    matches!(pair, [no, inherit] if no.is_word("NO") && inherit.is_word("INHERIT"))
                }) =>
        {
            // sqlparser reads that, and does not say so.
            return table_by_parts(reader);
        }
        Statement::CreateTable(create) => create_table(reader, create),
        Statement::CreateIndex(create) => vec![create_index(reader, create)],
        Statement::Query(_)
        | Statement::Update(_)
        | Statement::Delete(_)
        | Statement::Insert(_)
        | Statement::Merge(_) => query::rows(reader, statement),
        Statement::Explain { analyze: true, .. } => {
            vec![opaque("EXPLAIN ANALYZE executes its statement")]
        }
        Statement::Explain { .. } | Statement::ExplainTable { .. } => vec![Change::Harmless],
        Statement::Kill { .. } | Statement::Flush { .. } => return None,
        _ => return None,
    })
}

fn create_table(reader: Reader<'_>, create: &CreateTable) -> Vec<Change> {
    let table = reader.object(&create.name);
    let mut beside = Vec::new();
    let mut defs = Vec::new();
    for parsed in &create.columns {
        let (def, changes) = column(reader, &table, parsed);
        defs.push(def);
        beside.extend(changes);
    }
    beside
        .extend(create.constraints.iter().map(|parsed| constraint(reader, &table, parsed, false)));
    if reader.engine.is_mysql_family()
        && let Some(CreateTableLikeKind::Plain(like) | CreateTableLikeKind::Parenthesized(like)) =
            &create.like
    {
        let what = format!("CREATE TABLE {table} LIKE {}", reader.object(&like.name));
        beside.push(Change::Other { what });
    }
    let flags = (create.if_not_exists, create.temporary);
    new_table(reader, (table, defs), beside, flags)
}

/// CREATE TABLE and, unless it is temporary, what stands beside its columns.
pub(super) fn new_table(
    reader: Reader<'_>,
    (table, columns): (TableName, Vec<crate::sql::change::ColumnDef>),
    beside: Vec<Change>,
    (if_not_exists, temporary): (bool, bool),
) -> Vec<Change> {
    let (key, key_name) = beside.iter().find_map(primary_key).unwrap_or_default();
    let origin = match reader.engine {
        Engine::Postgres => postgres::origin(reader),
        Engine::MySql | Engine::MariaDb => Origin::default(),
    };
    let origin = Box::new(Origin { key_name, ..origin });
    let options = options(reader);
    let mut changes = vec![Change::CreateTable {
        table,
        columns,
        key,
        if_not_exists,
        temporary,
        options,
        origin,
    }];
    if !temporary {
        changes.extend(beside.into_iter().filter(|change| primary_key(change).is_none()));
    }
    changes
}

/// What follows the columns of a CREATE TABLE.
fn options(mut reader: Reader<'_>) -> String {
    while !reader.is_empty() && !reader.eat("TABLE") {
        reader.skip();
    }
    let _exists: bool = reader.eat("IF NOT EXISTS");
    let _name: Option<TableName> = reader.table();
    let _columns: Option<Reader<'_>> = reader.parenthesis();
    reader.text().to_owned()
}

/// The columns of a primary key, and its name.
fn primary_key(change: &Change) -> Option<(Vec<String>, Option<String>)> {
    use crate::sql::change::ConstraintDefKind::PrimaryKey;
    match change {
        Change::AddConstraint { constraint, .. }
            if matches!(constraint.kind, PrimaryKey { .. }) =>
        {
            Some((constraint.columns.clone(), constraint.name.clone()))
        }
        _ => None,
    }
}

fn create_index(reader: Reader<'_>, create: &CreateIndex) -> Change {
    Change::CreateIndex {
        table: reader.object(&create.table_name),
        index: create.name.as_ref().map(|name| reader.object(name).name),
        columns: columns(reader, &create.columns),
        unique: create.unique,
        concurrently: create.concurrently,
        kind: create.using.as_ref().and_then(kind_of_index),
        if_not_exists: create.if_not_exists,
        form: IndexForm {
            unnamed: false,
            only: false,
            condition: create.predicate.as_ref().map(ToString::to_string),
            partial: create.predicate.is_some(),
            include: !create.include.is_empty(),
            keys: keys(&create.columns),
        },
    }
}

/// The keys of an index as written, when one says more than its column.
fn keys(columns: &[IndexColumn]) -> Option<String> {
    let more = |key: &IndexColumn| {
        let order = &key.column.options;
        key.operator_class.is_some() || order.sort.is_some() || order.nulls_first.is_some()
    };
    let written = || columns.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    columns.iter().any(more).then(written)
}

/// What a statement says besides: that it is about the rows of a table ONLY, or about an index IF it is there.
pub(super) fn marks(reader: Reader<'_>) -> BTreeSet<&'static str> {
    let mut rest = reader;
    if reader.engine.is_mysql_family() {
        let index = reader.rest.iter().take(4).any(|lexeme| lexeme.is_word("INDEX"));
        let asks = index && reader.rest.iter().take(5).any(|lexeme| lexeme.is_word("IF"));
        let replaces = index && reader.rest.get(2).is_some_and(|third| third.is_word("REPLACE"));
        let said = [("if-exists", asks), ("of-mariadb", replaces)];
        return said.into_iter().filter(|(_, holds)| *holds).map(|(mark, _)| mark).collect();
    }
    if rest.eat("SELECT") {
        while !rest.is_empty() && !rest.eat("FROM") {
            rest.skip();
        }
    }
    let begins = rest.rest.len() < reader.rest.len();
    let only = (begins || rest.eat("UPDATE") || rest.eat("DELETE FROM")) && rest.word() == "ONLY";
    only.then_some("only").into_iter().collect()
}

/// `UPDATE ONLY t`, `DELETE FROM ONLY t`, `SELECT ... FROM ONLY t`, `CREATE INDEX ... ON ONLY t`.
fn without_only(reader: Reader<'_>) -> Option<Vec<Change>> {
    (reader.engine == Engine::Postgres && reader.has_word("ONLY")).then_some(())?;
    let makes_index = reader.word() == "CREATE";
    let mut rest = Vec::with_capacity(reader.rest.len());
    let mut before: Option<&Lexeme> = None;
    for lexeme in reader.rest {
        let names_table = before.is_some_and(|word| {
            word.is_word("UPDATE") || word.is_word("FROM") || (makes_index && word.is_word("ON"))
        });
        if !(names_table && lexeme.is_word("ONLY")) {
            rest.push(lexeme.clone());
        }
        before = Some(lexeme);
    }
    (rest.len() < reader.rest.len()).then_some(())?;
    let reader = Reader { rest: &rest, ..reader };
    let parsed = reader.parse(Parser::parse_statement);
    let mut changes = match parsed.and_then(|statement| lower(reader, &statement)) {
        Some(changes) => changes,
        None => index_without_kind(reader)?,
    };
    for change in &mut changes {
        if let Change::CreateIndex { form, .. } = change {
            form.only = true;
        }
    }
    Some(changes)
}

/// CREATE FULLTEXT INDEX, CREATE SPATIAL INDEX, and indexes with options that sqlparser does not know.
fn index_without_kind(reader: Reader<'_>) -> Option<Vec<Change>> {
    let mut rest = reader;
    rest.eat("CREATE").then_some(())?;
    let _replace: bool = rest.eat("OR REPLACE");
    let special = ["FULLTEXT", "SPATIAL"].into_iter().find(|kind| rest.eat(kind));
    let index_or_unique = matches!(rest.word().as_str(), "INDEX" | "UNIQUE");
    let known = clauses::without_unknown_words(rest);
    let words = [reader.rest.get(..1)?, &known.rest].concat();
    let plain = Reader { rest: &words, ..reader };
    let parsed = plain.parse(Parser::parse_statement).filter(|_| index_or_unique)?;
    let Statement::CreateIndex(parsed) = parsed else { return None };
    let mut change = create_index(plain, &parsed);
    if let Change::CreateIndex { kind, .. } = &mut change
        && let Some(special) = special
    {
        *kind = Some(special.to_owned());
    }
    known.mark(&mut change);
    Some(vec![change])
}

/// A CREATE TABLE that sqlparser cannot read as a whole (partitions, options): the columns and constraints that it can
/// read one by one. One that it cannot read has a name at least, and a new table has no cost.
fn table_by_parts(reader: Reader<'_>) -> Option<Vec<Change>> {
    let mut rest = reader;
    rest.eat("CREATE").then_some(())?;
    let _replace: bool = rest.eat("OR REPLACE");
    let mut temporary = false;
    while rest.eat_any(&["TEMPORARY", "TEMP", "LOCAL", "GLOBAL", "UNLOGGED"]) {
        temporary = !reader.has_word("UNLOGGED");
    }
    rest.eat("TABLE").then_some(())?;
    let if_not_exists = rest.eat("IF NOT EXISTS");
    let table = rest.table()?;
    // PARTITION OF, OF and AS need no columns.
    let said_otherwise = reader.engine == Engine::Postgres
        && matches!(rest.word().as_str(), "PARTITION" | "OF" | "AS" | "USING" | "WITH");
    if said_otherwise {
        return Some(new_table(
            reader,
            (table, Vec::new()),
            Vec::new(),
            (if_not_exists, temporary),
        ));
    }
    let inside = rest.parenthesis()?;
    let (mut defs, mut beside) = (Vec::new(), Vec::new());
    let by_query = reader.engine == Engine::Postgres && rest.has_word("AS");
    for part in inside.parts() {
        if reader.engine == Engine::Postgres
            && let Some(change) = postgres_alter::constraint(part, &table)
        {
            beside.push(change);
            continue;
        }
        if reader.engine == Engine::Postgres && part.word() == "LIKE" {
            continue;
        }
        let known = clauses::without_unknown_words(part);
        let part = Reader { rest: &known.rest, ..part };
        if let Some(parsed) = part.parse(Parser::parse_optional_table_constraint).flatten() {
            beside.push(constraint(part, &table, &parsed, false));
        } else if let Some(parsed) = part.parse(Parser::parse_column_def) {
            let (def, changes) = column(part, &table, &parsed);
            defs.push(def);
            beside.extend(changes);
        } else if by_query {
            // CREATE TABLE z (a, b) AS ...: names without types.
            return Some(new_table(
                reader,
                (table, Vec::new()),
                Vec::new(),
                (if_not_exists, temporary),
            ));
        } else {
            return None;
        }
    }
    Some(new_table(reader, (table, defs), beside, (if_not_exists, temporary)))
}
