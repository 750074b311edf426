//! A statement to changes: by sqlparser, and where it cannot, by words over the same tokens.
//!
//! Invariant: what is not understood is `Change::Opaque`, never nothing.

mod alter;
mod clauses;
mod column;
mod functions;
mod interface;
mod leading;
mod loose;
mod mysql;
mod place;
mod postgres;
mod postgres_alter;
mod query;
mod reader;
mod reads;
mod statement;
mod values;

use sqlparser::tokenizer::Token;

use super::change::{Change, Located};
use super::span::{Places, Span};
use super::templates::is_filled_in;
use super::tokens::{Lexed, acting_up_to};
use crate::model::server::Engine;
pub(crate) use mysql::Session;
pub(crate) use place::{column_span, listed_span};
pub(crate) use postgres::Zone;
pub(super) use postgres::of_body;
use reader::Reader;

/// Tokens of one statement that are looked at. Rows of an INSERT do not count: they are not parsed.
const MAX_TOKENS: usize = 100_000;

/// Statements with so many tokens are not looked at at all, so that a long text takes little more memory than its own.
const TOO_MANY: usize = 4 * MAX_TOKENS;

/// From how many tokens on a statement is read on a thread with a stack of its own: sqlparser's trees of long chains
/// (`a OR b OR ...`) are as deep as they are long.
const SMALL: usize = 2_000;

/// That thread's stack: only what is used of it takes memory.
const STACK: usize = 1 << 30;

/// What a statement does, and which clause of it; at least one change.
///
/// `sql` is exactly one statement and stands at `span` of its file.
pub(crate) fn understand(sql: &str, span: Span, engine: Engine) -> Vec<Located> {
    let Lexed { mut lexemes, error } = acting_up_to(TOO_MANY, head(sql), engine);
    if lexemes.len() >= TOO_MANY {
        let why = too_many();
        return vec![Located::new(Change::Opaque { why }, span)];
    }
    // Rows that were cut off may be cut inside a text.
    let error = error.filter(|_| head(sql).len() == sql.len());
    // psql's own `\copy`.
    if lexemes.first().is_some_and(|first| first.token == Token::Backslash) {
        lexemes.remove(0);
    }
    let places = Places::within(sql, span);
    if let Some(why) = error {
        return vec![Located::new(Change::Opaque { why }, span)];
    }
    let reader = mysql::without_settings(Reader { sql, engine, rest: &lexemes });
    // `{{ end }}` behind the last statement.
    if lexemes.is_empty() && (sql.contains("{{") || sql.contains("{%")) {
        return vec![Located::new(Change::Harmless, span)];
    }
    if engine == Engine::Postgres
        && let Some(changes) = postgres::of_do(reader, span)
    {
        return changes;
    }
    let changes = if lexemes.len() <= SMALL { changes(reader) } else { on_a_big_stack(reader) };
    changes
        .into_iter()
        .map(|(change, clause)| Located {
            change,
            span: clause.map_or(span, |(start, end)| places.span(start, end)),
            marks: match clause {
                Some(bytes) => alter::marks(reader, bytes),
                None => statement::marks(reader),
            },
        })
        .collect()
}

/// What of a statement is looked at: of many rows to be inserted, only the first.
fn head(sql: &str) -> &str {
    const ENOUGH: usize = 64 << 10;
    let inserts = ["INSERT", "REPLACE"]
        .iter()
        .any(|verb| sql.get(..verb.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(verb)));
    if inserts && sql.len() > ENOUGH {
        sql.get(..sql.floor_char_boundary(ENOUGH)).unwrap_or(sql)
    } else {
        sql
    }
}

/// A change and the bytes of its clause; none: the whole statement.
type Clause = (Change, Option<(usize, usize)>);

fn changes(reader: Reader<'_>) -> Vec<Clause> {
    if let Some(clauses) = alter::alter_table(reader) {
        return clauses;
    }
    let own = match reader.engine {
        Engine::Postgres => postgres::by_words(reader),
        Engine::MySql | Engine::MariaDb => None,
    };
    let changes = own.or_else(|| leading::by_words(reader)).unwrap_or_else(|| {
        if reader.rest.len() > MAX_TOKENS {
            vec![Change::Opaque { why: too_many() }]
        } else {
            statement::by_parser(reader)
        }
    });
    changes.into_iter().map(|change| (change, None)).collect()
}

fn on_a_big_stack(reader: Reader<'_>) -> Vec<Clause> {
    let opaque = || {
        let why = "it is too long to be read on this machine".to_owned();
        vec![(Change::Opaque { why }, None)]
    };
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, move || changes(reader))
            .map_or_else(|_| opaque(), |thread| thread.join().unwrap_or_else(|_| opaque()))
    })
}

fn too_many() -> String {
    format!("it has more than {MAX_TOKENS} tokens")
}

/// Says that nothing is known: because a place in it is not filled in, or for another reason.
fn unread(reader: Reader<'_>, why: impl Into<String>) -> Change {
    if reader.rest.iter().any(is_filled_in) {
        return opaque("its text is filled in by another tool");
    }
    opaque(why)
}

/// The change that says that nothing is known.
fn opaque(why: impl Into<String>) -> Change {
    Change::Opaque { why: why.into() }
}

#[cfg(test)]
mod odd_tests;
#[cfg(test)]
mod tests;
