//! Places that another tool fills in before it runs a file: `${schema}` (Flyway), `{{ .Prefix }}` (templates of Go,
//! Jinja), `$NAME` (goose), `:name` (psql), `@name` (sqlc), `@name@` (extensions of PostgreSQL), `{name}`, `%NAME%`.
//!
//! A place that stands for a name, or a part of one, becomes a word, so that the rest of the statement can be read.

use sqlparser::tokenizer::{Token, Word};

use super::tokens::Lexeme;
use crate::model::server::Engine;

/// How many tokens a place may take.
const LONGEST: usize = 40;

/// Whether a word is, or holds, such a place.
pub(super) fn is_filled_in(lexeme: &Lexeme) -> bool {
    matches!(&lexeme.token, Token::Word(word)
        if word.quote_style.is_none()
            && (word.value.contains('{') || word.value.starts_with(['$', ':', '@'])))
}

/// The tokens with words in the places of such places.
pub(super) fn filled(text: &str, lexemes: Vec<Lexeme>, engine: Engine) -> Vec<Lexeme> {
    let starts = |lexeme: &Lexeme| match lexeme.token {
        Token::LBrace | Token::Placeholder(_) => true,
        Token::Word(ref word) => is_cut(word),
        Token::Colon | Token::AtSign => engine == Engine::Postgres,
        Token::Mod => true,
        _ => false,
    };
    if !lexemes.iter().any(starts) {
        return lexemes;
    }
    let mut result: Vec<Lexeme> = Vec::with_capacity(lexemes.len());
    let mut rest = lexemes.as_slice();
    let (mut brackets, mut joins) = (0_usize, false);
    while let Some((first, tail)) = rest.split_first() {
        match first.token {
            Token::LBracket => brackets += 1,
            Token::RBracket => brackets = brackets.saturating_sub(1),
            _ => {}
        }
        let may = starts(first) || ends_in_dollar(&first.token);
        let place = if may { place(text, rest, brackets) } else { None };
        match place {
            Some(Place { tokens, is_text: false }) => {
                rest = rest.get(tokens..).unwrap_or_default();
                joins = false;
            }
            Some(Place { tokens, is_text: true }) => {
                let end = rest.get(tokens - 1).map_or(first.end, |last| last.end);
                push(text, &mut result, first.start, end);
                rest = rest.get(tokens..).unwrap_or_default();
                joins = true;
            }
            None => {
                let touches = result.last().is_some_and(|last| last.end == first.start);
                let is_name = matches!(first.token, Token::Word(_) | Token::Number(..));
                if joins && touches && is_name {
                    push(text, &mut result, first.start, first.end);
                } else {
                    result.push(first.clone());
                    joins = false;
                }
                rest = tail;
            }
        }
    }
    result
}

/// A place to be filled in.
struct Place {
    tokens: usize,
    /// Whether text comes there; a condition (`{{ if .Mysql }}`) leaves nothing.
    is_text: bool,
}

fn place(text: &str, rest: &[Lexeme], brackets: usize) -> Option<Place> {
    let whole = |tokens| Some(Place { tokens, is_text: true });
    let next = rest.get(1);
    let adjoins = match (rest.first(), next) {
        (Some(first), Some(next)) => first.end == next.start,
        _ => false,
    };
    match (&rest.first()?.token, next.map(|lexeme| &lexeme.token)) {
        (Token::Word(word), Some(_)) if is_cut(word) => {
            let closes = |lexeme: &Lexeme| matches!(&lexeme.token, Token::Word(word) if word.value.contains("}}"));
            whole(rest.iter().take(LONGEST).position(closes)? + 1)
        }
        (Token::Placeholder(name), _) if name.len() > 1 => {
            let is_number = name.chars().skip(1).all(|character| character.is_ascii_digit());
            if is_number || !name.starts_with('$') { None } else { whole(1) }
        }
        (dollar, Some(Token::LBrace)) if adjoins && ends_in_dollar(dollar) => {
            let close = rest.iter().take(LONGEST).position(|one| one.token == Token::RBrace)?;
            whole(close + 1)
        }
        (Token::LBrace, Some(Token::LBrace)) if adjoins => {
            let tokens = closed(rest, &Token::RBrace)?;
            let inside = inside(text, rest, tokens);
            Some(Place { tokens, is_text: !is_control(inside) })
        }
        (Token::LBrace, Some(Token::Word(_)))
            if adjoins && rest.get(2).is_some_and(|close| close.token == Token::RBrace) =>
        {
            whole(3)
        }
        (Token::LBrace, Some(Token::Mod)) if adjoins => {
            Some(Place { tokens: closed(rest, &Token::Mod)?, is_text: false })
        }
        (
            Token::Colon,
            Some(Token::Word(_) | Token::SingleQuotedString(_) | Token::DoubleQuotedString(_)),
        ) if adjoins && brackets == 0 => whole(2),
        (Token::AtSign, Some(Token::Word(_))) if adjoins => {
            whole(if closes(rest, &Token::AtSign) { 3 } else { 2 })
        }
        (Token::Mod, Some(Token::Word(word)))
            if adjoins && is_loud(&word.value) && closes(rest, &Token::Mod) =>
        {
            whole(3)
        }
        _ => None,
    }
}

