//! Words of an ALTER TABLE that only one of the two servers knows: the other one refuses the statement.
//!
//! Sources: the manuals' grammars, each tried on both servers (rows of the change `grammar`).

use std::collections::BTreeSet;

use sqlparser::tokenizer::Token;

use super::index;
use crate::sql::tokens::Lexeme;
use crate::sql::understand::reader::Reader;

/// The marks of one clause; `head` is what stands in front of the clauses.
pub(in super::super) fn marks(head: &[Lexeme], clause: Reader<'_>) -> BTreeSet<&'static str> {
    let outside = outside(clause.rest);
    let has = |phrase: &[&str]| {
        outside
            .windows(phrase.len())
            .any(|found| found.iter().zip(phrase).all(|(lexeme, word)| lexeme.is_word(word)))
    };
    let waits = head.iter().any(|lexeme| lexeme.is_word("WAIT") || lexeme.is_word("NOWAIT"));
    let mut inside = clause;
    let adds_index = inside.eat("ADD") && index::begins(inside);
    let of_column = ["ADD", "MODIFY", "CHANGE"].iter().any(|verb| clause.word() == *verb);
    let of_column = of_column && !adds_index;
    let computed = of_column && outside.windows(2).any(is_computed);
    let parser = outside.windows(2).any(
        |pair| matches!(pair, [word, name] if word.is_word("PARSER") && name.is_word("NGRAM")),
    );
    let said = [
        ("of-mariadb", waits),
        ("of-mariadb", of_column && has(&["PERSISTENT"])),
        ("of-mariadb", of_column && outside.windows(2).any(is_compressed)),
        ("of-mariadb", adds_index && has(&["IGNORED"])),
        ("of-mysql", adds_index && (has(&["INVISIBLE"]) || has(&["VISIBLE"]))),
        ("of-mysql", has(&["DROP", "CHECK"]) || parser),
        ("of-mysql", of_column && has(&["SRID"])),
        ("of-mysql", computed && has(&["NOT", "NULL"])),
        ("of-mysql", outside.windows(2).any(is_in_tablespace)),
        ("validation", has(&["WITHOUT", "VALIDATION"]) || has(&["WITH", "VALIDATION"])),
        ("compressed-column", of_column && outside.windows(2).any(is_compressed)),
    ];
    said.into_iter().filter(|(_, holds)| *holds).map(|(mark, _)| mark).collect()
}

/// What stands outside parentheses, of which only the first one is left.
fn outside(lexemes: &[Lexeme]) -> Vec<&Lexeme> {
    let mut depth = 0_usize;
    let mut found = Vec::new();
    for lexeme in lexemes {
        if lexeme.token == Token::RParen {
            depth = depth.saturating_sub(1);
            continue;
        }
        if depth == 0 {
            found.push(lexeme);
        }
        if lexeme.token == Token::LParen {
            depth += 1;
        }
    }
    found
}

/// `AS (expression)`.
fn is_computed(pair: &[&Lexeme]) -> bool {
    matches!(pair, [word, open] if word.is_word("AS") && open.token == Token::LParen)
}

/// COMPRESSED as an attribute, not as the value of an option.
fn is_compressed(pair: &[&Lexeme]) -> bool {
    matches!(pair, [before, word] if word.is_word("COMPRESSED") && before.token != Token::Eq)
}

/// `TABLESPACE = name`: without the sign MariaDB knows it, too.
fn is_in_tablespace(pair: &[&Lexeme]) -> bool {
    matches!(pair, [word, sign] if word.is_word("TABLESPACE") && sign.token == Token::Eq)
}
