//! Defaults: whether every row of a table gets the same value.

use crate::model::server::Engine;
use crate::sql::catalog::{Beside, Volatility};
use crate::sql::tokens::{Lexeme, acting, name};
use sqlparser::tokenizer::Token;

/// What a default's expression is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum DefaultKind {
    /// A literal, or something that all servers keep as one: `CURRENT_TIMESTAMP`.
    Constant,
    /// An expression with the same value for every row of one statement.
    Stable,
    /// It can differ from row to row, or is not known.
    Volatile,
}

/// Functions whose value does not change within a statement.
const STABLE: &[&str] = &[
    "NOW",
    "TRANSACTION_TIMESTAMP",
    "STATEMENT_TIMESTAMP",
    "CURRENT_TIMESTAMP",
    "CURRENT_DATE",
    "CURRENT_TIME",
    "LOCALTIME",
    "LOCALTIMESTAMP",
    "CURRENT_USER",
    "CURRENT_SETTING",
    "LOWER",
    "UPPER",
    "COALESCE",
    "CONCAT",
    "TIMEZONE",
    "DATE_TRUNC",
    "MAKE_INTERVAL",
    "TO_TIMESTAMP",
    "JSONB_BUILD_OBJECT",
    "JSON_OBJECT",
    "JSON_ARRAY",
    "ABS",
    "CAST",
];

/// Functions of PostgreSQL that say the same for every row of a statement, beside those above. Source: `provolatile`.
const POSTGRES: &[&str] = &[
    "AGE",
    "ASCII",
    "BTRIM",
    "CARDINALITY",
    "CEIL",
    "CEILING",
    "CHR",
    "CONCAT_WS",
    "CURRENT_DATABASE",
    "CURRENT_SCHEMA",
    "DATE",
    "DATE_PART",
    "DATERANGE",
    "DECODE",
    "DIV",
    "ENCODE",
    "EXTRACT",
    "FLOOR",
    "FORMAT",
    "GREATEST",
    "INITCAP",
    "INT4RANGE",
    "INT8RANGE",
    "JSON_BUILD_ARRAY",
    "JSON_BUILD_OBJECT",
    "JSONB_BUILD_ARRAY",
    "LEAST",
    "LEFT",
    "LENGTH",
    "LPAD",
    "LTRIM",
    "MAKE_DATE",
    "MAKE_TIME",
    "MAKE_TIMESTAMP",
    "MAKE_TIMESTAMPTZ",
    "MD5",
    "MOD",
    "NULLIF",
    "NUMRANGE",
    "POINT",
    "POWER",
    "REPEAT",
    "REPLACE",
    "REVERSE",
    "RIGHT",
    "ROUND",
    "ROW",
    "RPAD",
    "RTRIM",
    "SHA256",
    "SIGN",
    "SPLIT_PART",
    "SQRT",
    "STRING_TO_ARRAY",
    "SUBSTR",
    "SUBSTRING",
    "TO_CHAR",
    "TO_DATE",
    "TO_JSON",
    "TO_JSONB",
    "TO_NUMBER",
    "TO_TSVECTOR",
    "TRIM",
    "TRUNC",
    "TSRANGE",
    "TSTZRANGE",
    "TXID_CURRENT",
    "VERSION",
];

/// Words before a parenthesis that are no function: types with a length, operators.
const NO_FUNCTIONS: &[&str] = &[
    "VARCHAR",
    "CHAR",
    "CHARACTER",
    "VARYING",
    "NUMERIC",
    "DECIMAL",
    "BIT",
    "TIMESTAMP",
    "TIME",
    "INTERVAL",
    "ARRAY",
    "IN",
    "AND",
    "OR",
    "NOT",
    "AS",
];

/// What an expression behind DEFAULT is, as far as the server's own functions go.
pub(super) fn kind(expression: &str, engine: Engine) -> DefaultKind {
    of(expression, engine, &Beside::default())
}

/// What an expression behind DEFAULT is.
pub(super) fn of(expression: &str, engine: Engine, beside: &Beside) -> DefaultKind {
    let lexed = acting(expression, engine);
    let mut result = if expression.trim_start().starts_with('(') {
        DefaultKind::Stable
    } else {
        DefaultKind::Constant
    };
    for pair in lexed.lexemes.windows(2) {
        let [word, next] = pair else { continue };
        if next.token != Token::LParen || !matches!(word.token, Token::Word(_)) {
            continue;
        }
        let name = word.word().unwrap_or_default();
        if STABLE.contains(&name.as_str()) {
            let timestamp = matches!(
                name.as_str(),
                "NOW" | "CURRENT_TIMESTAMP" | "LOCALTIME" | "LOCALTIMESTAMP"
            );
            if !timestamp && result == DefaultKind::Constant {
                result = DefaultKind::Stable;
            }
        } else if engine == Engine::Postgres && POSTGRES.contains(&name.as_str())
            || is_steady(word, beside)
        {
            result = DefaultKind::Stable;
        } else if !NO_FUNCTIONS.contains(&name.as_str()) {
            return DefaultKind::Volatile;
        }
    }
    result
}

/// Whether it is a function of the user's that says the same for every row.
fn is_steady(word: &Lexeme, beside: &Beside) -> bool {
    let Token::Word(word) = &word.token else { return false };
    let name = name(&word.value, word.quote_style, Engine::Postgres);
    let mut known = beside.functions.iter().filter(|(known, _)| known.name == name).peekable();
    known.peek().is_some() && known.all(|(_, known)| known.volatility != Volatility::Volatile)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_to_be_the_same_for_every_row_is_called_so() {
        let check = |text, expected| assert_eq!(kind(text, Engine::Postgres), expected, "{text}");
        check("1", DefaultKind::Constant);
        check("'a(b'", DefaultKind::Constant);
        check("'x'::varchar(5)", DefaultKind::Constant);
        check("now()", DefaultKind::Constant);
        check("(1 + 1)", DefaultKind::Stable);
        check("lower('A')", DefaultKind::Stable);
        check("gen_random_uuid()", DefaultKind::Volatile);
        check("app.f()", DefaultKind::Volatile);
    }
}
