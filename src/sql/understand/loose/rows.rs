//! Statements about rows: the tables that they change, wherever in the statement that stands.

use sqlparser::tokenizer::Token;

use crate::model::server::Engine;
use crate::sql::act::Act;
use crate::sql::change::Change;
use crate::sql::tokens::Lexeme;
use crate::sql::understand::functions::is_known_function;
use crate::sql::understand::leading::insert_shape;
use crate::sql::understand::opaque;
use crate::sql::understand::reader::Reader;
use crate::sql::understand::reads;

/// SELECT, WITH, UPDATE, DELETE, MERGE, VALUES: at least one change.
pub(super) fn rows(reader: Reader<'_>) -> Option<Vec<Change>> {
    let mut begin = reader;
    while begin.eat_token(&Token::LParen) {}
    let word = begin.word();
    if !matches!(
        word.as_str(),
        "SELECT" | "WITH" | "UPDATE" | "DELETE" | "MERGE" | "VALUES" | "TABLE" | "INSERT"
    ) {
        return None;
    }
    let mut changes = Vec::new();
    let mut rest = reader;
    let mut before: Option<&Lexeme> = None;
    while let Some((first, tail)) = rest.rest.split_first() {
        // A statement begins the text, the parentheses of WITH, or what follows them.
        let begins =
            before.is_none_or(|before| matches!(before.token, Token::LParen | Token::RParen));
        if begins {
            changes.extend(change(rest)?);
        }
        before = Some(first);
        rest = Reader { rest: tail, ..rest };
    }
    if word == "SELECT" {
        changes.extend(selected(begin));
    }
    if reader.engine == Engine::Postgres {
        let reads = reads::of(reader).reads;
        if !reads.is_empty() {
            let act = Act { reads, ..Act::new("read", "its query") };
            changes.push(Change::Act(Box::new(act)));
        }
    }
    if changes.is_empty() {
        changes.push(Change::Harmless);
    }
    Some(changes)
}

/// What a part that may begin with a verb changes: nothing, a table, or something that is not named (`None`).
fn change(mut reader: Reader<'_>) -> Option<Vec<Change>> {
    let level = Level { reader };
    if reader.eat("UPDATE") {
        while reader.eat_any(&["LOW_PRIORITY", "IGNORE", "ONLY"]) {}
        let table = reader.table()?;
        return Some(vec![Change::Update {
            table,
            filtered: level.has_word("WHERE") || level.has_word("LIMIT"),
            columns: Vec::new(),
        }]);
    }
    if reader.eat("DELETE") {
        while reader.eat_any(&["LOW_PRIORITY", "QUICK", "IGNORE"]) {}
        let _from: bool = reader.eat("FROM");
        let _only: bool = reader.eat("ONLY");
        let table = reader.table()?;
        return Some(vec![Change::Delete {
            table,
            filtered: level.has_word("WHERE") || level.has_word("LIMIT"),
        }]);
    }
    if reader.eat_any(&["INSERT", "REPLACE"]) {
        while reader.eat_any(&["LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE"]) {}
        // Both are functions, too.
        if !reader.eat("INTO") {
            return Some(Vec::new());
        }
        let table = reader.table()?;
        return Some(vec![Change::Insert {
            table,
            shape: insert_shape(reader),
            columns: Vec::new(),
            rows: Vec::new(),
        }]);
    }
    if reader.eat("MERGE INTO") {
        let _only: bool = reader.eat("ONLY");
        return Some(vec![Change::Update {
            table: reader.table()?,
            filtered: true,
            columns: Vec::new(),
        }]);
    }
    Some(Vec::new())
}

/// What stands on the same level of parentheses: up to the one that closes it.
struct Level<'a> {
    reader: Reader<'a>,
}

impl Level<'_> {
    fn has_word(&self, upper: &str) -> bool {
        let mut depth = 0_usize;
        for lexeme in self.reader.rest {
            match lexeme.token {
                Token::LParen => depth += 1,
                Token::RParen => match depth.checked_sub(1) {
                    Some(less) => depth = less,
                    None => return false,
                },
                _ if depth == 0 && lexeme.is_word(upper) => return true,
                _ => {}
            }
        }
        false
    }
}

/// SELECT: a table that it makes, or a function that it is there for.
fn selected(mut reader: Reader<'_>) -> Option<Change> {
    let level = Level { reader };
    let has_from = level.has_word("FROM");
    reader.skip();
    if level.has_word("INTO") {
        let mut into = reader;
        while !into.is_empty() && !into.eat("INTO") {
            into.skip();
        }
        let temporary = into.eat_any(&["TEMPORARY", "TEMP"]);
        let _words: bool = into.eat_any(&["UNLOGGED TABLE", "UNLOGGED", "TABLE"]);
        let is_variable = into.engine.is_mysql_family();
        return into.table().filter(|_| !is_variable).map(|table| Change::CreateTable {
            table,
            columns: Vec::new(),
            key: Vec::new(),
            if_not_exists: false,
            temporary,
            options: String::new(),
            origin: Box::default(),
        });
    }
    let name = reader.table()?;
    let calls = reader.rest.first().is_some_and(|next| next.token == Token::LParen);
    (calls && !has_from && !is_known_function(&name, reader.engine))
        .then(|| opaque(format!("it calls function \"{}\", which can do anything", name.name)))
}
