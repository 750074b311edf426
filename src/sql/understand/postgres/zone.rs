//! The time zone of a session of PostgreSQL, from one statement of a file to the next: in UTC a timestamp is the same
//! with and without one.

use crate::model::server::Engine;
use crate::sql::change::{Change, Located, OTHER_ZONE};
use crate::sql::tokens::acting;
use crate::sql::understand::reader::Reader;

/// Whether a file has set another zone than UTC. What the server is set to is taken for UTC.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Zone {
    is_other: bool,
}

impl Zone {
    /// Takes note of a statement, and marks changes of type behind a zone that is not UTC.
    pub(crate) fn follow(&mut self, sql: &str, changes: &mut [Located]) {
        if let Some(is_other) = set(sql) {
            self.is_other = is_other;
        }
        let types = changes
            .iter_mut()
            .filter(|located| matches!(located.change, Change::ChangeType { .. }) && self.is_other);
        types.for_each(|located| {
            located.marks.insert(OTHER_ZONE);
        });
    }
}

/// Whether the statement sets another zone than UTC, or one that is; `None` when it sets none.
fn set(sql: &str) -> Option<bool> {
    const LONGEST: usize = 200;
    let begins =
        |word: &str| sql.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word));
    if sql.len() > LONGEST || !(begins("SET") || begins("RESET")) {
        return None;
    }
    let lexed = acting(sql, Engine::Postgres);
    let mut reader = Reader { sql, engine: Engine::Postgres, rest: &lexed.lexemes };
    if reader.eat("RESET") {
        return reader.eat_any(&["TIMEZONE", "TIME ZONE", "ALL"]).then_some(false);
    }
    reader.eat("SET").then_some(())?;
    let _scope: bool = reader.eat_any(&["SESSION", "LOCAL"]);
    if reader.eat("TIMEZONE") {
        reader.skip();
    } else {
        reader.eat("TIME ZONE").then_some(())?;
    }
    let value = reader.text().trim_matches('\'').to_ascii_uppercase();
    let utc = ["UTC", "ETC/UTC", "GMT", "ETC/GMT", "UCT", "ZULU", "DEFAULT", "0", "LOCAL"];
    Some(!utc.contains(&value.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_other_than_utc_is_told_from_it() {
        let check = |sql, expected| assert_eq!(set(sql), expected, "{sql}");
        check("SET timezone = 'Europe/Berlin'", Some(true));
        check("set session timezone to 'America/New_York'", Some(true));
        check("SET LOCAL TIME ZONE INTERVAL '+02:00' HOUR TO MINUTE", Some(true));
        check("SET TIME ZONE 'Etc/UTC'", Some(false));
        check("SET TIME ZONE DEFAULT", Some(false));
        check("RESET timezone", Some(false));
        check("SET lock_timeout = '1s'", None);
        check("SELECT 1", None);
    }
}
