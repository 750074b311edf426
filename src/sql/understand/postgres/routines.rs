//! Functions and procedures.

use sqlparser::tokenizer::Token;

use super::words;
use crate::sql::act::Act;
use crate::sql::split::statements;
use crate::sql::tokens::{self, Lexeme};
use crate::sql::understand::interface;
use crate::sql::understand::reader::Reader;
use crate::sql::understand::reads;

/// Behind CREATE FUNCTION, CREATE PROCEDURE. The server reads the body of an SQL function when it is made.
pub(super) fn create(mut rest: Reader<'_>) -> Option<Act> {
    let name = rest.table()?;
    let interface = interface::of_routine(rest);
    let _arguments: Reader<'_> = rest.parenthesis()?;
    let act = Act::new("create_function", words("CREATE FUNCTION", &name)).about(name);
    let act = Act { interface, ..act };
    let act =
        act.mark("immutable", rest.has_word("IMMUTABLE")).mark("stable", rest.has_word("STABLE"));
    let language = language(rest);
    let atomic = atomic(rest);
    let act = act.mark("atomic", atomic.is_some());
    let (language, text) = match (language, atomic) {
        (language, Some(body)) => (language.unwrap_or_else(|| "sql".to_owned()), body.to_owned()),
        (Some(language), None) => (language, body(rest).unwrap_or_default()),
        (None, None) => return Some(act),
    };
    let mut act = Act { text, ..act };
    if language == "sql" {
        act = act.mark("sql", atomic.is_none());
        let (reads, writes) = inside(&act.text, rest);
        act.reads = reads;
        act.others = writes;
    } else if language == "plpgsql" {
        act = act.mark("plpgsql", true);
    }
    Some(act)
}

fn language(rest: Reader<'_>) -> Option<String> {
    let at = rest.rest.iter().position(|lexeme| lexeme.is_word("LANGUAGE"))?;
    let named = rest.rest.get(at + 1)?;
    match &named.token {
        Token::Word(word) => Some(word.value.to_ascii_lowercase()),
        Token::SingleQuotedString(text) => Some(text.to_ascii_lowercase()),
        _ => None,
    }
}

/// The text behind AS.
fn body(rest: Reader<'_>) -> Option<String> {
    let pair = rest.rest.windows(2).find_map(|pair| match pair {
        [word, text] if word.is_word("AS") => Some(text),
        _ => None,
    })?;
    text_of(pair)
}

fn text_of(lexeme: &Lexeme) -> Option<String> {
    match &lexeme.token {
        Token::SingleQuotedString(text) => Some(text.replace("''", "'")),
        Token::EscapedStringLiteral(text) => Some(text.clone()),
        Token::DollarQuotedString(text) => Some(text.value.clone()),
        _ => None,
    }
}

/// What stands between BEGIN ATOMIC and END, or behind RETURN.
fn atomic(rest: Reader<'_>) -> Option<&str> {
    let at = rest.rest.windows(2).position(|pair| {
        matches!(pair, [begin, atomic] if begin.is_word("BEGIN") && atomic.is_word("ATOMIC"))
    });
    if let Some(at) = at {
        let inner = rest.rest.get(at + 2..rest.rest.len().checked_sub(1)?)?;
        return Some(Reader { rest: inner, ..rest }.text());
    }
    let at = rest.rest.iter().position(|lexeme| lexeme.is_word("RETURN"))?;
    None.or_else(|| {
        let inner = rest.rest.get(at + 1..)?;
        let text = Reader { rest: inner, ..rest }.text();
        // An expression is a query without SELECT.
        (!text.is_empty()).then_some(text)
    })
}

/// What the statements of a body read and write.
fn inside(
    body: &str,
    outer: Reader<'_>,
) -> (Vec<crate::sql::act::Read>, Vec<crate::model::name::TableName>) {
    let (mut all, mut writes) = (Vec::new(), Vec::new());
    for statement in statements(body, outer.engine) {
        let lexed = tokens::acting(&statement.sql, outer.engine);
        let reader = Reader { sql: &statement.sql, engine: outer.engine, rest: &lexed.lexemes };
        let found = reads::of(reader);
        all.extend(found.reads);
        writes.extend(found.writes);
    }
    (all, writes)
}

/// Behind ALTER FUNCTION, ALTER PROCEDURE, ALTER ROUTINE.
pub(super) fn alter(mut rest: Reader<'_>) -> Option<Act> {
    let name = rest.table()?;
    let _arguments: Option<Reader<'_>> = rest.parenthesis();
    let act = Act::new("alter_function", words("ALTER FUNCTION", &name)).about(name);
    Some(super::views::moved(rest, act))
}
