//! Texts inside SQL, taken out: what a default or an expression says stays, what it says it with does not.

use sqlparser::tokenizer::Token;

use super::tokens::lex;
use crate::model::server::Engine;

/// What stands in the place of a text.
const HIDDEN: &str = "'...'";

/// An expression whose texts are hidden, but for empty ones; all of it when it cannot be read.
pub(crate) fn texts(expression: &str, engine: Engine) -> String {
    let lexed = lex(expression, engine);
    if lexed.error.is_some() {
        return HIDDEN.to_owned();
    }
    let mut shown = String::with_capacity(expression.len());
    for lexeme in lexed.lexemes {
        let text = expression.get(lexeme.start..lexeme.end).unwrap_or_default();
        let said = match &lexeme.token {
            // A name on PostgreSQL, a text on MySQL and MariaDB unless ANSI_QUOTES are on: nobody quotes numbers.
            Token::DoubleQuotedString(said)
            | Token::SingleQuotedString(said)
            | Token::EscapedStringLiteral(said)
            | Token::UnicodeStringLiteral(said)
            | Token::NationalStringLiteral(said)
            | Token::SingleQuotedByteStringLiteral(said)
            | Token::DoubleQuotedByteStringLiteral(said)
            | Token::SingleQuotedRawStringLiteral(said)
            | Token::DoubleQuotedRawStringLiteral(said)
            | Token::TripleSingleQuotedString(said)
            | Token::TripleDoubleQuotedString(said)
            | Token::HexStringLiteral(said) => said.as_str(),
            Token::DollarQuotedString(said) => said.value.as_str(),
            // A comment may say anything.
            Token::Whitespace(_) if !text.trim().is_empty() => {
                shown.push(' ');
                continue;
            }
            _ => "",
        };
        shown.push_str(if said.is_empty() { text } else { HIDDEN });
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(engine: Engine, expression: &str, expected: &str) {
        assert_eq!(texts(expression, engine), expected);
    }

    #[test]
    fn texts_are_hidden_and_the_rest_stays() {
        let check = |expression, expected| check(Engine::Postgres, expression, expected);
        check("'s3cret'::character varying", "'...'::character varying");
        check("E'it\\'s' || $$s3cret$$ || ''::text", "'...' || '...' || ''::text");
        check("nextval('t_id_seq'::regclass)", "nextval('...'::regclass)");
        check("now() + '1 day'::interval /* s3cret */", "now() + '...'::interval  ");
        check("(\"na ME\" + 42)", "(\"na ME\" + 42)");
        check("B'01' || x'ff'", "'...' || '...'");
    }

    #[test]
    fn mysql_has_texts_in_two_kinds_of_quotes() {
        let check = |expression, expected| check(Engine::MariaDb, expression, expected);
        check("concat('it''s', \"s3cret\", `a b`)", "concat('...', '...', `a b`)");
        check("_utf8mb4'x' + 0xff", "_utf8mb4'...' + '...'");
        check("current_timestamp(6)", "current_timestamp(6)");
    }

    #[test]
    fn what_cannot_be_read_is_hidden_whole() {
        check(Engine::Postgres, "'s3cret", HIDDEN);
    }
}
