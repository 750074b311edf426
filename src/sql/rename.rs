//! A column's name inside expressions, as the server writes them back.

use sqlparser::tokenizer::Token;

use super::tokens::{Lexeme, lex};
use crate::model::server::Engine;

/// `text` with each mention of column `from` turned into `to`, quoted. Texts, function names, types behind `::`,
/// collations and names behind a dot are left alone.
pub(crate) fn renamed(engine: Engine, text: &str, from: &str, to: &str) -> String {
    let to = super::quote::ident(engine, to);
    let mut result = String::with_capacity(text.len());
    let mut end = 0;
    for lexeme in mentions_in(engine, text, from) {
        result.push_str(text.get(end..lexeme.start).unwrap_or_default());
        result.push_str(&to);
        end = lexeme.end;
    }
    result.push_str(text.get(end..).unwrap_or_default());
    result
}

/// Whether `text` mentions the column.
pub(crate) fn mentions(engine: Engine, text: &str, column: &str) -> bool {
    !mentions_in(engine, text, column).is_empty()
}

/// `text` before and from the unquoted keyword (in upper case) on, where it has it.
pub(crate) fn split_at_word<'t>(
    engine: Engine,
    text: &'t str,
    word: &str,
) -> Option<(&'t str, &'t str)> {
    // Most texts do not have it, and need no tokens to say so.
    has_letters(text.as_bytes(), word.as_bytes()).then_some(())?;
    let start = lex(text, engine).lexemes.iter().find(|lexeme| lexeme.is_word(word))?.start;
    text.split_at_checked(start)
}

fn mentions_in(engine: Engine, text: &str, column: &str) -> Vec<Lexeme> {
    if !may_mention(text, column) {
        return Vec::new();
    }
    let lexed = lex(text, engine);
    let mut telling = lexed.lexemes.into_iter().filter(|lexeme| !lexeme.is_blank()).peekable();
    let mut found = Vec::new();
    let mut before: Option<Lexeme> = None;
    while let Some(lexeme) = telling.next() {
        let is_call = telling.peek().is_some_and(|next| next.token == Token::LParen);
        if is_named(engine, &lexeme, column, is_call) && may_follow(before.as_ref()) {
            found.push(lexeme.clone());
        }
        before = Some(lexeme);
    }
    found
}

/// Whether the letters of the column are there at all: most texts need not be read as tokens. Names that a text can
/// write in more ways than with other capitals count as there.
pub(crate) fn may_mention(text: &str, column: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    column.is_empty()
        || !column.bytes().all(is_plain)
        || !text.is_ascii()
        || has_letters(text.as_bytes(), column.as_bytes())
}

/// Whether some letters stand in a text, be they capitals or not.
fn has_letters(mut text: &[u8], letters: &[u8]) -> bool {
    let Some((first, rest)) = letters.split_first() else { return true };
    let (lower, upper) = (first.to_ascii_lowercase(), first.to_ascii_uppercase());
    // Behind these bytes there is no room for the rest.
    while let Some(begins) = text.get(..text.len().saturating_sub(rest.len())) {
        let at = begins.iter().position(|byte| *byte == lower || *byte == upper);
        let Some(at) = at else { return false };
        text = text.get(at + 1..).unwrap_or_default();
        let Some(part) = text.get(..rest.len()) else { return false };
        if part.eq_ignore_ascii_case(rest) {
            return true;
        }
    }
    false
}

/// Whether a word is that name. PostgreSQL folds what is not quoted, MySQL and MariaDB never mind case in columns; in
/// their indexes a length may follow a quoted column.
fn is_named(engine: Engine, lexeme: &Lexeme, column: &str, is_call: bool) -> bool {
    let Token::Word(word) = &lexeme.token else { return false };
    match (engine.is_mysql_family(), word.quote_style) {
        (true, Some(mark)) => {
            let doubled: String = [mark, mark].into_iter().collect();
            word.value.replace(&doubled, &mark.to_string()).eq_ignore_ascii_case(column)
        }
        (true, None) => !is_call && word.value.eq_ignore_ascii_case(column),
        (false, Some(_)) => !is_call && word.value.replace("\"\"", "\"") == column,
        (false, None) => !is_call && word.value.to_lowercase() == column,
    }
}

fn may_follow(before: Option<&Lexeme>) -> bool {
    before.is_none_or(|lexeme| {
        !matches!(lexeme.token, Token::DoubleColon | Token::Period) && !lexeme.is_word("COLLATE")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(engine: Engine, text: &str, expected: &str) {
        assert_eq!(renamed(engine, text, "name", "title"), expected);
    }

    #[test]
    fn a_column_is_renamed_where_it_is_one() {
        let pg = Engine::Postgres;
        check(pg, "CHECK ((length((name)::text) > 0))", "CHECK ((length((\"title\")::text) > 0))");
        check(
            pg,
            "(name)::name <> 'name' || name(x) || t.name",
            "(\"title\")::name <> 'name' || name(x) || t.name",
        );
        check(pg, "lower(\"name\") COLLATE name", "lower(\"title\") COLLATE name");
        check(pg, "\"Name\" = NAME", "\"Name\" = \"title\"");
    }

    #[test]
    fn a_length_behind_a_column_makes_it_no_function() {
        check(Engine::MariaDb, "(`o`, `Name`(10) DESC)", "(`o`, `title`(10) DESC)");
        check(Engine::MySql, "`name` <> 'name' and name('x')", "`title` <> 'name' and name('x')");
    }

    #[test]
    fn a_text_is_split_before_a_keyword() {
        let text = "CREATE INDEX \"USING\" ON t USING btree (a)";
        assert_eq!(
            split_at_word(Engine::Postgres, text, "USING"),
            Some(("CREATE INDEX \"USING\" ON t ", "USING btree (a)"))
        );
    }
}
