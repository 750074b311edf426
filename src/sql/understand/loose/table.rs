//! CREATE TABLE, column by column.

use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use super::columns::column;
use super::index::index_columns;
use crate::model::name::TableName;
use crate::sql::change::{Change, ConstraintDef, ConstraintDefKind, IndexForm};
use crate::sql::understand::clauses;
use crate::sql::understand::column::constraint;
use crate::sql::understand::reader::Reader;
use crate::sql::understand::statement::new_table;

/// `CREATE [...] TABLE name ...`.
pub(super) fn create(mut reader: Reader<'_>) -> Option<Vec<Change>> {
    let whole = reader;
    reader.eat("CREATE").then_some(())?;
    let _replace: bool = reader.eat("OR REPLACE");
    let mut temporary = false;
    while matches!(
        reader.word().as_str(),
        "TEMPORARY" | "TEMP" | "LOCAL" | "GLOBAL" | "UNLOGGED" | "FOREIGN" | "EXTERNAL"
    ) {
        temporary |= matches!(reader.word().as_str(), "TEMPORARY" | "TEMP");
        reader.skip();
    }
    reader.eat("TABLE").then_some(())?;
    let if_not_exists = reader.eat("IF NOT EXISTS");
    let table = reader.table()?;
    let (mut defs, mut beside) = (Vec::new(), Vec::new());
    if reader.eat("PARTITION OF") {
        let _parent: TableName = reader.table()?;
    } else if reader.eat("LIKE") {
        beside.push(like(reader, &table)?);
    } else if let Some(inside) = reader.parenthesis() {
        for part in inside.parts() {
            let known = clauses::without_unknown_words(part);
            let known = Reader { rest: &known.rest, ..part };
            let mut begin = part;
            if begin.eat("LIKE") {
                beside.push(like(begin, &table)?);
            } else if let Some(parsed) =
                known.parse(Parser::parse_optional_table_constraint).flatten()
            {
                beside.push(constraint(part, &table, &parsed, false));
            } else if begins_constraint(part) {
                beside.extend(constraint_by_words(part, &table)?);
            } else if !part.is_empty() {
                let (def, changes) = column(part, &table)?;
                defs.push(def);
                beside.extend(changes);
            }
        }
    } else if !reader.is_empty()
        && !matches!(reader.word().as_str(), "AS" | "SELECT" | "USING" | "OF" | "WITH" | "ENGINE")
    {
        return None;
    }
    Some(new_table(whole, (table, defs), beside, (if_not_exists, temporary)))
}

fn like(mut reader: Reader<'_>, table: &TableName) -> Option<Change> {
    Some(Change::Other { what: format!("CREATE TABLE {table} LIKE {}", reader.table()?) })
}

/// Whether a constraint, or an index, begins there and no column.
pub(super) fn begins_constraint(part: Reader<'_>) -> bool {
    let words = part.words(2);
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    matches!(
        words.as_slice(),
        [
            "CONSTRAINT"
                | "UNIQUE"
                | "FULLTEXT"
                | "SPATIAL"
                | "VECTOR"
                | "EXCLUDE"
                | "CHECK"
                | "PRIMARY"
                | "FOREIGN"
                | "NOT",
            ..,
        ] | ["PERIOD", "FOR"]
    ) || matches!(words.first(), Some(&("KEY" | "INDEX")))
        && part.rest.iter().any(|lexeme| lexeme.token == Token::LParen)
}

/// A constraint, or an index that stands among the columns, by its words and the names in its parentheses.
pub(super) fn constraint_by_words(mut part: Reader<'_>, table: &TableName) -> Option<Vec<Change>> {
    let mut name = None;
    if part.eat("CONSTRAINT") {
        name = part.name();
    }
    let (kind, unique) = if part.eat("PERIOD FOR") {
        return Some(Vec::new());
    } else if part.eat("PRIMARY KEY") {
        (Some(ConstraintDefKind::PrimaryKey { using_index: false }), false)
    } else if part.eat("FOREIGN KEY") {
        return Some(vec![foreign_key(part, table, name)?]);
    } else if part.eat("CHECK") {
        let expression = part.parenthesis()?.text().to_owned();
        (Some(ConstraintDefKind::Check { expression }), false)
    } else if part.eat("EXCLUDE") {
        (Some(ConstraintDefKind::Exclusion), false)
    } else if part.eat("NOT NULL") {
        return Some(vec![Change::SetNotNull { table: table.clone(), column: part.name()? }]);
    } else if part.eat("UNIQUE") {
        (None, true)
    } else {
        (None, false)
    };
    if let Some(kind) = kind {
        let names = matches!(kind, ConstraintDefKind::PrimaryKey { .. });
        let columns = if names { index_columns(&mut part)? } else { Vec::new() };
        let constraint = ConstraintDef {
            not_valid: part.has_word("VALID"),
            ..ConstraintDef::new(name, kind, columns)
        };
        return Some(vec![Change::AddConstraint { table: table.clone(), constraint }]);
    }
    let special = ["FULLTEXT", "SPATIAL", "VECTOR"].into_iter().find(|kind| part.eat(kind));
    let _word: bool = part.eat_any(&["INDEX", "KEY"]);
    let _exists: bool = part.eat("IF NOT EXISTS");
    let name = part.name().or(name);
    let columns = index_columns(&mut part)?;
    if unique && !part.engine.is_mysql_family() {
        let kind = ConstraintDefKind::Unique { using_index: false };
        let constraint = ConstraintDef::new(name, kind, columns);
        return Some(vec![Change::AddConstraint { table: table.clone(), constraint }]);
    }
    Some(vec![Change::CreateIndex {
        table: table.clone(),
        index: name.or_else(|| columns.first().cloned()),
        columns,
        unique,
        concurrently: false,
        kind: special.map(str::to_owned),
        if_not_exists: false,
        form: IndexForm::default(),
    }])
}

fn foreign_key(mut part: Reader<'_>, table: &TableName, name: Option<String>) -> Option<Change> {
    let _index: Option<String> = part.name();
    let columns = index_columns(&mut part)?;
    part.eat("REFERENCES").then_some(())?;
    let kind = ConstraintDefKind::ForeignKey { to: part.table()? };
    let constraint = ConstraintDef {
        not_valid: part.has_word("VALID"),
        ..ConstraintDef::new(name, kind, columns)
    };
    Some(Change::AddConstraint { table: table.clone(), constraint })
}
