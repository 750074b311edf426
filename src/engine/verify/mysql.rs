//! MySQL and MariaDB: a statement is asked with each ALGORITHM and LOCK, the best first; what is refused changes nothing,
//! what is granted has run.

use crate::database::connection::Connection;
use crate::database::error::{DbError, DbErrorKind};
use crate::model::name::TableName;
use crate::model::server::Engine;
use crate::plan::bare;
use crate::plan::verified::{Seen, grants_differ};
use crate::plan::view::PlannedStatement;
use crate::sql::effect::Algorithm;
use crate::sql::rename::split_at_word;

use super::postgres::Judged;

/// The best first.
const ALGORITHMS: [Algorithm; 4] =
    [Algorithm::Instant, Algorithm::NoCopy, Algorithm::InPlace, Algorithm::Copy];
const LOCKS: [&str; 3] = ["NONE", "SHARED", "EXCLUSIVE"];

/// Runs one statement.
pub(super) async fn one(
    conn: &mut Connection,
    statement: &PlannedStatement,
) -> Result<Judged, DbError> {
    let engine = conn.engine();
    let asked = statement.effect.algorithm.and(question(statement, engine));
    let Some((text, between, table)) = asked else {
        conn.run(&statement.sql).await?;
        return Ok((Seen::Nothing, Vec::new()));
    };
    for algorithm in ALGORITHMS {
        if algorithm == Algorithm::NoCopy && engine == Engine::MySql {
            continue;
        }
        for lock in LOCKS {
            let word = algorithm.as_str();
            // MySQL takes no LOCK beside INSTANT.
            let sql = if engine == Engine::MySql && algorithm == Algorithm::Instant {
                format!("{text}{between}ALGORITHM={word}")
            } else {
                format!("{text}{between}ALGORITHM={word}{between}LOCK={lock}")
            };
            match conn.run(&sql).await {
                Ok(_) => {
                    let refused_as_sent = is_refused(&statement.sql, algorithm, lock);
                    let lock = lock.to_owned();
                    let seen = Seen::Granted { table, algorithm, lock, refused_as_sent };
                    let differences = grants_differ(&statement.effect, &seen);
                    return Ok((seen, differences));
                }
                Err(error) if error.kind == DbErrorKind::Unsupported => {}
                // The clauses do not belong there, or the statement is wrong: its own text tells which.
                Err(_) => {
                    conn.run(&statement.sql).await?;
                    return Ok((Seen::Nothing, Vec::new()));
                }
            }
        }
    }
    conn.run(&statement.sql).await?;
    Ok((Seen::Nothing, Vec::new()))
}

/// The statement without zdm's own assertion, what stands between clauses, and its table. None when its author says
/// how it is to run, or it takes no such clauses.
fn question(
    statement: &PlannedStatement,
    engine: Engine,
) -> Option<(String, &'static str, TableName)> {
    let text = bare(&statement.sql);
    let says = |word| split_at_word(engine, text, word).is_some();
    if says("ALGORITHM") || says("LOCK") {
        return None;
    }
    let table = statement.changes.iter().find_map(|located| located.change.table())?.clone();
    let words: Vec<_> = text.split_whitespace().take(2).map(str::to_ascii_uppercase).collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let between = match words.as_slice() {
        ["ALTER", "TABLE"] => ", ",
        ["CREATE" | "DROP", "INDEX" | "UNIQUE" | "FULLTEXT" | "SPATIAL"] => " ",
        _ => return None,
    };
    Some((text.to_owned(), between, table))
}

/// Whether the server refuses the text that zdm sends, which asserts more than what it grants.
fn is_refused(sent: &str, algorithm: Algorithm, lock: &str) -> bool {
    let asserts = |word: &str| sent.len() != bare(sent).len() && sent.contains(word);
    asserts("ALGORITHM=INSTANT") && algorithm > Algorithm::Instant
        || asserts("ALGORITHM=NOCOPY") && algorithm > Algorithm::NoCopy
        || asserts("ALGORITHM=INPLACE") && algorithm > Algorithm::InPlace
        || asserts("LOCK=NONE") && lock != "NONE"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asserted_is_more_than_what_is_granted_or_not() {
        let sent = "ALTER TABLE t ADD KEY (a), ALGORITHM=INPLACE, LOCK=NONE";
        assert!(!is_refused(sent, Algorithm::NoCopy, "NONE"));
        assert!(!is_refused(sent, Algorithm::Instant, "NONE"));
        assert!(is_refused(sent, Algorithm::Copy, "NONE"));
        assert!(is_refused(sent, Algorithm::InPlace, "SHARED"));
        assert!(!is_refused("ALTER TABLE t FORCE", Algorithm::Copy, "SHARED"));
        let sent = "ALTER TABLE t ADD COLUMN a int, ALGORITHM=INSTANT";
        assert!(is_refused(sent, Algorithm::InPlace, "NONE"));
    }
}