/// Quotes inside a place that stands in quotes: `"{{ index .Options "Namespace" }}"` begins with a name.
fn is_cut(word: &Word) -> bool {
    word.quote_style.is_some()
        && word.value.rsplit_once("{{").is_some_and(|(_, inside)| !inside.contains("}}"))
}

/// PostgreSQL lets a name end so: `a_${x}` begins with the name `a_$`.
fn ends_in_dollar(token: &Token) -> bool {
    match token {
        Token::Placeholder(text) => text == "$",
        Token::Word(word) => word.quote_style.is_none() && word.value.ends_with('$'),
        _ => false,
    }
}

/// Whether that mark stands right behind the second token.
fn closes(rest: &[Lexeme], mark: &Token) -> bool {
    matches!(rest, [_, name, close, ..] if close.token == *mark && close.start == name.end)
}

/// Whether a word is all capitals, as names of places are and those of columns seldom.
fn is_loud(word: &str) -> bool {
    !word.chars().any(char::is_lowercase)
}

/// How many tokens there are up to `}}` or `%}`.
fn closed(rest: &[Lexeme], before: &Token) -> Option<usize> {
    let pairs = rest.windows(2).take(LONGEST);
    let mut pairs = pairs.enumerate().skip(2).filter_map(|(index, pair)| match pair {
        [a, b] if a.token == *before && b.token == Token::RBrace && a.end == b.start => {
            Some(index + 2)
        }
        _ => None,
    });
    pairs.next()
}

fn inside<'a>(text: &'a str, rest: &[Lexeme], tokens: usize) -> &'a str {
    let start = rest.get(1).map_or(0, |lexeme| lexeme.end);
    let end = rest.get(tokens.saturating_sub(2)).map_or(start, |lexeme| lexeme.start);
    text.get(start..end).unwrap_or_default()
}

/// Whether nothing is written there: a condition, a loop, a comment.
fn is_control(inside: &str) -> bool {
    let inside =
        inside.trim_matches(|character: char| character.is_whitespace() || character == '-');
    let word =
        inside.split(|character: char| !character.is_alphabetic()).next().unwrap_or_default();
    matches!(
        word,
        "if" | "else" | "end" | "range" | "with" | "define" | "block" | "break" | "continue"
    ) || inside.starts_with(['#', '/', '^', '!'])
        || inside.contains(":=")
}

/// Puts a word behind what was read, or makes the word before it longer.
fn push(text: &str, result: &mut Vec<Lexeme>, start: usize, end: usize) {
    let mut start = start;
    if let Some(last) = result.last()
        && last.end == start
        && matches!(&last.token, Token::Word(word) if word.quote_style.is_none())
    {
        start = last.start;
        result.pop();
    }
    let value = text.get(start..end).unwrap_or_default();
    result.push(Lexeme { token: Token::make_word(value, None), start, end });
}

#[cfg(test)]
mod tests {
    use crate::model::server::Engine;
    use crate::sql::tokens::acting;

    fn check(engine: Engine, text: &str, expected: &[&str]) {
        let lexed = acting(text, engine);
        let found: Vec<_> =
            lexed.lexemes.iter().map(|l| text.get(l.start..l.end).unwrap()).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn a_place_becomes_a_part_of_the_name() {
        check(
            Engine::Postgres,
            "DROP TABLE ${schema}.a_${x}_b, {{ .Prefix }}users, $ENV_x, :name, @y",
            &[
                "DROP",
                "TABLE",
                "${schema}",
                ".",
                "a_${x}_b",
                ",",
                "{{ .Prefix }}users",
                ",",
                "$ENV_x",
                ",",
                ":name",
                ",",
                "@y",
            ],
        );
        check(Engine::Postgres, "DROP TABLE {p}a, {p}", &["DROP", "TABLE", "{p}a", ",", "{p}"]);
        let quoted = "\"{{ index .x \"y\" }}\"";
        check(Engine::Postgres, &format!("{quoted}.t a"), &[quoted, ".", "t", "a"]);
        check(Engine::MySql, "DROP TABLE {{.p}}t", &["DROP", "TABLE", "{{.p}}t"]);
        check(
            Engine::Postgres,
            "DROP TABLE @extschema@.t",
            &["DROP", "TABLE", "@extschema@", ".", "t"],
        );
        check(Engine::MySql, "DROP TABLE %PREFIX%t", &["DROP", "TABLE", "%PREFIX%t"]);
        check(Engine::MySql, "a %b% c", &["a", "%", "b", "%", "c"]);
    }

    #[test]
    fn conditions_are_no_text_and_other_marks_stay() {
        check(Engine::Postgres, "a {{if .x}} b {{- else}} c {{end}} d", &["a", "b", "c", "d"]);
        check(
            Engine::Postgres,
            "x[1:y] a::int $1 '{{z}}'",
            &["x", "[", "1", ":", "y", "]", "a", "::", "int", "$1", "'{{z}}'"],
        );
    }
}
