//! sqlparser's tokens, with exact byte ranges.

mod keywords;
mod odd;
mod scanner;
mod seldom;

use sqlparser::tokenizer::{Token, Whitespace};

use super::templates;
use crate::model::server::Engine;
pub(super) use scanner::{Kind, Raw, Scanner};

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
    lex_if(text, engine, usize::MAX, |_| true)
}

/// At most so many of those tokens that are wanted.
fn lex_if(text: &str, engine: Engine, most: usize, wanted: impl Fn(&Raw<'_>) -> bool) -> Lexed {
    let mut scanner = Scanner::new(text, engine);
    // Most texts have a token in six bytes.
    let mut lexemes = Vec::with_capacity((text.len() / 6 + 1).min(1_000));
    let error = loop {
        match scanner.next() {
            Ok(Some(_)) if lexemes.len() >= most => break None,
            Ok(Some(raw)) if wanted(&raw) => {
                let (start, end) = (raw.start, raw.end);
                lexemes.push(Lexeme { token: raw.token(), start, end });
            }
            Ok(Some(_)) => {}
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    Lexed { lexemes, error }
}

/// The tokens that a server of that engine acts on: without white space and comments, with the contents of
/// executable comments in their places.
pub(super) fn acting(text: &str, engine: Engine) -> Lexed {
    acting_up_to(usize::MAX, text, engine)
}

/// At most so many of them, or a few more; what is left is not read.
pub(super) fn acting_up_to(most: usize, text: &str, engine: Engine) -> Lexed {
    let Lexed { lexemes, error } = lex_if(text, engine, most, |raw| !raw.is_blank());
    let is_executable = |lexeme: &Lexeme| matches!(lexeme.token, Token::Whitespace(_));
    if !lexemes.iter().any(is_executable) {
        return Lexed { lexemes: templates::filled(text, lexemes, engine), error };
    }
    let mut result = Lexed { lexemes: Vec::with_capacity(lexemes.len()), error };
    for lexeme in lexemes {
        match lexeme.executable() {
            Some(inner) if inner.is_executed_by(engine) => {
                // `*/` closes it: the text ends two bytes before the comment does.
                let start = lexeme.end.saturating_sub(2 + inner.text.len());
                let most = most.saturating_sub(result.lexemes.len());
                let Lexed { lexemes, error } = lex_if(inner.text, engine, most, |_| true);
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

/// The name that an identifier means to the server: without its quotes, folded where the server folds.
pub(super) fn name(word: &str, quote: Option<char>, engine: Engine) -> String {
    match quote {
        Some(mark) => word.replace(&format!("{mark}{mark}"), &mark.to_string()),
        None if engine.is_mysql_family() => word.to_owned(),
        None => word.to_lowercase(),
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
