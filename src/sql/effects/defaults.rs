//! Defaults: whether every row of a table gets the same value.

use std::collections::BTreeMap;

use crate::model::server::Engine;
use crate::sql::catalog::{Beside, Function, Volatility};
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
    "ARRAY_APPEND",
    "ARRAY_CAT",
    "ARRAY_FILL",
    "ARRAY_LENGTH",
    "ARRAY_REMOVE",
    "ARRAY_TO_JSON",
    "ARRAY_TO_STRING",
    "ASCII",
    "ATAN",
    "BIT_LENGTH",
    "BOX",
    "BROADCAST",
    "BTRIM",
    "CARDINALITY",
    "CBRT",
    "CEIL",
    "CEILING",
    "CHARACTER_LENGTH",
    "CHAR_LENGTH",
    "CHR",
    "CIRCLE",
    "CONCAT_WS",
    "COS",
    "CURRENT_CATALOG",
    "CURRENT_DATABASE",
    "CURRENT_SCHEMA",
    "CURRENT_SCHEMAS",
    "DATE",
    "DATEMULTIRANGE",
    "DATERANGE",
    "DATE_ADD",
    "DATE_BIN",
    "DATE_PART",
    "DECODE",
    "DEGREES",
    "DIV",
    "ENCODE",
    "EXP",
    "EXTRACT",
    "FACTORIAL",
    "FAMILY",
    "FLOOR",
    "FORMAT",
    "FORMAT_TYPE",
    "GCD",
    "GET_BIT",
    "GET_BYTE",
    "GREATEST",
    "HASHTEXT",
    "HAS_TABLE_PRIVILEGE",
    "HOST",
    "HSTORE",
    "INET",
    "INET_CLIENT_ADDR",
    "INET_CLIENT_PORT",
    "INET_SERVER_ADDR",
    "INET_SERVER_PORT",
    "INITCAP",
    "INT4MULTIRANGE",
    "INT4RANGE",
    "INT8RANGE",
    "ISFINITE",
    "JSONB_BUILD_ARRAY",
    "JSONB_INSERT",
    "JSONB_OBJECT",
    "JSONB_SET",
    "JSONB_STRIP_NULLS",
    "JSON_BUILD_ARRAY",
    "JSON_BUILD_OBJECT",
    "JSON_OBJECT",
    "JSON_STRIP_NULLS",
    "JUSTIFY_DAYS",
    "JUSTIFY_HOURS",
    "JUSTIFY_INTERVAL",
    "LCM",
    "LEAST",
    "LEFT",
    "LENGTH",
    "LINE",
    "LN",
    "LOG",
    "LOG10",
    "LPAD",
    "LSEG",
    "LTRIM",
    "MAKE_DATE",
    "MAKE_TIME",
    "MAKE_TIMESTAMP",
    "MAKE_TIMESTAMPTZ",
    "MASKLEN",
    "MD5",
    "MIN_SCALE",
    "MOD",
    "NETMASK",
    "NETWORK",
    "NORMALIZE",
    "NULLIF",
    "NUMRANGE",
    "OCTET_LENGTH",
    "OVERLAY",
    "PATH",
    "PG_BACKEND_PID",
    "PG_CONF_LOAD_TIME",
    "PG_CURRENT_XACT_ID",
    "PG_IS_IN_RECOVERY",
    "PG_POSTMASTER_START_TIME",
    "PG_TYPEOF",
    "PI",
    "PLAINTO_TSQUERY",
    "POINT",
    "POLYGON",
    "POSITION",
    "POWER",
    "QUOTE_IDENT",
    "QUOTE_LITERAL",
    "QUOTE_NULLABLE",
    "RADIANS",
    "REGEXP_MATCH",
    "REGEXP_REPLACE",
    "REPEAT",
    "REPLACE",
    "REVERSE",
    "RIGHT",
    "ROUND",
    "ROW",
    "ROW_TO_JSON",
    "RPAD",
    "RTRIM",
    "SCALE",
    "SESSION_USER",
    "SETWEIGHT",
    "SET_MASKLEN",
    "SHA224",
    "SHA256",
    "SHA384",
    "SHA512",
    "SIGN",
    "SIN",
    "SPLIT_PART",
    "SQRT",
    "STARTS_WITH",
    "STRING_TO_ARRAY",
    "STRPOS",
    "SUBSTR",
    "SUBSTRING",
    "TAN",
    "TO_ASCII",
    "TO_CHAR",
    "TO_DATE",
    "TO_HEX",
    "TO_JSON",
    "TO_JSONB",
    "TO_NUMBER",
    "TO_REGCLASS",
    "TO_REGTYPE",
    "TO_TSQUERY",
    "TO_TSVECTOR",
    "TRANSLATE",
    "TRIM",
    "TRIM_SCALE",
    "TRUNC",
    "TSRANGE",
    "TSTZRANGE",
    "TXID_CURRENT",
    "UNISTR",
    "VERSION",
    "WIDTH_BUCKET",
    "XMLPARSE",
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
    known.peek().is_some()
        && known
            .all(|(_, known)| known.volatility != Volatility::Volatile || is_put_in(known, beside))
}

/// Whether it is one of SQL whose expression the server puts in its place: what it is declared to be then says nothing.
fn is_put_in(function: &Function, beside: &Beside) -> bool {
    let body = function.body.trim().trim_end_matches(';');
    let upper = body.to_ascii_uppercase();
    let is_expression = upper.strip_prefix("SELECT").is_some_and(|rest| {
        rest.starts_with(char::is_whitespace)
            && !rest.split(|c: char| !c.is_alphanumeric()).any(|word| {
                matches!(word, "FROM" | "SELECT" | "INTO" | "LIMIT" | "UNION" | "WHERE")
            })
    });
    // Not functions that call themselves, or one another.
    let fewer = Beside { functions: BTreeMap::new(), ..beside.clone() };
    function.language == "sql"
        && !body.contains(';')
        && is_expression
        && body
            .get("SELECT".len()..)
            .is_some_and(|rest| of(rest, Engine::Postgres, &fewer) != DefaultKind::Volatile)
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
