//! Operations on partitions.

use super::super::reader::Reader;
use crate::model::name::TableName;
use crate::sql::change::Change;

/// The verb of an operation on partitions, when one begins here: its commas separate partitions.
pub(super) fn verb(part: Reader<'_>) -> Option<String> {
    let words = part.words(2);
    let [first, second, ..] = words.as_slice() else { return None };
    let is_one = match second.as_str() {
        "PARTITION" => matches!(
            first.as_str(),
            "ADD"
                | "DROP"
                | "TRUNCATE"
                | "REORGANIZE"
                | "COALESCE"
                | "EXCHANGE"
                | "REBUILD"
                | "ANALYZE"
                | "CHECK"
                | "OPTIMIZE"
                | "REPAIR"
                | "DISCARD"
                | "IMPORT"
                | "CONVERT"
        ),
        "BY" => first == "PARTITION",
        "PARTITIONING" => matches!(first.as_str(), "REMOVE" | "UPGRADE"),
        "TABLE" => first == "CONVERT",
        _ => false,
    };
    is_one.then(|| format!("{first} {second}"))
}

/// Reads an operation on partitions.
pub(super) fn read(mut part: Reader<'_>, table: &TableName) -> Option<Change> {
    let mut operation = verb(part)?;
    part.skip();
    part.skip();
    let (mut method, mut columns, mut to) = (None, Vec::new(), None);
    match operation.as_str() {
        "PARTITION BY" => (method, columns) = by(&mut part),
        "ADD PARTITION" => {
            let _exists: bool = part.eat("IF NOT EXISTS");
            let _local: bool = part.eat_any(&["NO_WRITE_TO_BINLOG", "LOCAL"]);
            // `PARTITIONS n` spreads the rows anew; a list adds empty partitions.
            if part.word() == "PARTITIONS" {
                method = Some("HASH".to_owned());
            }
        }
        "EXCHANGE PARTITION" => {
            part.name()?;
            part.eat("WITH TABLE").then_some(())?;
            to = Some(part.table()?);
            if part.eat("WITHOUT VALIDATION") {
                method = Some("WITHOUT VALIDATION".to_owned());
            }
        }
        "CONVERT TABLE" => to = Some(part.table()?),
        "CONVERT PARTITION" => {
            part.name()?;
            part.eat("TO TABLE").then_some(())?;
            to = Some(part.table()?);
        }
        "REORGANIZE PARTITION" if part.is_empty() => operation.push_str(" ALL"),
        _ => {
            let _local: bool = part.eat_any(&["NO_WRITE_TO_BINLOG", "LOCAL"]);
            if part.word() == "ALL" {
                operation.push_str(" ALL");
            }
        }
    }
    Some(Change::Partitions { table: table.clone(), operation, method, columns, to })
}

/// The method and the columns of `PARTITION BY`.
fn by(part: &mut Reader<'_>) -> (Option<String>, Vec<String>) {
    let linear = if part.eat("LINEAR") { "LINEAR " } else { "" };
    let word = part.word();
    part.skip();
    let columns = if part.eat("COLUMNS") { " COLUMNS" } else { "" };
    if part.eat("ALGORITHM") {
        // KEY ALGORITHM = 2
        part.skip();
        part.skip();
    }
    let inside = part.parenthesis();
    let names = inside.map(|inside| inside.rest.iter().filter_map(name).collect());
    (Some(format!("{linear}{word}{columns}")), names.unwrap_or_default())
}

/// A word of an expression, which may be a column or a function.
fn name(lexeme: &crate::sql::tokens::Lexeme) -> Option<String> {
    match &lexeme.token {
        sqlparser::tokenizer::Token::Word(word) => Some(word.value.clone()),
        _ => None,
    }
}
