//! Columns, option by option.

use sqlparser::ast::{ColumnOption, DataType, Ident, ObjectName, ObjectNamePart};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use super::table::{begins_constraint, constraint_by_words};
use crate::model::name::TableName;
use crate::sql::change::{Change, ColumnDef};
use crate::sql::understand::column::column_of;
use crate::sql::understand::reader::Reader;

/// `ADD [COLUMN] name type ...`, `MODIFY name type ...`, `CHANGE name name type ...`, `ALTER name TYPE type ...`.
pub(in crate::sql::understand) fn column_clause(
    mut part: Reader<'_>,
    table: &TableName,
) -> Option<Vec<Change>> {
    let table = table.clone();
    if part.eat_any(&["ADD COLUMN", "ADD"]) {
        let if_not_exists = part.eat("IF NOT EXISTS");
        if begins_constraint(part) {
            return constraint_by_words(part, &table);
        }
        let (column, beside) = column(part, &table)?;
        let mut changes = vec![Change::AddColumn { table, column, if_not_exists }];
        changes.extend(beside);
        return Some(changes);
    }
    if part.eat_any(&["ALTER COLUMN", "ALTER"]) {
        return alter_type(part, table);
    }
    let renames = part.eat_any(&["CHANGE COLUMN", "CHANGE"]);
    if !renames && !part.eat_any(&["MODIFY COLUMN", "MODIFY"]) {
        return None;
    }
    let _exists: bool = part.eat("IF EXISTS");
    let old = if renames { part.name()? } else { Reader::name(&mut part.clone())? };
    let (mut to, beside) = column(part, &table)?;
    let new = std::mem::replace(&mut to.name, old.clone());
    let mut changes =
        vec![Change::ChangeType { table: table.clone(), column: old.clone(), to, using: None }];
    changes.extend(beside);
    if old != new {
        changes.push(Change::RenameColumn { table, column: old, to: new });
    }
    Some(changes)
}

/// PostgreSQL: `... name [SET DATA] TYPE type [COLLATE c] [USING expression]`.
fn alter_type(mut part: Reader<'_>, table: TableName) -> Option<Vec<Change>> {
    let column = part.name()?;
    part.eat_any(&["TYPE", "SET DATA TYPE"]).then_some(())?;
    let (data_type, mut rest) = part.split_at_word(&["COLLATE", "USING"]);
    (!data_type.is_empty()).then_some(())?;
    if rest.eat("COLLATE") {
        let _collation: Option<TableName> = rest.table();
    }
    let using = rest.eat("USING").then(|| rest.text().to_owned());
    let data_type = data_type.line();
    let to = ColumnDef { name: column.clone(), data_type, ..ColumnDef::default() };
    Some(vec![Change::ChangeType { table, column, to, using }])
}

/// `name type option option ...`.
pub(super) fn column(mut part: Reader<'_>, table: &TableName) -> Option<(ColumnDef, Vec<Change>)> {
    let name = part.name()?;
    let mut pieces = pieces(part).into_iter();
    let first = pieces.next()?;
    // A type is a word, and what follows it.
    matches!(first.rest.first()?.token, Token::Word(_)).then_some(())?;
    let data_type = first.parse(Parser::parse_data_type).unwrap_or_else(|| {
        let name = Ident::new(first.line());
        DataType::Custom(ObjectName(vec![ObjectNamePart::Identifier(name)]), Vec::new())
    });
    let mut label = None;
    let mut options: Vec<(Option<Ident>, ColumnOption)> = Vec::new();
    for mut piece in pieces {
        if piece.eat("CONSTRAINT") {
            label = piece.name().map(Ident::new);
            continue;
        }
        let option = piece.parse(Parser::parse_optional_column_option).flatten();
        options.extend(option.map(|option| (label.take(), option)));
    }
    let options: Vec<_> = options.iter().map(|(label, option)| (label.as_ref(), option)).collect();
    Some(column_of(part, table, (name, &data_type), &options))
}

/// The type, and each option, as parts of their own.
fn pieces(part: Reader<'_>) -> Vec<Reader<'_>> {
    let (mut depth, mut begin, mut found) = (0_usize, 0, Vec::new());
    // A word that cannot begin an option because of what stands in front of it: SET NULL, ON UPDATE CASCADE.
    let mut bound = true;
    for (index, lexeme) in part.rest.iter().enumerate() {
        match lexeme.token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        let word = lexeme.word().unwrap_or_default();
        if depth == 0 && !bound && begins_option(&word) {
            found.extend(part.rest.get(begin..index));
            begin = index;
        }
        bound = matches!(word.as_str(), "SET" | "NOT" | "ON" | "DELETE" | "UPDATE" | "DEFAULT" | "BY" | "CONSTRAINT" | "REFERENCES")
            || word == "NO"
            // What follows GENERATED ALWAYS is its own.
            || matches!(word.as_str(), "GENERATED" | "ALWAYS" | "PRIMARY");
    }
    found.extend(part.rest.get(begin..));
    found.into_iter().filter(|rest| !rest.is_empty()).map(|rest| Reader { rest, ..part }).collect()
}

fn begins_option(word: &str) -> bool {
    matches!(
        word,
        "NOT"
            | "NULL"
            | "DEFAULT"
            | "PRIMARY"
            | "UNIQUE"
            | "KEY"
            | "REFERENCES"
            | "CHECK"
            | "CONSTRAINT"
            | "COLLATE"
            | "CHARACTER"
            | "CHARSET"
            | "GENERATED"
            | "AS"
            | "AUTO_INCREMENT"
            | "COMMENT"
            | "STORAGE"
            | "COMPRESSION"
            | "COMPRESSED"
            | "COLUMN_FORMAT"
            | "VISIBLE"
            | "INVISIBLE"
            | "BINARY"
            | "ZEROFILL"
            | "FIRST"
            | "AFTER"
            | "SRID"
            | "DEFERRABLE"
            | "INITIALLY"
            | "OPTIONS"
            | "ENGINE_ATTRIBUTE"
            | "SECONDARY_ENGINE_ATTRIBUTE"
            | "WITHOUT"
            | "USING"
            | "REF_SYSTEM_ID"
            | "ENCODE"
    )
}
