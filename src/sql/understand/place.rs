//! Where in a statement something stands that is said of a part of it.

use sqlparser::tokenizer::Token;

use super::reader::Reader;
use crate::model::server::Engine;
use crate::sql::span::{Places, Span};
use crate::sql::tokens::acting;

/// The definition of a column in a CREATE TABLE that stands at `span` of its file.
pub(crate) fn column_span(sql: &str, span: Span, column: &str, engine: Engine) -> Option<Span> {
    let lexemes = acting(sql, engine).lexemes;
    let mut reader = Reader { sql, engine, rest: &lexemes };
    let columns = loop {
        if let Some(columns) = reader.parenthesis() {
            break columns;
        }
        if reader.is_empty() {
            return None;
        }
        reader.skip();
    };
    let is_it = |part: &Reader<'_>| {
        let mut part = *part;
        part.name().is_some_and(|name| engine.same_name(&name, column))
    };
    let (start, end) = columns.parts().into_iter().find(is_it)?.bytes();
    Some(Places::within(sql, span).span(start, end))
}

/// Where a statement that stands at `span` of its file names one of several things that it is about: `DROP TABLE a, b`.
pub(crate) fn listed_span(sql: &str, span: Span, name: &str, engine: Engine) -> Option<Span> {
    let lexemes = acting(sql, engine).lexemes;
    let behind = |at: usize| {
        let before = at.checked_sub(1).and_then(|before| lexemes.get(before));
        before.is_some_and(|before| {
            before.token == Token::Comma || before.word().is_some_and(|word| leads(&word))
        })
    };
    (0..lexemes.len()).filter(|at| behind(*at)).find_map(|at| {
        let whole = Reader { sql, engine, rest: lexemes.get(at..)? };
        let mut reader = whole;
        let found = reader.table()?;
        let length = whole.rest.len().checked_sub(reader.rest.len())?;
        let (start, end) = Reader { rest: whole.rest.get(..length)?, ..whole }.bytes();
        engine.same_name(&found.name, name).then(|| Places::within(sql, span).span(start, end))
    })
}

/// Words behind which a list of names begins.
fn leads(word: &str) -> bool {
    matches!(word, "TABLE" | "TABLES" | "EXISTS" | "ONLY" | "TRUNCATE" | "INDEX" | "CONCURRENTLY")
}
