//! What a statement costs, in words.

use crate::model::server::Engine;
use crate::sql::effect::{Blocks, Effect};

/// One line: what waits, on which tables, for how long; then the names that the server uses.
pub(crate) fn effect(effect: &Effect, engine: Engine) -> String {
    if !effect.known {
        return "not understood: assume that reads and writes wait, and that tables are rewritten"
            .to_owned();
    }
    let tables: Vec<String> = effect.locks.iter().map(|lock| lock.table.to_string()).collect();
    if tables.is_empty() {
        return "nobody waits; touches no table that is there already".to_owned();
    }
    let tables = list(&tables);
    let long = if !effect.rewrites.is_empty() {
        Some("while the whole table is rewritten")
    } else if !effect.scans.is_empty() {
        Some("while the whole table is read")
    } else {
        None
    };
    let words = match (effect.blocks, long) {
        (Blocks::Nothing, None) => format!("nobody waits; touches {tables}"),
        (Blocks::Nothing, Some(long)) => format!("nobody waits {long}: {tables}"),
        (Blocks::Ddl, long) => {
            format!("only other schema changes of {tables} wait{}", space(long.unwrap_or_default()))
        }
        (Blocks::Writes, long) => {
            format!("writes to {tables} wait {}", long.unwrap_or("for an instant"))
        }
        (Blocks::ReadsAndWrites, long) => {
            format!("reads and writes of {tables} wait {}", long.unwrap_or("for an instant"))
        }
    };
    format!("{words} ({})", server_words(effect, engine))
}

fn server_words(effect: &Effect, engine: Engine) -> String {
    let mut modes: Vec<&str> = effect.locks.iter().map(|lock| lock.mode.as_str()).collect();
    modes.sort_unstable();
    modes.dedup();
    if !engine.is_mysql_family() {
        return modes.join(", ");
    }
    match effect.algorithm {
        Some(algorithm) => {
            format!("ALGORITHM={}, LOCK={}", algorithm.as_str(), modes.join("/"))
        }
        None => format!("LOCK={}", modes.join("/")),
    }
}

fn space(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(" {text}") }
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn list(words: &[String]) -> String {
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::name::TableName;
    use crate::sql::effect::{Algorithm, Lock};

    #[test]
    fn an_effect_says_who_waits_and_for_how_long() {
        let table = TableName::in_schema("public", "users");
        let lock = |mode: &str| vec![Lock { table: table.clone(), mode: mode.to_owned() }];
        let mut cost = Effect {
            known: true,
            locks: lock("AccessExclusiveLock"),
            blocks: Blocks::ReadsAndWrites,
            rewrites: Vec::new(),
            scans: Vec::new(),
            algorithm: None,
        };
        assert_eq!(
            effect(&cost, Engine::Postgres),
            "reads and writes of public.users wait for an instant (AccessExclusiveLock)"
        );
        cost.rewrites.push(table.clone());
        assert_eq!(
            effect(&cost, Engine::Postgres),
            "reads and writes of public.users wait while the whole table is rewritten (AccessExclusiveLock)"
        );
        cost.blocks = Blocks::Nothing;
        cost.locks = lock("NONE");
        cost.algorithm = Some(Algorithm::InPlace);
        assert_eq!(
            effect(&cost, Engine::MariaDb),
            "nobody waits while the whole table is rewritten: public.users (ALGORITHM=INPLACE, LOCK=NONE)"
        );
    }
}
