//! Indexes and constraints, as ADD, CREATE TABLE and CREATE INDEX write them.

use sqlparser::tokenizer::Token;

use super::super::reader::Reader;
use super::column::constraint;
use crate::model::name::TableName;
use crate::sql::change::{Change, ConstraintDefKind, IndexForm};

/// Where a foreign key stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    Column,
    Table,
}

/// Whether what follows is an index or a constraint, not a column.
pub(super) fn begins(part: Reader<'_>) -> bool {
    let words = part.words(3);
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["CONSTRAINT" | "INDEX" | "KEY" | "UNIQUE" | "FULLTEXT" | "SPATIAL" | "FOREIGN", ..] => {
            true
        }
        ["PRIMARY", "KEY", ..] | ["VECTOR", "INDEX" | "KEY", ..] => true,
        ["PERIOD", "FOR", ..] => true,
        ["VECTOR", ..] => {
            part.rest.get(2).is_some_and(|lexeme| lexeme.token == Token::LParen)
                && part.rest.get(3).is_some_and(|lexeme| lexeme.word().is_some())
        }
        ["CHECK", ..] => part.rest.get(1).is_some_and(|lexeme| lexeme.token == Token::LParen),
        _ => false,
    }
}

/// Reads an index or a constraint up to the end of its clause.
pub(super) fn read(mut part: Reader<'_>, table: &TableName) -> Option<Change> {
    let mut name = None;
    if part.eat("CONSTRAINT") && !begins(part) {
        let _exists: bool = part.eat("IF NOT EXISTS");
        name = Some(part.name()?);
    }
    if part.eat("PERIOD FOR") {
        let period = part.name()?;
        let columns = part.parenthesis()?.parts().into_iter().filter_map(|mut one| one.name());
        let columns = columns.collect::<Vec<_>>().join(", ");
        let name = if period.eq_ignore_ascii_case("system_time") {
            "PERIOD SYSTEM_TIME"
        } else {
            "PERIOD"
        };
        return Some(Change::TableOption {
            table: table.clone(),
            name: name.into(),
            value: Some(format!("{period} ({columns})")),
        });
    }
    if part.eat("PRIMARY KEY") {
        let _using: Option<()> = using(&mut part);
        let _name: Option<String> = if is_open(part) { None } else { part.name() };
        let _using: Option<()> = using(&mut part);
        let columns = columns(&mut part)?;
        options(&mut part)?;
        return Some(primary_key(table, name, columns.names));
    }
    if part.eat("FOREIGN KEY") {
        let _exists: bool = part.eat("IF NOT EXISTS");
        let index = if is_open(part) { None } else { part.name() };
        let columns = columns(&mut part)?;
        part.eat("REFERENCES").then_some(())?;
        let change = references(&mut part, table, (name.or(index), columns.names), Place::Table);
        return change.filter(|_| part.is_empty());
    }
    if part.word() == "CHECK" {
        let change = check(&mut part, table, name, Vec::new());
        return change.filter(|_| part.is_empty());
    }
    let mut kind = None;
    let unique = part.eat("UNIQUE");
    for special in ["FULLTEXT", "SPATIAL", "VECTOR"] {
        if part.eat(special) {
            kind = Some(special.to_owned());
        }
    }
    let _optional: bool = part.eat_any(&["INDEX", "KEY"]);
    let if_not_exists = part.eat("IF NOT EXISTS");
    let _using: Option<()> = using(&mut part);
    let given = if is_open(part) { None } else { part.name() };
    let shape = Shape { name: given.or(name), unique, kind, if_not_exists };
    on_columns(&mut part, table, shape).filter(|_| part.is_empty())
}

/// What stands before an index's columns.
pub(super) struct Shape {
    pub(super) name: Option<String>,
    pub(super) unique: bool,
    pub(super) kind: Option<String>,
    pub(super) if_not_exists: bool,
}

/// Reads the columns and options of an index.
pub(super) fn on_columns(part: &mut Reader<'_>, table: &TableName, shape: Shape) -> Option<Change> {
    let _using: Option<()> = using(part);
    let columns = columns(part)?;
    options(part)?;
    let unnamed = shape.name.is_none();
    let form = IndexForm { keys: columns.written, unnamed, ..IndexForm::default() };
    let first = columns.names.first().filter(|name| !name.starts_with('(')).cloned();
    Some(Change::CreateIndex {
        table: table.clone(),
        index: shape.name.or(first),
        unique: shape.unique,
        concurrently: false,
        kind: if columns.without_overlaps {
            Some("WITHOUT OVERLAPS".to_owned())
        } else {
            shape.kind
        },
        columns: columns.names,
        if_not_exists: shape.if_not_exists,
        form,
    })
}

