//! A column: its name, type and attributes.

use sqlparser::tokenizer::Token;

use super::super::reader::Reader;
use super::index;
use crate::model::name::TableName;
use crate::sql::change::{Change, ColumnDef, ConstraintDef, ConstraintDefKind, Position};

/// Reads a column up to the end of its clause, and the indexes and constraints that stand beside it.
pub(super) fn column(mut part: Reader<'_>, table: &TableName) -> Option<(ColumnDef, Vec<Change>)> {
    let mut column = ColumnDef { name: part.name()?, ..ColumnDef::default() };
    let mut beside = Vec::new();
    column.data_type = data_type(&mut part)?;
    if column.data_type.eq_ignore_ascii_case("serial") {
        "bigint unsigned".clone_into(&mut column.data_type);
        (column.not_null, column.counts) = (true, true);
        beside.push(index::unique(table, &column.name));
    }
    while !part.is_empty() {
        let reader = part;
        attribute(&mut part, table, &mut column, &mut beside)?;
        if part.rest.len() == reader.rest.len() {
            return None;
        }
    }
    Some((column, beside))
}

/// The type with what belongs to it: `varchar(10) CHARACTER SET latin1`.
fn data_type(part: &mut Reader<'_>) -> Option<String> {
    let mut words = vec![word(part)?];
    let first = words.first().map(|word| word.to_ascii_uppercase()).unwrap_or_default();
    let follows = match first.as_str() {
        "DOUBLE" => &["PRECISION"][..],
        "CHAR" | "CHARACTER" => &["VARYING", "BYTE"],
        "NATIONAL" => &["CHAR", "CHARACTER", "VARCHAR"],
        "LONG" => &["VARCHAR", "VARBINARY"],
        _ => &[],
    };
    while follows.contains(&part.word().as_str()) || (words.len() > 1 && part.word() == "VARYING") {
        words.push(word(part)?);
    }
    let mut text = match first.as_str() {
        "NATIONAL" if words.iter().any(|word| word.to_ascii_uppercase().starts_with("VAR")) => {
            "varchar".to_owned()
        }
        "NATIONAL" | "NCHAR" => "char".to_owned(),
        "NVARCHAR" => "varchar".to_owned(),
        "LONG" => "mediumtext".to_owned(),
        _ => words.join(" "),
    };
    if let Some(inside) = part.parenthesis() {
        text.push('(');
        text.push_str(inside.text());
        text.push(')');
    }
    if matches!(first.as_str(), "NATIONAL" | "NCHAR" | "NVARCHAR") {
        text.push_str(" CHARACTER SET utf8mb3");
    }
    loop {
        let more = match part.word().as_str() {
            "UNSIGNED" | "SIGNED" | "ZEROFILL" => format!(" {}", word(part)?.to_ascii_lowercase()),
            "ASCII" => {
                part.skip();
                " CHARACTER SET latin1".to_owned()
            }
            // The binary collation of the character set, in old words.
            "BINARY" => {
                part.skip();
                String::new()
            }
            "UNICODE" => {
                part.skip();
                " CHARACTER SET ucs2".to_owned()
            }
            _ => match charset(part) {
                Some(more) => more,
                None => return Some(text),
            },
        };
        if more != " signed" {
            text.push_str(&more);
        }
    }
}

/// `CHARACTER SET x`, `CHARSET x`, `COLLATE x`.
fn charset(part: &mut Reader<'_>) -> Option<String> {
    if part.eat_any(&["CHARACTER SET", "CHAR SET", "CHARSET"]) {
        let _equals: bool = part.eat_token(&Token::Eq);
        return Some(format!(" CHARACTER SET {}", value(part)?));
    }
    part.eat("COLLATE").then_some(())?;
    let _equals: bool = part.eat_token(&Token::Eq);
    Some(format!(" COLLATE {}", value(part)?))
}

/// The next word as written.
fn word(part: &mut Reader<'_>) -> Option<String> {
    part.name()
}

/// A name, a text or a number, without quotes.
pub(super) fn value(part: &mut Reader<'_>) -> Option<String> {
    let (first, tail) = part.rest.split_first()?;
    let text = match &first.token {
        Token::Word(word) => word.value.clone(),
        Token::SingleQuotedString(text) | Token::DoubleQuotedString(text) => text.clone(),
        Token::Number(digits, _) => digits.clone(),
        _ => return None,
    };
    part.rest = tail;
    Some(text)
}

/// Reads one attribute.
fn attribute(
    part: &mut Reader<'_>,
    table: &TableName,
    column: &mut ColumnDef,
    beside: &mut Vec<Change>,
) -> Option<()> {
    if let Some(more) = charset(part) {
        column.data_type.push_str(&more);
        return Some(());
    }
    let words = part.words(3);
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["NOT", "NULL", ..] => {
            part.eat("NOT NULL");
            column.not_null = true;
        }
        ["NULL", ..] => part.skip(),
        ["DEFAULT", ..] | ["ON", "UPDATE", ..] => default(part, column)?,
        ["AUTO_INCREMENT", ..] => {
            part.skip();
            column.counts = true;
            column.not_null = true;
        }
        ["UNIQUE" | "PRIMARY" | "KEY", ..] => key(part, table, column, beside),
        ["CONSTRAINT" | "CHECK", ..] => beside.push(check(part, table, &column.name)?),
        ["REFERENCES", ..] => {
            part.skip();
            let name = vec![column.name.clone()];
            beside.push(index::references(part, table, (None, name), index::Place::Column)?);
        }
        ["GENERATED" | "AS", ..] => generated(part, column)?,
        ["FIRST", ..] => {
            part.skip();
            column.position = Some(Position::First);
        }
        ["AFTER", ..] => {
            part.skip();
            column.position = Some(Position::After(part.name()?));
        }
        _ => unimportant(part)?,
    }
    Some(())
}

