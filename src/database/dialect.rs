//! What the two families write differently in zdm's own statements.

use crate::model::server::Engine;

/// Puts a dialect's words in the place of `{zdm}`, `{now}` and `{ms:expression}`.
///
/// - `{zdm}step` is a table of the state: `zdm.step`, or `zdm_step` where there are no schemas;
/// - `{now}` is the server's clock, which moves inside a transaction;
/// - `{ms:expression}` is a time as milliseconds since 1970.
pub(crate) fn translate(engine: Engine, text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 32);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((word, tail)) = after.split_once('}') else {
            out.push('{');
            rest = after;
            continue;
        };
        rest = tail;
        match (word, engine.is_mysql_family()) {
            ("zdm", false) => out.push_str("zdm."),
            ("zdm", true) => out.push_str("zdm_"),
            ("now", false) => out.push_str("clock_timestamp()"),
            ("now", true) => out.push_str("UTC_TIMESTAMP(6)"),
            (word, is_mysql_family) => match word.strip_prefix("ms:") {
                Some(time) if is_mysql_family => out.push_str(&format_mysql_ms(time)),
                Some(time) => out.push_str(&format_postgres_ms(time)),
                // A brace of the statement's own, in JSON for example.
                None => out.extend(["{", word, "}"]),
            },
        }
    }
    out.push_str(rest);
    out
}

fn format_mysql_ms(time: &str) -> String {
    format!("(TIMESTAMPDIFF(MICROSECOND, TIMESTAMP'1970-01-01 00:00:00', {time}) DIV 1000)")
}

fn format_postgres_ms(time: &str) -> String {
    format!("(extract(epoch FROM {time}) * 1000)::bigint")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_statements_are_written_once_for_both_families() {
        let text =
            "SELECT {ms:seen_at} FROM {zdm}lease WHERE seen_at < {now} AND x = '{a}' AND y = '{'";
        assert_eq!(
            translate(Engine::Postgres, text),
            "SELECT (extract(epoch FROM seen_at) * 1000)::bigint FROM zdm.lease \
             WHERE seen_at < clock_timestamp() AND x = '{a}' AND y = '{'"
        );
        assert_eq!(
            translate(Engine::MariaDb, text),
            "SELECT (TIMESTAMPDIFF(MICROSECOND, TIMESTAMP'1970-01-01 00:00:00', seen_at) DIV 1000) \
             FROM zdm_lease WHERE seen_at < UTC_TIMESTAMP(6) AND x = '{a}' AND y = '{'"
        );
    }
}
