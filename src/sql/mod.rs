//! SQL text to statements, statements to changes, changes to effects; and the simulated catalog.
//!
//! Invariant: bad SQL is data, not an error; nothing here does IO; no other layer sees a parser's tree.

pub(crate) mod act;
pub(crate) mod catalog;
pub(crate) mod change;
pub(crate) mod effect;
pub(crate) mod effects;
pub(crate) mod estimate;
pub(crate) mod fits;
pub(crate) mod interface;
pub(crate) mod pinned;
pub(crate) mod quote;
pub(crate) mod redact;
mod relations;
pub(crate) mod rename;
pub(crate) mod replay;
pub(crate) mod seal;
pub(crate) mod span;
pub(crate) mod split;
pub(crate) mod tables;
mod templates;
mod tokens;
pub(crate) mod types;
mod understand;
pub(crate) mod update;

pub(crate) use understand::{Session, Zone, column_span, listed_span, understand};

/// The byte behind the word INDEX at the head of a statement: `CREATE [UNIQUE] INDEX`.
pub(crate) fn index_word(sql: &str, engine: crate::model::server::Engine) -> Option<usize> {
    let lexemes = tokens::acting(sql, engine).lexemes;
    lexemes.iter().take(3).find(|lexeme| lexeme.is_word("INDEX")).map(|lexeme| lexeme.end)
}

/// The byte behind the kind of object of a plain REINDEX: `REINDEX TABLE`, `REINDEX INDEX`; none when it has options.
pub(crate) fn reindex_target(sql: &str) -> Option<usize> {
    let lexemes = tokens::acting(sql, crate::model::server::Engine::Postgres).lexemes;
    let kind = lexemes.get(1).filter(|kind| kind.is_word("TABLE") || kind.is_word("INDEX"))?;
    Some(kind.end)
}
