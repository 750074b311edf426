//! Clauses of ALTER TABLE.

use sqlparser::tokenizer::Token;

use super::super::reader::Reader;
use super::{column, index, options, partitions};
use crate::model::name::TableName;
use crate::sql::change::Change;

/// The clauses, each for itself: an operation on partitions goes on to the end, and may stand behind others without a
/// comma.
pub(in super::super) fn clauses(reader: Reader<'_>) -> Vec<Reader<'_>> {
    let mut clauses = Vec::new();
    for part in reader.parts() {
        let (start, _) = part.bytes();
        let from = reader.rest.iter().position(|lexeme| lexeme.start == start).unwrap_or_default();
        let rest = Reader { rest: reader.rest.get(from..).unwrap_or_default(), ..reader };
        if partitions::verb(rest).is_some() || rest.words(2) == ["ORDER", "BY"] {
            clauses.push(rest);
            return clauses;
        }
        let Some(at) = partitioning(rest) else {
            clauses.push(part);
            continue;
        };
        // `ADD COLUMN a int PARTITION BY ...`: only behind the last clause.
        if at < part.rest.len() {
            let (before, behind) = rest.rest.split_at_checked(at).unwrap_or((rest.rest, &[]));
            clauses.push(Reader { rest: before, ..reader });
            clauses.push(Reader { rest: behind, ..reader });
            return clauses;
        }
        clauses.push(part);
    }
    clauses
}

/// Where `PARTITION BY` or `REMOVE PARTITIONING` stands outside parentheses.
fn partitioning(reader: Reader<'_>) -> Option<usize> {
    let mut depth = 0_usize;
    reader.rest.windows(2).position(|pair| {
        let [first, second] = pair else { return false };
        match first.token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0
            && ((first.is_word("PARTITION") && second.is_word("BY"))
                || (first.is_word("REMOVE") && second.is_word("PARTITIONING")))
    })
}

/// What one clause does; `None` when it is not understood.
pub(in super::super) fn clause(mut part: Reader<'_>, table: &TableName) -> Option<Vec<Change>> {
    if partitions::verb(part).is_some() {
        return partitions::read(part, table).map(|change| vec![change]);
    }
    let whole = part;
    match part.word().as_str() {
        "ADD" => {
            part.skip();
            add(part, table)
        }
        "DROP" => {
            part.skip();
            drop(part, table)
        }
        "MODIFY" => {
            part.skip();
            let _optional: bool = part.eat("COLUMN");
            let _exists: bool = part.eat("IF EXISTS");
            let (to, beside) = column::column(part, table)?;
            let column = to.name.clone();
            let change = Change::ChangeType { table: table.clone(), column, to, using: None };
            Some(std::iter::once(change).chain(beside).collect())
        }
        "CHANGE" => {
            part.skip();
            let _optional: bool = part.eat("COLUMN");
            let _exists: bool = part.eat("IF EXISTS");
            change(part, table)
        }
        "ALTER" => {
            part.skip();
            alter(part, whole, table).map(|change| vec![change])
        }
        "RENAME" => {
            part.skip();
            rename(part, table).map(|change| vec![change])
        }
        _ => options::read(part, table),
    }
}

fn add(mut part: Reader<'_>, table: &TableName) -> Option<Vec<Change>> {
    if part.eat("SYSTEM VERSIONING") {
        let value = Some("ADD".to_owned());
        let name = "SYSTEM VERSIONING".to_owned();
        return part
            .is_empty()
            .then(|| vec![Change::TableOption { table: table.clone(), name, value }]);
    }
    if index::begins(part) {
        return index::read(part, table).map(|change| vec![change]);
    }
    let _optional: bool = part.eat("COLUMN");
    let if_not_exists = part.eat("IF NOT EXISTS");
    let mut changes = Vec::new();
    let mut read = |part| {
        if index::begins(part) {
            changes.push(index::read(part, table)?);
            return Some(());
        }
        let (column, beside) = column::column(part, table)?;
        changes.push(Change::AddColumn { table: table.clone(), column, if_not_exists });
        changes.extend(beside);
        Some(())
    };
    match part.parenthesis() {
        Some(inside) => {
            for column in inside.parts() {
                read(column)?;
            }
            part.is_empty().then_some(())?;
        }
        None => read(part)?,
    }
    Some(changes)
}

fn drop(mut part: Reader<'_>, table: &TableName) -> Option<Vec<Change>> {
    let table = table.clone();
    let change = if part.eat("PRIMARY KEY") {
        Change::DropConstraint { table, constraint: "PRIMARY".to_owned() }
    } else if part.eat("SYSTEM VERSIONING") {
        let name = "SYSTEM VERSIONING".to_owned();
        Change::TableOption { table, name, value: Some("DROP".to_owned()) }
    } else if part.eat("PERIOD FOR") {
        Change::TableOption { table, name: "DROP PERIOD".to_owned(), value: Some(part.name()?) }
    } else if part.eat_any(&["KEY", "INDEX"]) {
        let if_exists = part.eat("IF EXISTS");
        let (table, index) = (Some(table), part.name()?);
        Change::DropIndex { table, index, concurrently: false, if_exists }
    } else if part.eat_any(&["FOREIGN KEY", "CHECK", "CONSTRAINT"]) {
        let _exists: bool = part.eat("IF EXISTS");
        Change::DropConstraint { table, constraint: part.name()? }
    } else {
        let _optional: bool = part.eat("COLUMN");
        let if_exists = part.eat("IF EXISTS");
        let column = part.name()?;
        let _behaviour: bool = part.eat_any(&["RESTRICT", "CASCADE"]);
        Change::DropColumn { table, column, if_exists }
    };
    part.is_empty().then(|| vec![change])
}

fn change(mut part: Reader<'_>, table: &TableName) -> Option<Vec<Change>> {
    let old = part.name()?;
    let (mut to, beside) = column::column(part, table)?;
    let new = std::mem::replace(&mut to.name, old.clone());
    let table = table.clone();
    let type_change =
        Change::ChangeType { table: table.clone(), column: old.clone(), to, using: None };
    let mut changes = vec![type_change];
    changes.extend(beside);
    if old != new {
        changes.push(Change::RenameColumn { table, column: old, to: new });
    }
    Some(changes)
}

fn alter(mut part: Reader<'_>, whole: Reader<'_>, table: &TableName) -> Option<Change> {
    let table = table.clone();
    if part.eat_any(&["INDEX", "KEY"]) {
        return Some(Change::TableSetting { table, what: whole.line() });
    }
    if part.eat_any(&["CHECK", "CONSTRAINT"]) {
        let constraint = part.name()?;
        let value = if part.eat("ENFORCED") {
            "ENFORCED"
        } else {
            part.eat("NOT ENFORCED").then_some("NOT ENFORCED")?
        };
        let name = format!("CONSTRAINT {constraint}");
        return Some(Change::TableOption { table, name, value: Some(value.to_owned()) });
    }
    let _optional: bool = part.eat("COLUMN");
    let _exists: bool = part.eat("IF EXISTS");
    let column = part.name()?;
    if part.eat("SET DEFAULT") {
        let default = part.line();
        let default = (!default.eq_ignore_ascii_case("null")).then_some(default);
        return Some(Change::SetDefault { table, column, default });
    }
    if part.eat("DROP DEFAULT") {
        return Some(Change::SetDefault { table, column, default: None });
    }
    part.eat_any(&["SET INVISIBLE", "SET VISIBLE"])
        .then(|| Change::TableSetting { table, what: whole.line() })
}

fn rename(mut part: Reader<'_>, table: &TableName) -> Option<Change> {
    let table = table.clone();
    let is_index = part.eat_any(&["INDEX", "KEY"]);
    // Servers want the word COLUMN; `RENAME a TO b` can mean nothing else.
    let is_column = part.eat("COLUMN") || part.rest.get(1).is_some_and(|next| next.is_word("TO"));
    if is_index || is_column {
        let _exists: bool = part.eat("IF EXISTS");
        let old = part.name()?;
        part.eat("TO").then_some(())?;
        let to = part.name()?;
        let change = if is_index {
            Change::RenameIndex { table: Some(table), index: old, to }
        } else {
            Change::RenameColumn { table, column: old, to }
        };
        return part.is_empty().then_some(change);
    }
    let _optional: bool = part.eat_any(&["TO", "AS"]) || part.eat_token(&Token::Eq);
    let to = part.table()?;
    let to = TableName { schema: to.schema.or_else(|| table.schema.clone()), ..to };
    part.is_empty().then_some(Change::RenameTable { table, to })
}