fn default(part: &mut Reader<'_>, column: &mut ColumnDef) -> Option<()> {
    if part.eat("DEFAULT VALUE") {
        // SERIAL DEFAULT VALUE: NOT NULL AUTO_INCREMENT UNIQUE.
        (column.counts, column.not_null) = (true, true);
        return Some(());
    }
    let is_default = part.eat("DEFAULT");
    let _other: bool = part.eat("ON UPDATE");
    let text = expression(part)?;
    if is_default {
        column.default = Some(text).filter(|text| !text.eq_ignore_ascii_case("null"));
    }
    Some(())
}

/// Words that begin an attribute, and so end the expression before them.
const ATTRIBUTES: &[&str] = &[
    "NOT",
    "NULL",
    "DEFAULT",
    "ON",
    "AUTO_INCREMENT",
    "UNIQUE",
    "PRIMARY",
    "KEY",
    "COMMENT",
    "COLLATE",
    "CHARACTER",
    "CHECK",
    "CONSTRAINT",
    "REFERENCES",
    "GENERATED",
    "AS",
    "INVISIBLE",
    "VISIBLE",
    "FIRST",
    "AFTER",
    "COLUMN_FORMAT",
    "STORAGE",
    "WITH",
    "WITHOUT",
    "ENGINE_ATTRIBUTE",
    "SECONDARY_ENGINE_ATTRIBUTE",
    "SRID",
];

/// An expression up to the next attribute, at least one token long.
pub(super) fn expression(part: &mut Reader<'_>) -> Option<String> {
    let whole = *part;
    if part.parenthesis().is_none() {
        part.rest.split_first()?;
        part.skip();
    }
    while !part.is_empty() && !ATTRIBUTES.contains(&part.word().as_str()) {
        if part.parenthesis().is_none() {
            part.skip();
        }
    }
    let length = whole.rest.len().checked_sub(part.rest.len())?;
    Some(Reader { rest: whole.rest.get(..length)?, ..whole }.line())
}

fn key(part: &mut Reader<'_>, table: &TableName, column: &mut ColumnDef, beside: &mut Vec<Change>) {
    if part.eat("UNIQUE") {
        let _optional: bool = part.eat("KEY");
        column.unique = true;
        beside.push(index::unique(table, &column.name));
        return;
    }
    let _optional: bool = part.eat("PRIMARY");
    let _optional: bool = part.eat("KEY");
    column.primary_key = true;
    column.not_null = true;
    beside.push(index::primary_key(table, None, vec![column.name.clone()]));
}

fn check(part: &mut Reader<'_>, table: &TableName, column: &str) -> Option<Change> {
    let mut name = None;
    if part.eat("CONSTRAINT") && part.word() != "CHECK" {
        name = Some(part.name()?);
    }
    index::check(part, table, name, vec![column.to_owned()])
}

fn generated(part: &mut Reader<'_>, column: &mut ColumnDef) -> Option<()> {
    let _always: bool = part.eat("GENERATED ALWAYS");
    part.eat("AS").then_some(())?;
    if part.eat_any(&["ROW START", "ROW END"]) {
        let _hidden: bool = part.eat("INVISIBLE");
        column.not_null = true;
        return Some(());
    }
    let expression = part.parenthesis()?.line();
    let mode = if part.eat_any(&["STORED", "PERSISTENT"]) {
        " STORED"
    } else {
        let _optional: bool = part.eat("VIRTUAL");
        " VIRTUAL"
    };
    column.generated = Some(format!("({expression}){mode}"));
    Some(())
}

/// Attributes that touch no row and no index.
fn unimportant(part: &mut Reader<'_>) -> Option<()> {
    if part.eat_any(&["INVISIBLE", "VISIBLE", "NOT SECONDARY", "RESTRICT", "CASCADE"])
        || part.eat_any(&["WITH SYSTEM VERSIONING", "WITHOUT SYSTEM VERSIONING"])
    {
        return Some(());
    }
    let known = matches!(
        part.word().as_str(),
        "COMMENT"
            | "COLUMN_FORMAT"
            | "STORAGE"
            | "ENGINE_ATTRIBUTE"
            | "SECONDARY_ENGINE_ATTRIBUTE"
            | "SRID"
            | "REF_SYSTEM_ID"
    );
    if !known && part.word() != "COMPRESSED" {
        return None;
    }
    part.skip();
    let equals = part.eat_token(&Token::Eq);
    if known || equals {
        part.skip();
    }
    Some(())
}

/// CHECK of a column or a table as a change.
pub(super) fn constraint(
    table: &TableName,
    name: Option<String>,
    kind: ConstraintDefKind,
    columns: Vec<String>,
) -> Change {
    let constraint = ConstraintDef::new(name, kind, columns);
    Change::AddConstraint { table: table.clone(), constraint }
}
