//! Names and texts as SQL of each engine needs them.
//!
//! Names are always quoted: no list of reserved words is complete for every version of three servers.

use crate::model::name::TableName;
use crate::model::server::Engine;

/// A name, quoted: `"a b"` on PostgreSQL, `` `a b` `` on MySQL and MariaDB (whatever their `ANSI_QUOTES`).
pub(crate) fn ident(engine: Engine, name: &str) -> String {
    let mark = if engine.is_mysql_family() { '`' } else { '"' };
    let mut quoted = String::with_capacity(name.len() + 2);
    quoted.push(mark);
    for character in name.chars() {
        if character == mark {
            quoted.push(mark);
        }
        quoted.push(character);
    }
    quoted.push(mark);
    quoted
}

/// A table's name, quoted, with its schema when it has one.
pub(crate) fn table(engine: Engine, name: &TableName) -> String {
    match &name.schema {
        Some(schema) => format!("{}.{}", ident(engine, schema), ident(engine, &name.name)),
        None => ident(engine, &name.name),
    }
}

/// A text as a string literal.
///
/// PostgreSQL: right under either `standard_conforming_strings`. MySQL, MariaDB: for a `sql_mode` without
/// `NO_BACKSLASH_ESCAPES`, which is the default. A NUL, which no PostgreSQL text can hold, is left out there.
pub(crate) fn literal(engine: Engine, text: &str) -> String {
    let backslashes = text.contains('\\');
    let mut quoted = String::with_capacity(text.len() + 3);
    if backslashes && !engine.is_mysql_family() {
        quoted.push('E');
    }
    quoted.push('\'');
    for character in text.chars() {
        match character {
            '\'' => quoted.push_str("''"),
            '\\' => quoted.push_str("\\\\"),
            '\0' if engine.is_mysql_family() => quoted.push_str("\\0"),
            '\0' => {}
            other => quoted.push(other),
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_quoted_and_its_quotes_are_doubled() {
        assert_eq!(ident(Engine::Postgres, "a\"b"), "\"a\"\"b\"");
        assert_eq!(ident(Engine::MySql, "a`b\"c"), "`a``b\"c`");
        let name = TableName::in_schema("s", "t x");
        assert_eq!(table(Engine::Postgres, &name), "\"s\".\"t x\"");
        assert_eq!(table(Engine::MariaDb, &TableName::bare("t")), "`t`");
    }

    #[test]
    fn a_text_means_itself_on_every_engine() {
        assert_eq!(literal(Engine::Postgres, "it's"), "'it''s'");
        assert_eq!(literal(Engine::Postgres, r"a\'b"), r"E'a\\''b'");
        assert_eq!(literal(Engine::MariaDb, r"a\'b"), r"'a\\''b'");
        assert_eq!(literal(Engine::MySql, "a\0"), r"'a\0'");
    }
}
