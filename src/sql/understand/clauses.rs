//! Clauses of ALTER TABLE that sqlparser does not read, by their words.

use sqlparser::tokenizer::Token;

use super::alter::beside;
use super::opaque;
use super::reader::Reader;
use crate::model::name::TableName;
use crate::sql::act::Act;
use crate::sql::change::Change;
use crate::sql::tokens::Lexeme;

/// Whether the clauses are one about partitions, whose commas separate partitions.
pub(super) fn is_about_partitions(reader: Reader<'_>) -> bool {
    let words = reader.words(2);
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let verb = words.first().copied().unwrap_or_default();
    match words.get(1).copied().unwrap_or_default() {
        "PARTITION" => matches!(
            verb,
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
                | "ATTACH"
                | "DETACH"
                | "CONVERT"
        ),
        "BY" => verb == "PARTITION",
        "PARTITIONING" => verb == "REMOVE",
        _ => false,
    }
}

/// What the clause does, when its words tell.
pub(super) fn by_words(part: Reader<'_>, table: &TableName) -> Option<Vec<Change>> {
    let change =
        if part.engine.is_mysql_family() { mysql(part, table) } else { postgres(part, table) };
    change.map(|change| vec![change])
}

fn setting(part: Reader<'_>, table: &TableName) -> Change {
    Change::TableSetting { table: table.clone(), what: part.text().to_owned() }
}

fn rebuild(part: Reader<'_>, table: &TableName) -> Change {
    Change::Rebuild { table: table.clone(), what: part.text().to_owned() }
}

fn postgres(part: Reader<'_>, table: &TableName) -> Option<Change> {
    let words = part.words(4);
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    Some(match words.as_slice() {
        ["ATTACH" | "DETACH", ..] => {
            Change::Act(Box::new(super::postgres::partition_clause(part, table)?))
        }
        ["INHERIT" | "NO", name, ..] if *name != "FORCE" => inherit(part, table)?,
        ["SET", "SCHEMA", ..] => {
            let mut rest = part;
            rest.skip();
            rest.skip();
            let to = TableName { schema: Some(rest.name()?), name: table.name.clone() };
            Change::RenameTable { table: table.clone(), to }
        }
        ["SET", "TABLESPACE" | "ACCESS", ..] => rebuild(part, table),
        ["ALTER", "CONSTRAINT", ..] => setting(part, table),
        [first, ..] if is_light_verb(first) => setting(part, table),
        ["ALTER", ..] => return alter_column(part, table),
        _ => return None,
    })
}

/// `INHERIT parent`, `NO INHERIT parent`.
fn inherit(mut part: Reader<'_>, table: &TableName) -> Option<Change> {
    let kind = if part.eat("NO") { "no_inherit" } else { "inherit" };
    part.eat("INHERIT").then_some(())?;
    let parent = part.table()?;
    let act = Act { others: vec![parent], ..Act::new(kind, "INHERIT") };
    Some(Change::Act(Box::new(act.on([table.clone()]))))
}

/// Clauses of PostgreSQL that touch no row, whatever follows.
fn is_light_verb(word: &str) -> bool {
    matches!(
        word,
        "SET"
            | "RESET"
            | "CLUSTER"
            | "OF"
            | "NOT"
            | "NO"
            | "ENABLE"
            | "DISABLE"
            | "OWNER"
            | "FORCE"
            | "REPLICA"
            | "OPTIONS"
    )
}

/// Settings of a column that touch no row.
fn alter_column(part: Reader<'_>, table: &TableName) -> Option<Change> {
    let mut rest = part;
    rest.eat("ALTER").then_some(())?;
    let _optional: bool = rest.eat("COLUMN");
    let _column: String = rest.name()?;
    let words = rest.words(2);
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let light = matches!(
        words.as_slice(),
        ["SET", "STATISTICS" | "STORAGE" | "COMPRESSION" | "GENERATED" | "INVISIBLE" | "VISIBLE"]
            | ["SET" | "RESET" | "RESTART", ..]
            | ["DROP", "IDENTITY" | "EXPRESSION"]
    ) && !matches!(
        words.as_slice(),
        ["SET", "EXPRESSION" | "DATA" | "NOT" | "DEFAULT"]
    );
    light.then(|| setting(part, table))
}

fn mysql(part: Reader<'_>, table: &TableName) -> Option<Change> {
    if is_about_partitions(part) {
        return Some(opaque("partitions are not judged yet"));
    }
    let words = part.words(3);
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["ADD" | "DROP", "SYSTEM" | "PERIOD", ..] => {
            Some(opaque("system versioning is not judged yet"))
        }
        ["DISCARD" | "IMPORT", ..] => {
            Some(opaque("it takes the table's rows away or replaces them"))
        }
        ["DROP", ..] => mysql_drop(part, table),
        ["RENAME", ..] => mysql_rename(part, table),
        ["ALTER", "CHECK" | "CONSTRAINT", ..] => {
            let enforced = part.has_word("ENFORCED") && !part.has_word("NOT");
            Some(if enforced { rebuild(part, table) } else { setting(part, table) })
        }
        ["ALTER", "INDEX" | "KEY", ..] | ["ENABLE" | "DISABLE", "KEYS"] => {
            Some(setting(part, table))
        }
        ["ALTER", ..] => alter_column(part, table),
        ["ADD" | "CHANGE" | "MODIFY", ..] => None,
        ["ALGORITHM" | "LOCK" | "WAIT" | "NOWAIT", ..] | ["WITH" | "WITHOUT", "VALIDATION"] => {
            Some(Change::Harmless)
        }
        [first, ..] => {
            let words: Vec<_> = part.rest.iter().filter_map(Lexeme::word).collect();
            if words.iter().any(|word| is_rebuilding_option(word)) || *first == "ORDER" {
                Some(rebuild(part, table))
            } else {
                is_light_option(first).then(|| setting(part, table))
            }
        }
        [] => None,
    }
}

