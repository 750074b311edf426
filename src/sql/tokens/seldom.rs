//! Tokens that are seldom, as sqlparser reads them.

use std::any::TypeId;

use sqlparser::dialect::{Dialect, MySqlDialect, PostgreSqlDialect};
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

use super::scanner::Before;
use crate::model::server::Engine;

/// How many bytes are read for one token at first; most have a few.
const FEW: usize = 32;

/// So many bytes behind a token can matter to where it ends.
const BEHIND: usize = 12;

/// The first token of a text and how many bytes it has.
pub(super) fn seldom(text: &str, engine: Engine, before: Before) -> Result<(Token, usize), String> {
    // MySQL: what looks like a number is a name behind a period.
    let lead = match before {
        Before::Period if engine.is_mysql_family() => "x.",
        _ => "",
    };
    let mut length = FEW;
    loop {
        let part = text.get(..text.ceil_char_boundary(length)).unwrap_or(text);
        let is_all = part.len() == text.len();
        let led;
        let read = if lead.is_empty() {
            part
        } else {
            led = format!("{lead}{part}");
            &led
        };
        let (tokens, error) = tokens(read, engine);
        let token = tokens.into_iter().find_map(|TokenWithSpan { token, span }| {
            let end = byte_of(read, span.end).checked_sub(lead.len())?;
            (end > 0).then_some((token, end))
        });
        match token {
            Some((token, end)) if is_all || end + BEHIND <= part.len() => return Ok((token, end)),
            None if is_all => return Err(error.unwrap_or_else(|| "it is no token".to_owned())),
            _ => length = length.saturating_mul(2),
        }
    }
}

/// All tokens of a text, and why what is left is none.
pub(super) fn tokens(text: &str, engine: Engine) -> (Vec<TokenWithSpan>, Option<String>) {
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
    (tokens, outcome.err().map(|error| error.message.to_ascii_lowercase()))
}

/// sqlparser counts lines and characters: the byte is found by walking along with it.
pub(super) fn byte_of(text: &str, place: Location) -> usize {
    let (mut line, mut column) = (1, 1);
    for (index, character) in text.char_indices() {
        if (Location { line, column }) >= place {
            return index;
        }
        if character == '\n' {
            line += 1;
            column = 1;
        } else {
            column += 1;
        }
    }
    text.len()
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
    use proptest::prelude::*;
    use sqlparser::tokenizer::TokenWithSpan;

    use super::*;
    use crate::sql::tokens::odd::operator_end;
    use crate::sql::tokens::{Lexed, lex};

    /// Texts of what tokens are made of.
    const TEXTS: &str = r#"([a-z'"`$.;:,()\[\]{}\\/*+<>=!|&^~?@#% \n\r\t0-9_é\u{a0}\x00\x01\x0b\x0c\x1f\x7f-]|--|/\*|\*/|\$\$|\$x\$|[bBnNeEuUxX]['"&]|&'|''|->|1e|0x|1\.|\\'|t\.){0,24}"#;

    /// What sqlparser reads otherwise than the server, or not at all: `odd` has it.
    fn is_odd(text: &str, engine: Engine, error: Option<&str>) -> bool {
        let unicode = ["u&'", "u&\"", "U&'", "U&\""].iter().any(|mark| text.contains(mark));
        let operator = |byte: &u8| b"+-*/<>=~!@#%^&|`?".contains(byte);
        let comment = text
            .as_bytes()
            .windows(3)
            .any(|bytes| operator(&bytes[0]) && (bytes.ends_with(b"--") || bytes.ends_with(b"/*")));
        // `->+` is two of the server's operators, and one of sqlparser's.
        let runs = text.split(|c: char| !u8::try_from(c).is_ok_and(|byte| operator(&byte)));
        let signs = runs.into_iter().any(|run| operator_end(run) != run.len());
        let escapes = text.contains("e'") || text.contains("E'");
        let is_open = error.is_none_or(|error| error.starts_with("un") || error.contains("close"));
        let postgres = !engine.is_mysql_family();
        !is_open
            || error.is_some_and(|error| error.contains("unexpected character"))
            || (postgres && (unicode || (escapes && error.is_some())))
            || (postgres && (comment || signs))
    }

    fn check(text: &str, engine: Engine) {
        let (tokens, error) = tokens(text, engine);
        if is_odd(text, engine, error.as_deref()) {
            let lexed = lex(text, engine);
            let ends: Vec<_> = lexed.lexemes.iter().map(|lexeme| lexeme.end).collect();
            let starts: Vec<_> = lexed.lexemes.iter().map(|lexeme| lexeme.start).collect();
            assert_eq!(
                ends.get(..starts.len().saturating_sub(1)),
                starts.get(1..).or(Some(&[])),
                "{text:?}"
            );
            assert!(
                lexed.error.is_some() || ends.last().is_none_or(|end| *end == text.len()),
                "{text:?}"
            );
            return;
        }
        let expected: Vec<_> = tokens
            .into_iter()
            .map(|TokenWithSpan { token, span }| (token, byte_of(text, span.end)))
            .collect();
        let Lexed { lexemes, error: found_error } = lex(text, engine);
        let mut at = 0;
        for lexeme in &lexemes {
            assert_eq!(lexeme.start, at, "{text:?}");
            at = lexeme.end;
        }
        let found: Vec<_> = lexemes.into_iter().map(|lexeme| (lexeme.token, lexeme.end)).collect();
        assert_eq!((found, found_error), (expected, error), "{engine:?}: {text:?}");
    }

    #[test]
    fn a_token_may_be_longer_than_what_is_read_at_first() {
        for engine in [Engine::Postgres, Engine::MySql] {
            for length in [15, 19, 20, 21, 30, 31, 32, 33, 63, 64, 1000] {
                check(&format!("x'{}' y", "é\\n".repeat(length)), engine);
                check(&format!("E'{}' y", "a".repeat(length)), engine);
                check(&format!("{} y", "<".repeat(length)), engine);
                check(&format!("E'{}", "a".repeat(length)), engine);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]
        #[test]
        fn tokens_are_those_of_sqlparser(text in TEXTS) {
            for engine in [Engine::Postgres, Engine::MySql, Engine::MariaDb] {
                check(&text, engine);
            }
        }
    }
}
