//! Clauses of PostgreSQL's ALTER TABLE that say more than sqlparser's trees hold: constraints with all that may follow
//! them, and new types with COLLATE and USING.

use sqlparser::tokenizer::Token;

use super::reader::Reader;
use crate::model::name::TableName;
use crate::model::server::Engine;
use crate::sql::change::{Change, ColumnDef, ConstraintDef, ConstraintDefKind};
use crate::sql::tokens::Lexeme;

/// What the clause does, when it is one of these.
pub(super) fn by_words(part: Reader<'_>, table: &TableName) -> Option<Vec<Change>> {
    if part.engine != Engine::Postgres {
        return None;
    }
    let change = match part.word().as_str() {
        "ADD" => add_constraint(part, table),
        "ALTER" => alter_column(part, table),
        _ => None,
    };
    change.map(|change| vec![change])
}

/// `ADD [CONSTRAINT name] UNIQUE | PRIMARY KEY | CHECK | FOREIGN KEY | EXCLUDE | NOT NULL ...`
fn add_constraint(mut part: Reader<'_>, table: &TableName) -> Option<Change> {
    part.eat("ADD").then_some(())?;
    constraint(part, table)
}

/// A constraint of a table, in ALTER TABLE behind ADD.
pub(super) fn constraint(mut part: Reader<'_>, table: &TableName) -> Option<Change> {
    let name = if part.eat("CONSTRAINT") { Some(part.name()?) } else { None };
    let mut constraint = ConstraintDef::new(name, ConstraintDefKind::Exclusion, Vec::new());
    if part.eat("NOT NULL") {
        return not_null(part, table, constraint);
    }
    let primary = part.eat("PRIMARY KEY");
    if primary || part.eat("UNIQUE") {
        let _nulls: bool = part.eat_any(&["NULLS NOT DISTINCT", "NULLS DISTINCT"]);
        let using_index = part.eat("USING INDEX");
        if using_index {
            let index = part.name()?;
            constraint.name.get_or_insert_with(|| index.clone());
            constraint.columns = vec![index];
        } else {
            constraint.columns = names(part.parenthesis()?)?;
        }
        constraint.kind = if primary {
            ConstraintDefKind::PrimaryKey { using_index }
        } else {
            ConstraintDefKind::Unique { using_index }
        };
    } else if part.eat("CHECK") {
        let expression = part.parenthesis()?.text().to_owned();
        constraint.kind = ConstraintDefKind::Check { expression };
    } else if part.eat("FOREIGN KEY") {
        constraint.columns = names(part.parenthesis()?)?;
        part.eat("REFERENCES").then_some(())?;
        let _only: bool = part.eat("ONLY");
        constraint.kind = ConstraintDefKind::ForeignKey { to: part.table()? };
        if let Some(inside) = part.parenthesis() {
            constraint.references = names(inside)?;
        }
        constraint.actions = part.actions();
    } else if !part.eat("EXCLUDE") {
        return None;
    }
    constraint.not_valid = says(part, &["NOT VALID", "NOT ENFORCED"]);
    constraint.no_inherit = says(part, &["NO INHERIT"]);
    Some(Change::AddConstraint { table: table.clone(), constraint })
}

/// PostgreSQL 18: `ADD [CONSTRAINT name] NOT NULL column [NOT VALID] [NO INHERIT]`.
fn not_null(mut part: Reader<'_>, table: &TableName, constraint: ConstraintDef) -> Option<Change> {
    let column = part.name()?;
    if !says(part, &["NOT VALID"]) {
        return Some(Change::SetNotNull { table: table.clone(), column });
    }
    let kind = ConstraintDefKind::Check { expression: format!("{column} IS NOT NULL") };
    let constraint = ConstraintDef { kind, columns: vec![column], not_valid: true, ..constraint };
    Some(Change::AddConstraint { table: table.clone(), constraint })
}

/// Whether one of these stands in what follows.
fn says(mut part: Reader<'_>, words: &[&str]) -> bool {
    while !part.is_empty() {
        if part.eat_any(words) {
            return true;
        }
        part.skip();
    }
    false
}

/// The columns in the parentheses of a key: `a, b`, `a, PERIOD b`, `a, b WITHOUT OVERLAPS`.
fn names(inside: Reader<'_>) -> Option<Vec<String>> {
    let name = |mut part: Reader<'_>| {
        let _period: bool = part.rest.len() > 1 && part.eat("PERIOD");
        part.name()
    };
    inside.parts().into_iter().map(name).collect()
}

/// `ALTER [COLUMN] column [SET DATA] TYPE type [COLLATE collation] [USING expression]`, `... SET EXPRESSION AS (...)`.
fn alter_column(mut part: Reader<'_>, table: &TableName) -> Option<Change> {
    let whole = part;
    part.eat("ALTER").then_some(())?;
    let _optional: bool = part.eat("COLUMN");
    let column = part.name()?;
    if part.eat("SET EXPRESSION") {
        return Some(Change::Rebuild { table: table.clone(), what: whole.line() });
    }
    if part.eat("ADD GENERATED") {
        // With SEQUENCE NAME among its options, as pg_dump writes it, sqlparser does not know it.
        return Some(Change::TableSetting { table: table.clone(), what: whole.line() });
    }
    let _words: bool = part.eat("SET DATA");
    part.eat("TYPE").then_some(())?;
    let data_type = until(&mut part, &["COLLATE", "USING"]);
    if data_type.is_empty() {
        return None;
    }
    let collation = part.eat("COLLATE").then(|| until(&mut part, &["USING"]).line());
    let using = part.eat("USING").then(|| part.text().to_owned());
    let data_type = data_type.line();
    let to = ColumnDef { name: column.clone(), data_type, collation, ..ColumnDef::default() };
    Some(Change::ChangeType { table: table.clone(), column, to, using })
}

/// The words of a clause with STORED behind `GENERATED ALWAYS AS (...)`, where it has VIRTUAL or nothing.
pub(super) fn as_stored(part: Reader<'_>) -> Option<Vec<Lexeme>> {
    if part.engine != Engine::Postgres {
        return None;
    }
    let mut rest = part;
    while !rest.eat("GENERATED ALWAYS AS") {
        (!rest.is_empty()).then_some(())?;
        rest.skip();
    }
    let expression = rest.parenthesis()?;
    let end = expression.rest.last()?;
    (!rest.eat("STORED")).then_some(())?;
    let stored = Lexeme { token: Token::make_keyword("STORED"), start: end.end, end: end.end };
    let before = rest.rest.len();
    let _virtual: bool = rest.eat("VIRTUAL");
    let head = part.rest.get(..part.rest.len().checked_sub(before)?)?;
    Some([head, &[stored], rest.rest].concat())
}

/// Reads up to one of the words outside parentheses, or to the end: what was read.
fn until<'a>(part: &mut Reader<'a>, words: &[&str]) -> Reader<'a> {
    let mut depth = 0_usize;
    let is_end = |lexeme: &Lexeme| {
        match lexeme.token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && words.iter().any(|word| lexeme.is_word(word))
    };
    let end = part.rest.iter().position(is_end).unwrap_or(part.rest.len());
    let (read, rest) = part.rest.split_at_checked(end).unwrap_or((part.rest, &[]));
    let read = Reader { rest: read, ..*part };
    part.rest = rest;
    read
}
