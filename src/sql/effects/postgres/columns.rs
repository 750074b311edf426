//! Columns that come, go and change, but for their types.

use super::super::case::Case;
use super::super::defaults::{self, DefaultKind};
use super::keys;
use super::scene::Scene;
use super::types;
use crate::model::name::TableName;
use crate::model::server::Engine;
use crate::sql::catalog::{Catalog, ConstraintKind, Table, TableKind};
use crate::sql::change::{Change, ColumnDef, Located};

/// ADD COLUMN.
pub(super) fn add(
    located: &Located,
    (table, column): (&TableName, &ColumnDef),
    if_not_exists: bool,
    scene: &Scene<'_>,
) -> Case {
    let default = column
        .default
        .as_deref()
        .map(|text| defaults::of(text, Engine::Postgres, &scene.catalog.beside));
    let known = scene.table(table).and_then(|known| known.column(&column.name));
    let stored = column.generated.as_ref().is_some_and(|text| text.ends_with(" STORED"));
    scene
        .case("add_column", table, located)
        .fact("exists", if_not_exists && known.is_some())
        .fact("not-null", column.not_null)
        .fact("has-default", default.is_some())
        .fact("default-volatile", default == Some(DefaultKind::Volatile))
        .fact("counts", column.counts)
        .fact("generated", column.generated.is_some())
        .fact("generated-stored", stored)
        .fact("constrained-domain", types::is_constrained(&column.data_type, &scene.catalog.beside))
}

/// DROP COLUMN: with it go its constraints, which takes a lock at the other end of foreign keys.
pub(super) fn drop(located: &Located, table: &TableName, column: &str, scene: &Scene<'_>) -> Case {
    let catalog = scene.catalog;
    let here = keys::of(catalog, table).into_iter();
    let here = here.filter(|key| key.constraint.columns.iter().any(|name| name == column));
    let partners: Vec<_> = here.map(|key| key.other).collect();
    let there =
        if located.has("cascade") { keys::to(catalog, table, Some(column)) } else { Vec::new() };
    let referrers: Vec<_> = there.into_iter().map(|key| key.other).collect();
    let stored = catalog.readers_of_column(table, column).into_iter();
    let stored = stored.filter(|view| catalog.is_kind(view, TableKind::MaterializedView));
    let stored: Vec<_> = if located.has("cascade") { stored.collect() } else { Vec::new() };
    let (middles, leaves) = keys::levels(catalog, &partners);
    scene
        .case("drop_column", table, located)
        .fact("foreign-key", !partners.is_empty())
        .fact("referenced", !referrers.is_empty())
        .fact("partner-partitioned", is_partitioned(&partners, catalog))
        .with("partner-middles", middles)
        .with("partner-leaves", leaves)
        .with("partner", partners)
        .with("referrers", keys::with_descendants(catalog, &referrers))
        .with("materialized-views", stored)
}

fn is_partitioned(tables: &[TableName], catalog: &Catalog) -> bool {
    tables.iter().any(|table| catalog.is_kind(table, TableKind::Partitioned))
}

/// SET NOT NULL: tables in which rows could have a NULL are read.
pub(super) fn set_not_null(
    located: &Located,
    table: &TableName,
    column: &str,
    scene: &Scene<'_>,
) -> Case {
    let family = scene.family(table, located).into_iter();
    let unproven = family.filter(|name| !is_proven(name, column, scene));
    let unproven: Vec<_> = unproven.collect();
    scene
        .case("set_not_null", table, located)
        .fact("is-not-null", is_not_null(scene.table(table), column))
        .fact("proven", unproven.is_empty())
        .fact("named", located.has("add"))
        .with("unproven", unproven)
}

/// DROP NOT NULL.
pub(super) fn drop_not_null(
    located: &Located,
    table: &TableName,
    column: &str,
    scene: &Scene<'_>,
) -> Case {
    // PostgreSQL 18 looks at the children's constraints even for ONLY the parent.
    let below = scene.catalog.children(table).filter(|_| located.has("only"));
    let below: Vec<_> = below.cloned().collect();
    scene.case("drop_not_null", table, located).with("kept-below", below).fact(
        "is-nullable",
        scene.table(table).is_some() && !is_not_null(scene.table(table), column),
    )
}

/// SET EXPRESSION.
pub(super) fn set_expression(
    located: &Located,
    table: &TableName,
    what: &str,
    scene: &Scene<'_>,
) -> Case {
    let mut words = what.split_whitespace().skip(1);
    let name = words.find(|word| !word.eq_ignore_ascii_case("COLUMN")).unwrap_or_default();
    let name = match name.strip_prefix('"') {
        Some(quoted) => quoted.trim_end_matches('"').to_owned(),
        None => name.to_lowercase(),
    };
    let known = scene.table(table).and_then(|known| known.column(&name));
    let generated = known.and_then(|known| known.generated.as_ref());
    let computed = generated.is_some_and(|text| !text.ends_with(" STORED"));
    scene.case("set_expression", table, located).fact("virtual", computed)
}

