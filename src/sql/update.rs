//! The parts of an UPDATE that a backfill could take over, as written.

use sqlparser::tokenizer::Token;

use super::tokens::{Lexeme, acting};
use crate::model::server::Engine;

/// What an UPDATE sets, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct UpdateParts {
    /// What stands behind SET.
    pub(crate) set: String,
    /// What stands behind WHERE.
    pub(crate) filter: Option<String>,
}

/// The parts of `UPDATE table SET ... [WHERE ...]`; `None` for an UPDATE that does more (aliases, joins, FROM, LIMIT,
/// ORDER BY, RETURNING).
pub(crate) fn parts(sql: &str, engine: Engine) -> Option<UpdateParts> {
    let lexemes = acting(sql, engine).lexemes;
    let (first, rest) = lexemes.split_first()?;
    first.is_word("UPDATE").then_some(())?;
    let set = position(rest, "SET")?;
    // Behind UPDATE: ONLY, and a name with its qualifiers; an alias or another table would be one more word.
    let named = rest.get(..set)?.iter().filter(|lexeme| !lexeme.is_word("ONLY"));
    let mut name = named.map(|lexeme| &lexeme.token);
    while let Some(Token::Word(_)) = name.next() {
        match name.next() {
            Some(Token::Period) => {}
            None => break,
            Some(_) => return None,
        }
    }
    name.next().is_none().then_some(())?;
    let assignments = rest.get(set + 1..)?;
    let plain = ["FROM", "LIMIT", "ORDER", "RETURNING"]
        .iter()
        .all(|word| position(assignments, word).is_none());
    plain.then_some(())?;
    let filter_at = position(assignments, "WHERE");
    let set = text(sql, assignments.get(..filter_at.unwrap_or(assignments.len()))?)?;
    let filter = filter_at.and_then(|at| text(sql, assignments.get(at + 1..)?));
    Some(UpdateParts { set, filter })
}

/// The columns that stand on the left of what is behind SET.
pub(crate) fn assigned(set: &str, engine: Engine) -> Vec<String> {
    let (mut depth, mut is_left, mut columns) = (0_usize, true, Vec::new());
    for lexeme in acting(set, engine).lexemes {
        match &lexeme.token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            Token::Comma if depth == 0 => is_left = true,
            Token::Eq if depth == 0 => is_left = false,
            Token::Word(word) if is_left => columns.push(match word.quote_style {
                Some(_) => word.value.clone(),
                None => word.value.to_lowercase(),
            }),
            _ => {}
        }
    }
    columns
}

/// Where an unquoted word stands outside parentheses.
fn position(lexemes: &[Lexeme], upper: &str) -> Option<usize> {
    let mut depth = 0_usize;
    lexemes.iter().position(|lexeme| {
        match lexeme.token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && lexeme.is_word(upper)
    })
}

fn text(sql: &str, lexemes: &[Lexeme]) -> Option<String> {
    sql.get(lexemes.first()?.start..lexemes.last()?.end).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_of_one_table_has_two_parts() {
        let check = |sql, expected: Option<(&str, Option<&str>)>| {
            let found = parts(sql, Engine::Postgres).map(|parts| (parts.set, parts.filter));
            let expected =
                expected.map(|(set, filter)| (set.to_owned(), filter.map(str::to_owned)));
            assert_eq!(found, expected, "{sql}");
        };
        check("UPDATE t SET a = 1", Some(("a = 1", None)));
        check(
            "update only s.t set a = (SELECT b FROM u WHERE c), d = 'x' where e IS NULL",
            Some(("a = (SELECT b FROM u WHERE c), d = 'x'", Some("e IS NULL"))),
        );
        check("UPDATE t AS x SET a = 1", None);
        check("UPDATE t SET a = u.a FROM u", None);
    }

    #[test]
    fn assigned_columns_stand_left_of_the_equals_sign() {
        let check = |set, columns: &[&str]| {
            assert_eq!(assigned(set, Engine::Postgres), columns, "{set}");
        };
        check("a = b, \"C\" = (d = e), F = coalesce(g, h)", &["a", "C", "f"]);
        check("(a, b) = (SELECT c, d), e = 1", &["a", "b", "e"]);
    }
}
