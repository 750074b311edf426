//! Options of a table as a whole.

use sqlparser::tokenizer::Token;

use super::super::reader::Reader;
use super::column::value;
use crate::model::name::TableName;
use crate::sql::change::Change;

/// Reads options up to the end; `None` when something else is there.
pub(super) fn read(mut part: Reader<'_>, table: &TableName) -> Option<Vec<Change>> {
    let mut changes = Vec::new();
    while !part.is_empty() {
        if part.eat_token(&Token::Comma) {
            continue;
        }
        changes.push(one(&mut part, table)?);
    }
    Some(changes)
}

fn option(table: &TableName, name: &str, value: Option<String>) -> Change {
    Change::TableOption { table: table.clone(), name: name.to_owned(), value }
}

fn one(part: &mut Reader<'_>, table: &TableName) -> Option<Change> {
    let word = part.word();
    match word.as_str() {
        "ALGORITHM" | "LOCK" => return demand(part, table),
        "FORCE" => {
            part.skip();
            return Some(option(table, "FORCE", None));
        }
        "SECONDARY_LOAD" | "SECONDARY_UNLOAD" => {
            part.skip();
            return Some(option(table, &word, None));
        }
        "ORDER" => {
            part.eat("ORDER BY").then_some(())?;
            let by = part.line();
            part.rest = &[];
            return Some(option(table, "ORDER BY", Some(by)));
        }
        "CONVERT" => return convert(part, table),
        "ENABLE" | "DISABLE" => {
            part.skip();
            part.eat("KEYS").then_some(())?;
            return Some(option(table, "KEYS", Some(word)));
        }
        "DISCARD" | "IMPORT" => {
            part.skip();
            part.eat("TABLESPACE").then_some(())?;
            return Some(option(table, &format!("{word} TABLESPACE"), None));
        }
        _ => {}
    }
    if part.eat_any(&["WITHOUT VALIDATION", "WITH VALIDATION"]) {
        return Some(Change::Harmless);
    }
    if part.eat("WITH SYSTEM VERSIONING") {
        return Some(option(table, "SYSTEM VERSIONING", Some("ADD".to_owned())));
    }
    let _default: bool = part.eat("DEFAULT");
    if part.eat_any(&["CHARACTER SET", "CHAR SET", "CHARSET"]) {
        let _equals: bool = part.eat_token(&Token::Eq);
        return Some(option(table, "CHARSET", Some(value(part)?)));
    }
    if part.eat_any(&["DATA DIRECTORY", "INDEX DIRECTORY"]) {
        let _equals: bool = part.eat_token(&Token::Eq);
        return Some(option(table, "DIRECTORY", Some(value(part)?)));
    }
    let name = part.name()?.to_ascii_uppercase();
    let equals = part.eat_token(&Token::Eq);
    let value = match part.parenthesis() {
        Some(list) => list.line(),
        None => value(part)?,
    };
    if name == "TABLESPACE" && part.eat("STORAGE") {
        part.skip();
    }
    let known = equals || KNOWN.contains(&name.as_str());
    known.then(|| option(table, &name, Some(value)))
}

/// Options that need no `=`.
const KNOWN: &[&str] = &[
    "ENGINE",
    "TYPE",
    "COLLATE",
    "ROW_FORMAT",
    "KEY_BLOCK_SIZE",
    "AUTO_INCREMENT",
    "COMMENT",
    "STATS_PERSISTENT",
    "STATS_AUTO_RECALC",
    "STATS_SAMPLE_PAGES",
    "ENCRYPTION",
    "ENCRYPTED",
    "ENCRYPTION_KEY_ID",
    "COMPRESSION",
    "PAGE_COMPRESSED",
    "PAGE_COMPRESSION_LEVEL",
    "TABLESPACE",
    "MAX_ROWS",
    "MIN_ROWS",
    "AVG_ROW_LENGTH",
    "CHECKSUM",
    "PAGE_CHECKSUM",
    "TABLE_CHECKSUM",
    "TRANSACTIONAL",
    "PACK_KEYS",
    "DELAY_KEY_WRITE",
    "INSERT_METHOD",
    "UNION",
    "AUTOEXTEND_SIZE",
    "SECONDARY_ENGINE",
    "ENGINE_ATTRIBUTE",
    "SECONDARY_ENGINE_ATTRIBUTE",
    "CONNECTION",
    "PASSWORD",
    "SEQUENCE",
];

/// `ALGORITHM [=] x`, `LOCK [=] x`.
pub(super) fn demand(part: &mut Reader<'_>, table: &TableName) -> Option<Change> {
    let is_algorithm = part.eat("ALGORITHM");
    if !is_algorithm {
        part.eat("LOCK").then_some(())?;
    }
    let _equals: bool = part.eat_token(&Token::Eq);
    let asked = Some(value(part)?.to_ascii_uppercase()).filter(|asked| asked != "DEFAULT");
    let (algorithm, lock) = if is_algorithm { (asked, None) } else { (None, asked) };
    Some(Change::Demand { table: table.clone(), algorithm, lock })
}

fn convert(part: &mut Reader<'_>, table: &TableName) -> Option<Change> {
    part.eat("CONVERT TO").then_some(())?;
    part.eat_any(&["CHARACTER SET", "CHAR SET", "CHARSET"]).then_some(())?;
    let _equals: bool = part.eat_token(&Token::Eq);
    let mut text = value(part)?;
    if part.eat("COLLATE") {
        let _equals: bool = part.eat_token(&Token::Eq);
        text = format!("{text} COLLATE {}", value(part)?);
    }
    Some(option(table, "CONVERT", Some(text)))
}