fn is_not_null(table: Option<&Table>, column: &str) -> bool {
    table.is_some_and(|table| {
        table.column(column).is_some_and(|known| known.not_null)
            || table.key.iter().any(|known| known == column)
    })
}

/// Whether a valid CHECK (or the column itself) already says that there is no NULL: PostgreSQL then skips its scan.
pub(super) fn is_known_not_null(table: Option<&Table>, column: &str) -> bool {
    is_not_null(table, column)
        || table.is_some_and(|table| {
            table.constraints.iter().any(|known| {
                known.kind == ConstraintKind::Check
                    && known.valid
                    && says_not_null(&known.definition, column)
            })
        })
}

/// The same, without constraints that the statement drops: they go before anything else is looked at.
fn is_proven(table: &TableName, column: &str, scene: &Scene<'_>) -> bool {
    let known = scene.table(table);
    let drops = |name: &str| {
        scene.statement.iter().any(|located| {
            matches!(&located.change, Change::DropConstraint { constraint, .. } if constraint == name)
        })
    };
    let kept =
        known.filter(|known| known.constraints.iter().any(|one| drops(&one.name))).map(|known| {
            let mut kept = known.clone();
            kept.constraints.retain(|one| !drops(&one.name));
            kept
        });
    is_known_not_null(kept.as_ref().or(known), column)
}

/// Whether a condition is `column IS NOT NULL`, or such among others that must hold, too.
fn says_not_null(definition: &str, column: &str) -> bool {
    let condition = definition.trim();
    let condition = condition.strip_prefix("CHECK").unwrap_or(condition);
    let condition = condition.trim().trim_end_matches(" NO INHERIT");
    conjuncts(condition).iter().any(|part| {
        let words: Vec<_> = part.split_whitespace().collect();
        let upper: Vec<_> = words.iter().map(|word| word.to_ascii_uppercase()).collect();
        let upper: Vec<_> = upper.iter().map(String::as_str).collect();
        // What the server makes `IS NOT NULL` of.
        let words = match (upper.as_slice(), words.as_slice()) {
            (["NOT", "(", .., "IS", "NULL", ")"], [_, _, name @ .., _, _, _])
            | ([.., "IS", "DISTINCT", "FROM", "NULL"], [name @ .., _, _, _, _]) => {
                [name, &["IS", "NOT", "NULL"]].concat()
            }
            _ => words,
        };
        let [name @ .., is, not, null] = words.as_slice() else { return false };
        let name = name.join(" ");
        let quoted = name.strip_prefix('"').and_then(|name| name.strip_suffix('"'));
        let same = quoted.map_or_else(|| name.to_lowercase() == column, |name| name == column);
        same && [*is, *not, *null].join(" ").eq_ignore_ascii_case("IS NOT NULL")
    })
}

/// The parts of a condition between ANDs, without parentheses around the whole or a part.
fn conjuncts(condition: &str) -> Vec<String> {
    let lexed = crate::sql::tokens::acting(condition, Engine::Postgres);
    split_at_and(condition, &lexed.lexemes)
}

fn split_at_and(text: &str, lexemes: &[crate::sql::tokens::Lexeme]) -> Vec<String> {
    use sqlparser::tokenizer::Token;
    let mut inside = lexemes;
    while let [first, middle @ .., last] = inside
        && first.token == Token::LParen
        && last.token == Token::RParen
        && closes_at_end(inside)
    {
        inside = middle;
    }
    let mut depth = 0_usize;
    let parts: Vec<_> = inside
        .split(|lexeme| {
            match lexeme.token {
                Token::LParen => depth += 1,
                Token::RParen => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && lexeme.is_word("AND")
        })
        .collect();
    if let [only] = parts.as_slice() {
        let words = only.iter().filter_map(|lexeme| text.get(lexeme.start..lexeme.end));
        return vec![words.collect::<Vec<_>>().join(" ")];
    }
    parts.into_iter().flat_map(|part| split_at_and(text, part)).collect()
}

/// Whether the first parenthesis is closed by the last.
fn closes_at_end(lexemes: &[crate::sql::tokens::Lexeme]) -> bool {
    use sqlparser::tokenizer::Token;
    let mut depth = 0_usize;
    let closed = lexemes.iter().position(|lexeme| {
        match lexeme.token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0
    });
    closed == lexemes.len().checked_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_that_includes_is_not_null_says_so() {
        for text in [
            "CHECK (a IS NOT NULL)",
            "CHECK ((a IS NOT NULL))",
            "CHECK (((a IS NOT NULL) AND (b > 0)))",
            "CHECK (b > 0 AND (c > 0 AND A is not null))",
            "CHECK (\"a\" IS NOT NULL) NO INHERIT",
        ] {
            assert!(says_not_null(text, "a"), "{text}");
        }
        for text in ["CHECK (a IS NOT NULL OR b > 0)", "CHECK (b IS NOT NULL)", "CHECK (a > 0)"] {
            assert!(!says_not_null(text, "a"), "{text}");
        }
    }
}
