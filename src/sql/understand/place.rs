//! Where in a statement something stands that is said of a part of it.

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
