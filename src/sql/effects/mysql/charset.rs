//! Character sets and collations: what a column has when it says nothing.

use crate::model::server::{Engine, Server};
use crate::sql::catalog::Storage;
use crate::sql::types::DataType;

/// The character set and collation of a column.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Text {
    pub(super) charset: String,
    pub(super) collation: String,
}

/// What a column of that type has in a table; `None` for types without characters.
pub(super) fn of(data_type: &DataType, storage: &Storage, server: Server) -> Option<Text> {
    let is_text = matches!(
        data_type.base.as_str(),
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "enum" | "set"
    );
    is_text.then_some(())?;
    let words: Vec<_> = data_type.rest.split_whitespace().collect();
    let behind = |word: &str| {
        let at = words.iter().rposition(|known| *known == word)?;
        words.get(at + 1).copied()
    };
    Some(with(behind("set"), behind("collate"), storage, server))
}

/// The same from the names that are given.
pub(super) fn with(
    charset: Option<&str>,
    collation: Option<&str>,
    storage: &Storage,
    server: Server,
) -> Text {
    let table_charset = (storage.charset.as_deref().map(str::to_ascii_lowercase))
        .or_else(|| charset_of(&storage.collation.as_deref()?.to_ascii_lowercase()))
        .unwrap_or_else(|| "utf8mb4".to_owned());
    let table_charset = long_name(&table_charset);
    match (charset.map(str::to_ascii_lowercase), collation.map(str::to_ascii_lowercase)) {
        (charset, Some(collation)) => {
            let charset = charset_of(&collation).or(charset).unwrap_or(table_charset);
            Text { charset: long_name(&charset), collation: collation.replace("utf8_", "utf8mb3_") }
        }
        (Some(charset), None) => {
            let charset = long_name(&charset);
            Text { collation: default_collation(&charset, server), charset }
        }
        (None, None) => {
            let collation = storage.collation.as_deref().map(str::to_ascii_lowercase);
            let collation = collation.unwrap_or_else(|| default_collation(&table_charset, server));
            Text { charset: table_charset, collation: collation.replace("utf8_", "utf8mb3_") }
        }
    }
}

fn long_name(charset: &str) -> String {
    if charset == "utf8" { "utf8mb3".to_owned() } else { charset.to_owned() }
}

/// The character set that a collation begins with; MariaDB has collations that do not name one (`uca1400_ai_ci`).
fn charset_of(collation: &str) -> Option<String> {
    let first = collation.split('_').next()?;
    (!first.starts_with("uca")).then(|| long_name(first))
}

/// The collation of a character set when none is named.
///
/// Source: MySQL 8.0 and newer, Character Sets; MariaDB 11.6 and newer, `character_set_collations`.
fn default_collation(charset: &str, server: Server) -> String {
    let uca = server.engine == Engine::MariaDb && server.version >= (11, 6);
    match charset {
        "binary" => "binary".to_owned(),
        "latin1" => "latin1_swedish_ci".to_owned(),
        "utf8mb4" if server.engine == Engine::MySql => "utf8mb4_0900_ai_ci".to_owned(),
        "utf8mb4" | "utf8mb3" | "ucs2" | "utf16" | "utf32" if uca => {
            format!("{charset}_uca1400_ai_ci")
        }
        _ => format!("{charset}_general_ci"),
    }
}

/// The bytes that a character can take.
pub(super) fn bytes(charset: &str) -> u64 {
    match charset {
        "utf8mb4" | "utf16" | "utf16le" | "utf32" | "gb18030" => 4,
        "utf8mb3" | "eucjpms" | "ujis" => 3,
        "ucs2" | "big5" | "cp932" | "euckr" | "gb2312" | "gbk" | "sjis" => 2,
        _ => 1,
    }
}
