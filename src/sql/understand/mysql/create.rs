//! CREATE TABLE, CREATE INDEX and DROP INDEX.

use super::super::reader::Reader;
use super::{column, index, options, partitions};
use crate::model::name::TableName;
use crate::model::server::Engine;
use crate::sql::change::{Change, ConstraintDefKind};

/// CREATE TABLE and what stands beside its columns; `None` when it is not understood.
pub(in super::super) fn create_table(mut part: Reader<'_>) -> Option<Vec<Change>> {
    part.eat("CREATE").then_some(())?;
    let replaces = part.eat("OR REPLACE");
    let temporary = part.eat("TEMPORARY");
    part.eat("TABLE").then_some(())?;
    let if_not_exists = part.eat("IF NOT EXISTS");
    let table = part.table()?;
    let (mut columns, mut beside) = (Vec::new(), Vec::new());
    if let Some(like) = like(&mut part) {
        let value = Some(like.to_string());
        beside.push(Change::TableOption { table: table.clone(), name: "LIKE".to_owned(), value });
    } else if let Some(inside) = part.parenthesis().filter(|inside| !is_query(*inside)) {
        for one in inside.parts() {
            if index::begins(one) {
                beside.push(index::read(one, &table)?);
            } else {
                let (column, more) = column::column(one, &table)?;
                columns.push(column);
                beside.extend(more);
            }
        }
    }
    let (options, origin) = (part.line(), Box::default());
    behind(part, &table, &mut beside)?;
    let key = beside.iter().find_map(primary_key).unwrap_or_default();
    for column in &mut columns {
        column.not_null |= key.iter().any(|name| name.eq_ignore_ascii_case(&column.name));
    }
    let mut changes = Vec::new();
    if replaces && !temporary {
        changes.push(Change::DropTable { table: table.clone(), if_exists: true, cascade: false });
    }
    changes.push(Change::CreateTable {
        table,
        columns,
        key,
        if_not_exists,
        temporary,
        options,
        origin,
    });
    if !temporary {
        changes.extend(beside.into_iter().filter(|change| primary_key(change).is_none()));
    }
    Some(changes)
}

fn like(part: &mut Reader<'_>) -> Option<TableName> {
    let mut inside = *part;
    if let Some(mut group) = inside.parenthesis()
        && group.eat("LIKE")
    {
        *part = inside;
        return group.table();
    }
    part.eat("LIKE").then(|| part.table())?
}

fn is_query(part: Reader<'_>) -> bool {
    matches!(part.word().as_str(), "SELECT" | "WITH" | "VALUES" | "TABLE")
}

/// Options, partitions, and a query whose rows go into the table.
fn behind(mut part: Reader<'_>, table: &TableName, beside: &mut Vec<Change>) -> Option<()> {
    let mut length = part.rest.len();
    let mut depth = 0_usize;
    for (number, lexeme) in part.rest.iter().enumerate() {
        match lexeme.token {
            sqlparser::tokenizer::Token::LParen => depth += 1,
            sqlparser::tokenizer::Token::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        let rest = Reader { rest: part.rest.get(number..).unwrap_or_default(), ..part };
        let ends = matches!(
            rest.word().as_str(),
            "SELECT" | "WITH" | "AS" | "IGNORE" | "REPLACE" | "TABLE" | "VALUES"
        ) && rest.words(2).get(1).is_none_or(|word| word != "SYSTEM");
        if depth == 0 && (ends || rest.words(2) == ["PARTITION", "BY"]) {
            length = number;
            break;
        }
    }
    let (options, rest) = part.rest.split_at_checked(length)?;
    beside.extend(options::read(Reader { rest: options, ..part }, table)?);
    part.rest = rest;
    if part.words(2) == ["PARTITION", "BY"] {
        beside.push(partitions::read(part, table)?);
    }
    Some(())
}

fn primary_key(change: &Change) -> Option<Vec<String>> {
    match change {
        Change::AddConstraint { constraint, .. }
            if matches!(constraint.kind, ConstraintDefKind::PrimaryKey { .. }) =>
        {
            Some(constraint.columns.clone())
        }
        _ => None,
    }
}

/// CREATE INDEX, with what it asks of the server.
pub(in super::super) fn create_index(mut part: Reader<'_>) -> Option<Vec<Change>> {
    part.eat("CREATE").then_some(())?;
    let replaces = part.eat("OR REPLACE");
    let _online: bool = part.eat_any(&["ONLINE", "OFFLINE"]);
    let unique = part.eat("UNIQUE");
    let mut kind = None;
    for special in ["FULLTEXT", "SPATIAL", "VECTOR"] {
        if part.eat(special) {
            kind = Some(special.to_owned());
        }
    }
    part.eat("INDEX").then_some(())?;
    let if_not_exists = part.eat("IF NOT EXISTS");
    let name = part.name()?;
    if part.eat_any(&["USING", "TYPE"]) {
        part.skip();
    }
    part.eat("ON").then_some(())?;
    let table = part.table()?;
    let shape = index::Shape { name: Some(name.clone()), unique, kind, if_not_exists };
    let mut changes = Vec::new();
    if replaces {
        changes.push(Change::DropIndex {
            table: Some(table.clone()),
            index: name,
            concurrently: false,
            if_exists: true,
        });
    }
    wait(&mut part);
    changes.push(index::on_columns(&mut part, &table, shape)?);
    demands(part, &table, &mut changes)?;
    Some(changes)
}

/// DROP INDEX, behind these two words.
pub(in super::super) fn drop_index(mut part: Reader<'_>) -> Option<Vec<Change>> {
    let if_exists = part.eat("IF EXISTS");
    let index = part.name()?;
    if !part.eat("ON") {
        // Without a table the server refuses it.
        return Some(vec![Change::DropIndex {
            table: None,
            index,
            concurrently: false,
            if_exists,
        }]);
    }
    let table = part.table()?;
    wait(&mut part);
    let owner = Some(table.clone());
    let change = if index.eq_ignore_ascii_case("PRIMARY") {
        Change::DropConstraint { table: table.clone(), constraint: "PRIMARY".to_owned() }
    } else {
        Change::DropIndex { table: owner, index, concurrently: false, if_exists }
    };
    let mut changes = vec![change];
    if part.engine == Engine::MariaDb {
        changes.push(Change::Clauseless { table: table.clone() });
    }
    demands(part, &table, &mut changes)?;
    Some(changes)
}

/// MariaDB: how long it waits for its lock.
fn wait(part: &mut Reader<'_>) {
    if part.eat("WAIT") {
        part.skip();
    } else {
        let _no_wait: bool = part.eat("NOWAIT");
    }
}

fn demands(mut part: Reader<'_>, table: &TableName, changes: &mut Vec<Change>) -> Option<()> {
    while !part.is_empty() {
        changes.push(options::demand(&mut part, table)?);
    }
    Some(())
}
