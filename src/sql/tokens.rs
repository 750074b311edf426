//! sqlparser's tokenizer, with exact byte ranges.

use std::any::TypeId;

use sqlparser::dialect::{Dialect, MySqlDialect, PostgreSqlDialect};
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer, Whitespace};

use super::templates;
use crate::model::server::Engine;

/// One token (white space and comments too) and its bytes in the text that was given.
#[derive(Clone, Debug)]
pub(super) struct Lexeme {
    /// The token, its quotes and escapes as written.
    pub(super) token: Token,
    /// First byte.
    pub(super) start: usize,
    /// Byte after the last.
    pub(super) end: usize,
}

/// The tokens of a text, up to where they make no sense.
#[derive(Debug)]
pub(super) struct Lexed {
    /// Without gaps, from the first byte on.
    pub(super) lexemes: Vec<Lexeme>,
    /// Why the text behind the last token is none: a quote or comment that is never closed.
    pub(super) error: Option<String>,
}

impl Lexeme {
    /// Whether it says nothing: white space, or a comment that no server executes.
    pub(super) fn is_blank(&self) -> bool {
        matches!(&self.token, Token::Whitespace(_)) && self.executable().is_none()
    }

    /// The text inside `/*! */` or `/*M! */`, behind its version number, and that number.
    pub(super) fn executable(&self) -> Option<Executable<'_>> {
        let Token::Whitespace(Whitespace::MultiLineComment(comment)) = &self.token else {
            return None;
        };
        let (mariadb_only, rest) = match comment.strip_prefix("M!") {
            Some(rest) => (true, rest),
            None => (false, comment.strip_prefix('!')?),
        };
        let text = rest.trim_start_matches(|character: char| character.is_ascii_digit());
        let version = rest.strip_suffix(text).and_then(|digits| digits.parse().ok()).unwrap_or(0);
        Some(Executable { mariadb_only, version, text })
    }

    /// The upper-case text of an unquoted word.
    pub(super) fn word(&self) -> Option<String> {
        match &self.token {
            Token::Word(word) if word.quote_style.is_none() => {
                Some(word.value.to_ascii_uppercase())
            }
            _ => None,
        }
    }

    /// Whether it is that unquoted word (given in upper case).
    pub(super) fn is_word(&self, upper: &str) -> bool {
        matches!(&self.token, Token::Word(word)
            if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(upper))
    }
}

/// An executable comment.
#[derive(Debug)]
pub(super) struct Executable<'a> {
    /// `/*M! */`: MySQL skips it.
    mariadb_only: bool,
    /// `50100`; 0 when there is none.
    version: u32,
    /// What is executed.
    text: &'a str,
}

impl Executable<'_> {
    /// Whether a supported version of that engine executes it.
    ///
    /// Source: MariaDB, Comment Syntax: versions from 50700 to 99999 are MySQL's alone. Versions that no supported
    /// server of the family has yet cannot be told from those that it has: they count as executed.
    fn is_executed_by(&self, engine: Engine) -> bool {
        match engine {
            Engine::Postgres => false,
            Engine::MySql => !self.mariadb_only,
            Engine::MariaDb => !(50_700..=99_999).contains(&self.version),
        }
    }
}

/// The tokens of a text. Executable comments stay comments; on PostgreSQL they are nothing else.
pub(super) fn lex(text: &str, engine: Engine) -> Lexed {
    let mut tokens = Vec::new();
    let outcome = if engine.is_mysql_family() {
        Tokenizer::new(&Plain(MySqlDialect {}), text)
            .with_unescape(false)
            .tokenize_with_location_into_buf(&mut tokens)
    } else {
        Tokenizer::new(&PostgreSqlDialect {}, text)
            .with_unescape(false)
            .tokenize_with_location_into_buf(&mut tokens)
    };
    Lexed {
        lexemes: in_bytes(text, tokens),
        error: outcome.err().map(|error| error.message.to_ascii_lowercase()),
    }
}

/// The tokens that a server of that engine acts on: without white space and comments, with the contents of
/// executable comments in their places.
pub(super) fn acting(text: &str, engine: Engine) -> Lexed {
    let Lexed { lexemes, error } = lex(text, engine);
    let mut result = Lexed { lexemes: Vec::with_capacity(lexemes.len()), error };
    for lexeme in lexemes {
        match lexeme.executable() {
            Some(inner) if inner.is_executed_by(engine) => {
                // `*/` closes it: the text ends two bytes before the comment does.
                let start = lexeme.end.saturating_sub(2 + inner.text.len());
                let Lexed { lexemes, error } = lex(inner.text, engine);
                result.error = result.error.take().or(error);
                result.lexemes.extend(lexemes.into_iter().filter(|inner| !inner.is_blank()).map(
                    |inner| Lexeme { start: start + inner.start, end: start + inner.end, ..inner },
                ));
            }
            _ if matches!(lexeme.token, Token::Whitespace(_)) => {}
            _ => result.lexemes.push(lexeme),
        }
    }
    result.lexemes = templates::filled(text, result.lexemes, engine);
    result
}

