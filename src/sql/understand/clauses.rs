//! Clauses of PostgreSQL's ALTER TABLE that sqlparser does not read, by their words.

use super::reader::Reader;
use crate::model::name::TableName;
use crate::sql::act::Act;
use crate::sql::change::Change;
use crate::sql::tokens::Lexeme;

/// What the clause does, when its words tell.
pub(super) fn by_words(part: Reader<'_>, table: &TableName) -> Option<Vec<Change>> {
    postgres(part, table).map(|change| vec![change])
}

fn setting(part: Reader<'_>, table: &TableName) -> Change {
    Change::TableSetting { table: table.clone(), what: part.line() }
}

fn rebuild(part: Reader<'_>, table: &TableName) -> Change {
    Change::Rebuild { table: table.clone(), what: part.line() }
}

fn postgres(part: Reader<'_>, table: &TableName) -> Option<Change> {
    let words = part.words(4);
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    Some(match words.as_slice() {
        ["ATTACH" | "DETACH", ..] => {
            Change::Act(Box::new(super::postgres::partition_clause(part, table)?))
        }
        ["INHERIT", ..] | ["NO", "INHERIT", ..] => inherit(part, table)?,
        ["SET", "SCHEMA", ..] => {
            let mut rest = part;
            rest.skip();
            rest.skip();
            let to = TableName { schema: Some(rest.name()?), name: table.name.clone() };
            Change::RenameTable { table: table.clone(), to }
        }
        // The rows move to new tables.
        ["SET", "TABLESPACE" | "ACCESS", ..]
        | ["MERGE", "PARTITIONS", ..]
        | ["SPLIT", "PARTITION", ..] => rebuild(part, table),
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
    let light =
        matches!(
            words.as_slice(),
            ["SET" | "RESET" | "RESTART", ..] | ["DROP", "IDENTITY" | "EXPRESSION"]
        ) && !matches!(words.as_slice(), ["SET", "EXPRESSION" | "DATA" | "NOT" | "DEFAULT"]);
    light.then(|| setting(part, table))
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

/// Takes out IF [NOT] EXISTS, STORAGE, names of NOT NULL constraints and the like.
pub(super) fn without_unknown_words(part: Reader<'_>) -> Known {
    let mut known = Known { rest: Vec::new(), if_not_exists: false, if_exists: false };
    let mut rest = part;
    while let Some((first, tail)) = rest.rest.split_first() {
        let before = rest;
        if rest.eat("IF NOT EXISTS") {
            known.if_not_exists = true;
        } else if rest.eat("IF EXISTS") {
            known.if_exists = true;
        } else if rest.eat_any(&["NO INHERIT", "NOT ENFORCED", "ENFORCED"]) {
        } else if rest.eat_any(&["STORAGE", "COMPRESSION"]) {
            rest.skip();
        } else if rest.eat("CONSTRAINT") && rest.name().is_some() && rest.word() == "NOT" {
        } else {
            rest = Reader { rest: tail, ..before };
            known.rest.push(first.clone());
        }
    }
    known
}