/// Options of a table that make the server write it anew. Source: executed truth table of ALGORITHM answers.
fn is_rebuilding_option(word: &str) -> bool {
    matches!(
        word,
        "ENGINE"
            | "CONVERT"
            | "FORCE"
            | "ROW_FORMAT"
            | "KEY_BLOCK_SIZE"
            | "ENCRYPTION"
            | "ENCRYPTED"
            | "TABLESPACE"
            | "PAGE_COMPRESSED"
            | "COMPRESSION"
            | "STORAGE"
    )
}

/// Options of a table that touch no row.
fn is_light_option(word: &str) -> bool {
    matches!(
        word,
        "COMMENT"
            | "DEFAULT"
            | "CHARACTER"
            | "CHARSET"
            | "COLLATE"
            | "AUTO_INCREMENT"
            | "STATS_PERSISTENT"
            | "STATS_AUTO_RECALC"
            | "STATS_SAMPLE_PAGES"
            | "MAX_ROWS"
            | "MIN_ROWS"
            | "AVG_ROW_LENGTH"
            | "CHECKSUM"
            | "DELAY_KEY_WRITE"
            | "INSERT_METHOD"
            | "PACK_KEYS"
            | "UNION"
            | "AUTOEXTEND_SIZE"
    )
}

fn mysql_drop(mut part: Reader<'_>, table: &TableName) -> Option<Change> {
    part.skip();
    let table = table.clone();
    let change = if part.eat_any(&["KEY", "INDEX"]) {
        let if_exists = part.eat("IF EXISTS");
        Change::DropIndex {
            table: Some(table),
            index: part.name()?,
            concurrently: false,
            if_exists,
        }
    } else if part.eat_any(&["CHECK", "CONSTRAINT", "FOREIGN KEY"]) {
        let _exists: bool = part.eat("IF EXISTS");
        Change::DropConstraint { table, constraint: part.name()? }
    } else {
        return None;
    };
    part.is_empty().then_some(change)
}

fn mysql_rename(mut part: Reader<'_>, table: &TableName) -> Option<Change> {
    part.skip();
    if part.eat_any(&["INDEX", "KEY"]) {
        let _exists: bool = part.eat("IF EXISTS");
        let index = part.name()?;
        part.eat("TO").then_some(())?;
        let to = part.name()?;
        let change = Change::RenameIndex { table: Some(table.clone()), index, to };
        return part.is_empty().then_some(change);
    }
    if part.eat("COLUMN") {
        let _exists: bool = part.eat("IF EXISTS");
        let column = part.name()?;
        part.eat("TO").then_some(())?;
        let to = part.name()?;
        let change = Change::RenameColumn { table: table.clone(), column, to };
        return part.is_empty().then_some(change);
    }
    let _optional: bool = part.eat_any(&["TO", "AS"]) || part.eat_token(&Token::Eq);
    let to = beside(part.table()?, table);
    part.is_empty().then(|| Change::RenameTable { table: table.clone(), to })
}

/// MySQL: `ADD [COLUMN] (a int, b int)`; each column is read as if it stood alone.
pub(super) fn in_parentheses(
    part: Reader<'_>,
    read: impl Fn(Reader<'_>) -> Option<Vec<Change>>,
) -> Option<Vec<Change>> {
    let mut rest = part;
    rest.eat("ADD").then_some(())?;
    let _optional: bool = rest.eat("COLUMN");
    let inside = rest.parenthesis()?;
    rest.is_empty().then_some(())?;
    let verb = part.rest.get(..1)?;
    let mut changes = Vec::new();
    for column in inside.parts() {
        let clause = [verb, column.rest].concat();
        changes.extend(read(Reader { rest: &clause, ..part })?);
    }
    Some(changes)
}

/// A clause without words that sqlparser does not know and that do not change what the clause costs.
pub(super) struct Known {
    /// What is left.
    pub(super) rest: Vec<Lexeme>,
    if_not_exists: bool,
    if_exists: bool,
}

impl Known {
    /// Puts back what the words said.
    pub(super) fn mark(&self, change: &mut Change) {
        match change {
            Change::AddColumn { if_not_exists, .. } | Change::CreateIndex { if_not_exists, .. } => {
                *if_not_exists |= self.if_not_exists;
            }
            Change::DropColumn { if_exists, .. } => *if_exists |= self.if_exists,
            _ => {}
        }
    }
}

/// Takes out IF [NOT] EXISTS, ZEROFILL, names of NOT NULL constraints and the like.
pub(super) fn without_unknown_words(part: Reader<'_>) -> Known {
    let mut known = Known { rest: Vec::new(), if_not_exists: false, if_exists: false };
    let mut rest = part;
    while let Some((first, tail)) = rest.rest.split_first() {
        let before = rest;
        if rest.eat("IF NOT EXISTS") {
            known.if_not_exists = true;
        } else if rest.eat("IF EXISTS") {
            known.if_exists = true;
        } else if rest.eat_any(&[
            "ZEROFILL",
            "NATIONAL",
            "INVISIBLE",
            "VISIBLE",
            "IGNORED",
            "NOT IGNORED",
            "NO INHERIT",
            "NOT ENFORCED",
            "ENFORCED",
        ]) {
        } else if rest.eat_any(&["WITH PARSER", "STORAGE", "COMPRESSION", "COLUMN_FORMAT"]) {
            rest.skip();
        } else if rest.eat("CONSTRAINT") && rest.name().is_some() && rest.word() == "NOT" {
        } else {
            rest = Reader { rest: tail, ..before };
            known.rest.push(first.clone());
        }
    }
    known
}
