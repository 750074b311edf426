//! Which columns the WHERE of an UPDATE or DELETE sets equal to given values: with a whole key of them it is one row.

use sqlparser::tokenizer::Token;

use super::tokens::{self, Lexeme, acting};
use crate::model::server::Engine;

/// So many values in an IN are still few rows.
const FEW: usize = 100;

/// The columns, by the names that the server knows them by. Empty where more than one table plays a part, or an OR.
pub(crate) fn pinned(sql: &str, engine: Engine) -> Vec<String> {
    let lexemes = acting(sql, engine).lexemes;
    let Some(condition) = condition(&lexemes) else { return Vec::new() };
    condition
        .split(|lexeme| lexeme.is_word("AND"))
        .filter_map(|part| column(part, engine))
        .collect()
}

/// What stands behind WHERE, with every group in parentheses left as it is.
fn condition(lexemes: &[Lexeme]) -> Option<&[Lexeme]> {
    let first = lexemes.first()?;
    if !first.is_word("UPDATE") && !first.is_word("DELETE") {
        return None;
    }
    let (mut depth, mut begin, mut end) = (0_usize, None, lexemes.len());
    for (at, lexeme) in lexemes.iter().enumerate() {
        match lexeme.token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            _ if begin.is_none() && lexeme.is_word("WHERE") => begin = Some(at + 1),
            // UPDATE ... FROM, DELETE ... USING, joins: another table decides, too.
            _ if ["JOIN", "USING"].iter().any(|word| lexeme.is_word(word)) => return None,
            _ if lexeme.is_word("FROM") && at != 1 => return None,
            _ if begin.is_some() && (lexeme.is_word("OR") || lexeme.is_word("BETWEEN")) => {
                return None;
            }
            _ if begin.is_some()
                && ["RETURNING", "LIMIT", "ORDER"].iter().any(|w| lexeme.is_word(w)) =>
            {
                end = at;
                break;
            }
            _ => {}
        }
    }
    lexemes.get(begin?..end)
}

/// The column of `c = 1` or `c IN (1, 2)`.
fn column(part: &[Lexeme], engine: Engine) -> Option<String> {
    let name = |lexeme: &Lexeme| match &lexeme.token {
        Token::Word(word) => Some(tokens::name(&word.value, word.quote_style, engine)),
        _ => None,
    };
    let (first, rest) = part.split_first()?;
    let (column, rest) = match rest {
        [dot, column, rest @ ..] if dot.token == Token::Period => (name(column)?, rest),
        _ => (name(first)?, rest),
    };
    let is_given = match rest {
        [equals, value, cast @ ..] if equals.token == Token::Eq => {
            is_literal(value) && cast.first().is_none_or(|next| next.token == Token::DoubleColon)
        }
        [within, open, values @ .., close]
            if within.is_word("IN")
                && open.token == Token::LParen
                && close.token == Token::RParen =>
        {
            values.len() < 2 * FEW
                && values.iter().all(|value| is_literal(value) || value.token == Token::Comma)
        }
        _ => false,
    };
    is_given.then_some(column)
}

fn is_literal(lexeme: &Lexeme) -> bool {
    matches!(
        lexeme.token,
        Token::Number(..)
            | Token::SingleQuotedString(_)
            | Token::DoubleQuotedString(_)
            | Token::NationalStringLiteral(_)
            | Token::HexStringLiteral(_)
            | Token::EscapedStringLiteral(_)
            | Token::Placeholder(_)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_pinned_by_values_that_are_given() {
        let check = |sql, expected: &[&str]| {
            assert_eq!(pinned(sql, Engine::Postgres), expected, "{sql}");
        };
        check("UPDATE t SET a = 1 WHERE id = 7", &["id"]);
        check("UPDATE t SET a = 1 WHERE t.id = 'x'::uuid AND b IN (1, 2) AND c > 3", &["id", "b"]);
        check("DELETE FROM t WHERE id = 7 OR b = 1", &[]);
        check("DELETE FROM t WHERE id = other", &[]);
        check("DELETE FROM t WHERE id IN (SELECT 1)", &[]);
        check("DELETE FROM t USING u WHERE id = 7", &[]);
        check("UPDATE t SET a = 1 FROM u WHERE t.id = 7", &[]);
        check("UPDATE t SET a = (SELECT b FROM u WHERE id = 1)", &[]);
        check("WITH x AS (SELECT 1) UPDATE t SET a = 1 WHERE id = 7", &[]);
        check("DELETE FROM t WHERE id = 7 + b", &[]);
    }
}