/// sqlparser counts lines and characters: bytes are found by walking along with it.
fn in_bytes(text: &str, tokens: Vec<TokenWithSpan>) -> Vec<Lexeme> {
    if text.is_ascii() {
        return in_ascii(text, tokens);
    }
    let mut characters = text.char_indices();
    let (mut at, mut line, mut column) = (0, 1, 1);
    let mut start = 0;
    let mut lexemes = Vec::with_capacity(tokens.len());
    for TokenWithSpan { token, span } in tokens {
        while (Location { line, column }) < span.end {
            let Some((index, character)) = characters.next() else { break };
            at = index + character.len_utf8();
            if character == '\n' {
                line += 1;
                column = 1;
            } else {
                column += 1;
            }
        }
        lexemes.push(Lexeme { token, start, end: at });
        start = at;
    }
    lexemes
}

/// Where each character is a byte, a line's begin tells.
fn in_ascii(text: &str, tokens: Vec<TokenWithSpan>) -> Vec<Lexeme> {
    let mut line_ends = text.match_indices('\n').map(|(index, _)| index + 1);
    let (mut line, mut begin, mut start) = (1, 0, 0);
    let lexeme = |TokenWithSpan { token, span }: TokenWithSpan| {
        while line < span.end.line {
            begin = line_ends.next().unwrap_or(text.len());
            line += 1;
        }
        let column = usize::try_from(span.end.column).unwrap_or(usize::MAX);
        let end = begin.saturating_add(column.saturating_sub(1)).clamp(start, text.len());
        let lexeme = Lexeme { token, start, end };
        start = end;
        lexeme
    };
    tokens.into_iter().map(lexeme).collect()
}

/// The name that an identifier means to the server: without its quotes, folded where the server folds.
pub(super) fn name(word: &str, quote: Option<char>, engine: Engine) -> String {
    match quote {
        Some(mark) => word.replace(&format!("{mark}{mark}"), &mark.to_string()),
        None if engine.is_mysql_family() => word.to_owned(),
        None => word.to_lowercase(),
    }
}

/// MySQL's dialect without its habit of expanding executable comments, which loses their places.
#[derive(Debug)]
struct Plain(MySqlDialect);

impl Dialect for Plain {
    fn dialect(&self) -> TypeId {
        self.0.dialect()
    }
    fn is_identifier_start(&self, ch: char) -> bool {
        self.0.is_identifier_start(ch)
    }
    fn is_identifier_part(&self, ch: char) -> bool {
        self.0.is_identifier_part(ch)
    }
    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        self.0.is_delimited_identifier_start(ch)
    }
    fn supports_string_literal_backslash_escape(&self) -> bool {
        self.0.supports_string_literal_backslash_escape()
    }
    fn ignores_wildcard_escapes(&self) -> bool {
        self.0.ignores_wildcard_escapes()
    }
    fn supports_numeric_prefix(&self) -> bool {
        self.0.supports_numeric_prefix()
    }
    fn requires_single_line_comment_whitespace(&self) -> bool {
        self.0.requires_single_line_comment_whitespace()
    }
    fn supports_multiline_comment_hints(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(engine: Engine, text: &str, expected: &[&str]) {
        let lexed = acting(text, engine);
        let found: Vec<_> =
            lexed.lexemes.iter().map(|l| text.get(l.start..l.end).unwrap()).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn tokens_have_the_bytes_that_they_were_read_from() {
        check(Engine::Postgres, "é -- ü\r\n 'ß''' $t$;$t$", &["é", "'ß'''", "$t$;$t$"]);
        check(Engine::Postgres, "/* /* */ ; */ a\"b\"\"c\"", &["a", "\"b\"\"c\""]);
        check(Engine::MySql, "`é`# x\n'\\'' \"a\"", &["`é`", "'\\''", "\"a\""]);
    }

    #[test]
    fn an_executable_comment_counts_where_its_server_would_execute_it() {
        let text = "a /*!50100 é b*/ /*!80023 c */ /*M! d */ /* e */";
        check(Engine::MySql, text, &["a", "é", "b", "c"]);
        check(Engine::MariaDb, text, &["a", "é", "b", "d"]);
        check(Engine::Postgres, text, &["a"]);
    }

    #[test]
    fn characters_of_one_byte_and_of_more_are_counted_alike() {
        let text = "a 'b\r\nc' -- d\n\n\te /* f\n */ \"g\" $x$\n$x$\n";
        for engine in [Engine::Postgres, Engine::MySql] {
            let ends =
                |text: &str| lex(text, engine).lexemes.iter().map(|l| l.end).collect::<Vec<_>>();
            let longer = format!("{text}é");
            let of_longer = ends(&longer);
            assert_eq!(ends(text), of_longer[..of_longer.len() - 1], "{engine:?}");
        }
    }

    #[test]
    fn an_open_quote_is_an_error_behind_the_last_token() {
        let lexed = lex("a 'b", Engine::Postgres);
        assert!(lexed.error.is_some());
        assert_eq!(lexed.lexemes.last().unwrap().end, 2);
    }
}
