//! Operations on partitions.

use sqlparser::tokenizer::Token;

use super::super::reader::Reader;
use crate::model::name::TableName;
use crate::sql::catalog::Partition;
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
    let names = Names::read(part);
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
    let table = table.clone();
    let Names { listed, made } = names;
    Some(Change::Partitions { table, operation, method, columns, to, listed, made })
}

/// The partitions that an operation names.
#[derive(Default)]
struct Names {
    listed: Vec<String>,
    made: Vec<Partition>,
}

impl Names {
    /// `a, b INTO (PARTITION c ...)`, `BY RANGE (x) (PARTITION c ...)`, `(PARTITION c ...)`, `a, b`.
    fn read(mut part: Reader<'_>) -> Self {
        let mut found = Self::default();
        let _local: bool = part.eat_any(&["NO_WRITE_TO_BINLOG", "LOCAL"]);
        let _exists: bool = part.eat("IF EXISTS");
        while let Some(name) = part.name() {
            found.listed.push(name);
            if !part.eat_token(&Token::Comma) {
                break;
            }
        }
        while !part.is_empty() {
            match part.parenthesis() {
                Some(inside) if inside.word() == "PARTITION" => {
                    found.made.extend(inside.parts().into_iter().filter_map(partition));
                }
                Some(_) => {}
                None => part.skip(),
            }
        }
        found
    }
}

/// `PARTITION p VALUES LESS THAN (5)`, `PARTITION p VALUES IN (1, 2)`, `PARTITION p`.
fn partition(mut one: Reader<'_>) -> Option<Partition> {
    one.eat("PARTITION").then_some(())?;
    let name = one.name()?;
    let mut values = Vec::new();
    if one.eat_any(&["VALUES LESS THAN", "VALUES IN"]) {
        values = match one.parenthesis() {
            Some(inside) => inside.parts().iter().map(|part| part.text().to_owned()).collect(),
            None => vec![one.word()],
        };
    }
    Some(Partition { name, values })
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
        Token::Word(word) => Some(word.value.clone()),
        _ => None,
    }
}