fn is_open(part: Reader<'_>) -> bool {
    part.rest.first().is_some_and(|lexeme| lexeme.token == Token::LParen)
}

fn using(part: &mut Reader<'_>) -> Option<()> {
    part.eat_any(&["USING", "TYPE"]).then(|| part.skip())
}

struct Columns {
    /// Names, without lengths; expressions in their parentheses.
    names: Vec<String>,
    /// As written, when one has a length or an order.
    written: Option<String>,
    without_overlaps: bool,
}

fn columns(part: &mut Reader<'_>) -> Option<Columns> {
    let mut found = Columns { names: Vec::new(), written: None, without_overlaps: false };
    let inside = part.parenthesis()?;
    for mut column in inside.parts() {
        let whole = column;
        if let Some(expression) = column.parenthesis() {
            found.names.push(format!("({})", expression.text()));
        } else {
            found.names.push(column.name()?);
            let length = column.parenthesis();
            if length.is_some() || !column.is_empty() {
                found.written = Some(inside.text().to_owned());
            }
        }
        let _order: bool = column.eat_any(&["ASC", "DESC"]);
        found.without_overlaps |= column.eat("WITHOUT OVERLAPS");
        if !column.is_empty() || whole.is_empty() {
            return None;
        }
    }
    Some(found)
}

/// Options of an index; none of them touches what it costs. Leaves `ALGORITHM` and `LOCK`.
fn options(part: &mut Reader<'_>) -> Option<()> {
    while !part.is_empty() && !matches!(part.word().as_str(), "ALGORITHM" | "LOCK") {
        if part.eat_any(&["INVISIBLE", "VISIBLE", "IGNORED", "NOT IGNORED"]) {
            continue;
        }
        if part.eat("WITH PARSER") {
            part.skip();
            continue;
        }
        // `KEY_BLOCK_SIZE = 8`, `COMMENT 'x'`, `USING BTREE`, MariaDB's `M=6`, `DISTANCE=cosine`.
        part.name()?;
        let _equals: bool = part.eat_token(&Token::Eq);
        if part.is_empty() {
            return None;
        }
        part.skip();
    }
    Some(())
}

/// UNIQUE beside a column.
pub(super) fn unique(table: &TableName, column: &str) -> Change {
    Change::CreateIndex {
        table: table.clone(),
        index: Some(column.to_owned()),
        columns: vec![column.to_owned()],
        unique: true,
        concurrently: false,
        kind: None,
        if_not_exists: false,
        form: IndexForm { unnamed: true, ..IndexForm::default() },
    }
}

/// PRIMARY KEY.
pub(super) fn primary_key(table: &TableName, name: Option<String>, columns: Vec<String>) -> Change {
    constraint(table, name, ConstraintDefKind::PrimaryKey { using_index: false }, columns)
}

/// `CHECK (expr) [[NOT] ENFORCED]`.
pub(super) fn check(
    part: &mut Reader<'_>,
    table: &TableName,
    name: Option<String>,
    columns: Vec<String>,
) -> Option<Change> {
    part.eat("CHECK").then_some(())?;
    let expression = part.parenthesis()?.text().to_owned();
    let not_enforced = part.eat("NOT ENFORCED");
    let _enforced: bool = part.eat("ENFORCED");
    let mut change = constraint(table, name, ConstraintDefKind::Check { expression }, columns);
    if let Change::AddConstraint { constraint, .. } = &mut change {
        constraint.not_valid = not_enforced;
    }
    Some(change)
}

/// What follows REFERENCES.
pub(super) fn references(
    part: &mut Reader<'_>,
    table: &TableName,
    (name, columns): (Option<String>, Vec<String>),
    place: Place,
) -> Option<Change> {
    let to = part.table()?;
    let mut far = Vec::new();
    if let Some(inside) = part.parenthesis() {
        for mut column in inside.parts() {
            far.push(column.name()?);
        }
    }
    let actions = part.actions();
    while part.eat_any(&["MATCH FULL", "MATCH PARTIAL", "MATCH SIMPLE"])
        || (part.eat_any(&["ON DELETE", "ON UPDATE"])
            && part.eat_any(&["RESTRICT", "CASCADE", "SET NULL", "SET DEFAULT", "NO ACTION"]))
    {}
    let mut change = constraint(table, name, ConstraintDefKind::ForeignKey { to }, columns);
    if let Change::AddConstraint { constraint, .. } = &mut change {
        constraint.references = far;
        constraint.actions = actions;
        constraint.inline = place == Place::Column;
    }
    Some(change)
}
