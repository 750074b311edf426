//! Names that zdm gives: always the same for the same thing, and short enough for the server.

use sha2::{Digest, Sha256};

use crate::model::name::MigrationId;
use crate::model::server::Engine;

/// How long a name may be: bytes on PostgreSQL, characters on MySQL and MariaDB (bytes are counted there too, which is
/// at worst shorter than need be).
fn limit(engine: Engine) -> usize {
    if engine.is_mysql_family() { 64 } else { 63 }
}

/// The parts joined by `_`; too long a name is cut and ends in a hash of the whole.
pub(crate) fn joined(engine: Engine, parts: &[&str]) -> String {
    let whole = parts.join("_");
    if whole.len() <= limit(engine) {
        return whole;
    }
    let hash = digest(&whole);
    let tail = hash.get(..8).unwrap_or(&hash);
    let mut end = limit(engine) - tail.len() - 1;
    while !whole.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}_{tail}", whole.get(..end).unwrap_or_default())
}

/// Under which name contract hides a column.
pub(crate) fn hidden(engine: Engine, migration: &MigrationId, column: &str) -> String {
    joined(engine, &["zdm_hidden", digits(migration), column])
}

/// Under which name something of the old structure is carried over to the new one, until purge.
pub(crate) fn carried(engine: Engine, migration: &MigrationId, name: &str) -> String {
    joined(engine, &["zdm", digits(migration), name])
}

/// The number as written, `0002`.
fn digits(migration: &MigrationId) -> &str {
    migration.as_str().split_once('_').map_or("", |(digits, _)| digits)
}

/// SHA-256 in hexadecimal.
pub(crate) fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().fold(String::with_capacity(64), |mut hex, byte| {
        for half in [byte >> 4, byte & 15] {
            hex.push(char::from_digit(u32::from(half), 16).unwrap_or('0'));
        }
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_is_cut_at_a_character_and_told_apart_by_a_hash() {
        let migration = MigrationId::parse("0002_x").unwrap();
        assert_eq!(hidden(Engine::Postgres, &migration, "name"), "zdm_hidden_0002_name");
        let (a, b) = ("ä".repeat(31), "ä".repeat(31) + "b");
        for engine in [Engine::Postgres, Engine::MariaDb] {
            let names = [hidden(engine, &migration, &a), hidden(engine, &migration, &b)];
            assert!(names[0] != names[1] && names.iter().all(|name| name.len() <= limit(engine)));
        }
    }
}
