//! What CREATE TABLE says beside its columns: partitions, parents, LIKE, OF, AS.

use sqlparser::tokenizer::Token;

use super::partitions::bound;
use super::views::without_data;
use super::{behind, query};
use crate::model::name::TableName;
use crate::sql::change::Origin;
use crate::sql::understand::reader::Reader;

/// Reads a whole CREATE TABLE.
pub(in crate::sql::understand) fn origin(mut rest: Reader<'_>) -> Origin {
    let unlogged = rest.rest.iter().take(3).any(|lexeme| lexeme.is_word("UNLOGGED"));
    let mut origin = Origin { unlogged, ..Origin::default() };
    if behind(&mut rest, "TABLE").is_none() {
        return origin;
    }
    let _exists: bool = rest.eat("IF NOT EXISTS");
    let _name: Option<TableName> = rest.table();
    if rest.eat("PARTITION OF") {
        origin.parents.extend(rest.table());
    } else if rest.eat("OF") {
        origin.of_type = rest.table();
    }
    if let Some(inside) = rest.parenthesis() {
        for mut part in inside.parts() {
            if part.eat("LIKE") {
                origin.like.extend(part.table());
                origin.like_indexes |= includes(part, "INDEXES");
                origin.like_checks |= includes(part, "CONSTRAINTS");
            }
        }
    }
    origin.bound = bound(&mut rest);
    if rest.eat("INHERITS") {
        let parents = rest.parenthesis().map(|mut inside| inside.tables());
        origin.parents.extend(parents.flatten().unwrap_or_default());
    }
    if rest.eat("PARTITION BY") {
        rest.skip();
        if let Some(inside) = rest.parenthesis() {
            origin.partitioned_by = inside.parts().into_iter().map(expression).collect();
        }
    }
    if behind(&mut rest, "AS").is_some() {
        let (rest, no_data) = without_data(rest);
        origin.reads = query(rest);
        origin.no_data = no_data;
    }
    origin
}

/// Whether LIKE takes over these, too.
fn includes(part: Reader<'_>, what: &str) -> bool {
    let says = |verb: &str, what: &str| {
        part.rest
            .windows(2)
            .any(|pair| matches!(pair, [a, b] if a.is_word(verb) && b.is_word(what)))
    };
    (says("INCLUDING", what) || says("INCLUDING", "ALL")) && !says("EXCLUDING", what)
}

/// A column by its name, an expression as written.
fn expression(mut part: Reader<'_>) -> String {
    let text = part.text().to_owned();
    match part.name() {
        Some(name) if part.rest.first().is_none_or(|next| next.token != Token::LParen) => name,
        _ => text,
    }
}
