//! What changes only what the catalog says of a table. Source: `AlterTableGetLockLevel`, executed.

use super::super::case::Case;
use super::scene::Scene;
use crate::model::name::TableName;
use crate::sql::catalog::ConstraintKind;
use crate::sql::change::Located;

/// The clause's words (a column's name is `_`, `*` is the rest) and the kind of change that it is.
const KINDS: &[(&[&str], &str)] = &[
    (&["ALTER", "CONSTRAINT", "*"], "alter_constraint"),
    (&["ALTER", "_", "SET", "STATISTICS", "*"], "set_statistics"),
    (&["ALTER", "_", "SET", "STORAGE", "*"], "set_storage"),
    (&["ALTER", "_", "SET", "COMPRESSION", "*"], "set_compression"),
    (&["ALTER", "_", "DROP", "IDENTITY", "*"], "alter_identity"),
    (&["ALTER", "_", "DROP", "EXPRESSION", "*"], "drop_expression"),
    (&["ALTER", "_", "ADD", "*"], "alter_identity"),
    (&["ALTER", "_", "SET", "GENERATED", "*"], "alter_identity"),
    (&["ALTER", "_", "RESTART", "*"], "alter_identity"),
    (&["ALTER", "_", "SET", "("], "set_attribute"),
    (&["ALTER", "_", "RESET", "("], "set_attribute"),
    (&["ALTER", "_", "SET", "*"], "alter_identity"),
    (&["SET", "("], "set_parameters"),
    (&["RESET", "("], "set_parameters"),
    (&["CLUSTER", "ON", "*"], "cluster_on"),
    (&["SET", "WITHOUT", "CLUSTER"], "cluster_on"),
    (&["SET", "WITHOUT", "OIDS"], "without_oids"),
    (&["OWNER", "*"], "owner"),
    (&["ENABLE", "ROW", "*"], "row_security"),
    (&["DISABLE", "ROW", "*"], "row_security"),
    (&["FORCE", "*"], "row_security"),
    (&["NO", "FORCE", "*"], "row_security"),
    (&["ENABLE", "RULE", "*"], "enable_rule"),
    (&["DISABLE", "RULE", "*"], "enable_rule"),
    (&["ENABLE", "ALWAYS", "RULE", "*"], "enable_rule"),
    (&["ENABLE", "REPLICA", "RULE", "*"], "enable_rule"),
    (&["ENABLE", "*"], "enable_trigger"),
    (&["DISABLE", "*"], "enable_trigger"),
    (&["REPLICA", "*"], "replica_identity"),
    (&["OF", "*"], "of_type"),
    (&["NOT", "OF"], "of_type"),
    (&["SET", "TABLESPACE", "*"], "set_tablespace"),
    (&["SET", "ACCESS", "*"], "set_access_method"),
    (&["SET", "LOGGED"], "set_logged"),
    (&["SET", "UNLOGGED"], "set_unlogged"),
];

/// The case of a clause; `None` when its words are not among those above.
pub(super) fn case(
    located: &Located,
    table: &TableName,
    what: &str,
    scene: &Scene<'_>,
) -> Option<Case> {
    let words = words(what);
    let kind = KINDS.iter().find(|(pattern, _)| fits(pattern, &words))?.1;
    let has = |word: &str| words.iter().any(|known| known == word);
    let known = scene.table(table);
    let partner = (kind == "alter_constraint")
        .then(|| {
            known?.constraints.iter().find(|known| {
                words.get(2).is_some_and(|word| known.name.eq_ignore_ascii_case(word))
            })
        })
        .flatten();
    let own_triggers = known.is_some_and(|known| !known.triggers.is_empty());
    let key_triggers = known.is_some_and(|known| {
        known.constraints.iter().any(|known| known.kind == ConstraintKind::ForeignKey)
    });
    let case = scene
        .case(kind, table, located)
        .fact("catalog-table", has("USER_CATALOG_TABLE"))
        .fact(
            "same-place",
            words
                .last()
                .is_some_and(|last| matches!(last.as_str(), "PG_DEFAULT" | "HEAP" | "DEFAULT")),
        )
        .fact("unlogged", known.is_some_and(|known| known.shape.unlogged))
        .fact("unknown", known.is_none())
        .fact("enforcement", has("ENFORCED"))
        .fact("own-triggers", own_triggers)
        .fact("row-triggers", own_triggers || key_triggers)
        .with("partner", partner.and_then(|known| known.other.clone()));
    Some(case)
}

/// The words in capitals, without quotes, parentheses apart, `COLUMN` left out.
fn words(what: &str) -> Vec<String> {
    let upper = what.to_ascii_uppercase();
    let spaced: String = upper
        .chars()
        .flat_map(|character| match character {
            '(' | ')' | ',' | '=' => vec![' ', character, ' '],
            '"' => Vec::new(),
            other => vec![other],
        })
        .collect();
    let words = spaced.split_whitespace().map(str::to_owned);
    words
        .enumerate()
        .filter(|(at, word)| !(*at == 1 && word == "COLUMN"))
        .map(|(_, word)| word)
        .collect()
}

fn fits(pattern: &[&str], words: &[String]) -> bool {
    let mut rest = words.iter();
    for expected in pattern {
        match (*expected, rest.next()) {
            ("*", _) => return true,
            ("(", Some(word)) => return word == "(",
            ("_", Some(_)) => {}
            (expected, Some(word)) if word == expected => {}
            _ => return false,
        }
    }
    rest.next().is_none()
}
