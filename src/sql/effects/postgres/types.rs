//! Changes of type: whether the rows are written anew, read, or neither.

use std::borrow::Cow;

use sqlparser::tokenizer::Token;

use super::super::case::Case;
use super::keys::{self, Key};
use super::scene::Scene;
use crate::model::name::TableName;
use crate::model::server::Engine;
use crate::sql::catalog::{Beside, Column, ConstraintKind, Domain, Index, Table, TableKind};
use crate::sql::change::{ColumnDef, Located, OTHER_ZONE};
use crate::sql::rename::mentions;
use crate::sql::tokens::{self, Lexeme};
use crate::sql::types::DataType;

/// ALTER COLUMN ... TYPE.
pub(super) fn change(
    located: &Located,
    (table, column): (&TableName, &str),
    (to, using): (&ColumnDef, Option<&str>),
    scene: &Scene<'_>,
) -> Case {
    let catalog = scene.catalog;
    let known = scene.table(table);
    let old = known.and_then(|known| known.column(column));
    let mut shift = Shift::new(old, to, using, &catalog.beside);
    shift.is_free &= !(located.has(OTHER_ZONE) && shift.zoned);
    let here = keys::of(catalog, table).into_iter();
    let here = here.filter(|key| key.constraint.columns.iter().any(|name| name == column));
    let here: Vec<_> = here.collect();
    let there = keys::to(catalog, table, Some(column));
    let partners = others(&here, |_| true);
    let referrers = others(&there, |_| true);
    let is_checked = |key: &Key<'_>| key.constraint.valid && !shift.keeps_operators;
    let checked = [others(&here, is_checked), others(&there, is_checked)].concat();
    let family = scene.family(table, located).into_iter();
    let read = family.filter(|name| {
        let partition = catalog.tables.get(name).is_some_and(|known| known.shape.bound.is_some());
        let of_root = partition || catalog.is_kind(table, TableKind::Partitioned);
        let root = if of_root { known } else { scene.table(name) };
        root.is_some_and(|known| is_read_again(known, column, &shift, of_root))
            || !checked.is_empty()
    });
    let read: Vec<_> = read.collect();
    let (middles, leaves) = keys::levels(catalog, &partners);
    scene
        .case("change_type", table, located)
        .fact("free", shift.is_free)
        .fact("using", using.is_some())
        .fact(family_of(old), true)
        .fact("foreign-key", !partners.is_empty())
        .fact("partner-partitioned", !leaves.is_empty())
        .fact("referenced", !referrers.is_empty())
        .fact("read-again", !read.is_empty())
        .with("read-again", read)
        .with("checked", keys::with_descendants(catalog, &checked))
        .with("partner", partners)
        .with("partner-middles", middles)
        .with("partner-leaves", leaves)
        .with("referrers", keys::with_descendants(catalog, &referrers))
}

/// What kind of values a type has.
fn family_of(column: Option<&Column>) -> &'static str {
    let Some(column) = column else { return "unknown" };
    let parsed = DataType::parse(&column.data_type, Engine::Postgres);
    match parsed.base.as_str() {
        "character varying" | "character" | "text" | "bpchar" | "xml" => "texts",
        "numeric" | "smallint" | "integer" | "bigint" | "real" | "double precision" | "oid" => {
            "numbers"
        }
        "timestamp" | "time" | "interval" | "date" => "times",
        _ => "others",
    }
}

fn others(keys: &[Key<'_>], wanted: impl Fn(&Key<'_>) -> bool) -> Vec<TableName> {
    keys.iter().filter(|key| wanted(key)).map(|key| key.other.clone()).collect()
}

/// From one type to another.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "what is known of a change, each for itself")]
struct Shift {
    /// Neither new rows nor a look at the old ones, for the column's own sake.
    is_free: bool,
    /// Between timestamps with a time zone and without.
    zoned: bool,
    /// Indexes and foreign keys compare the new type as they did the old.
    keeps_operators: bool,
    keeps_collation: bool,
}

impl Shift {
    fn new(old: Option<&Column>, to: &ColumnDef, using: Option<&str>, beside: &Beside) -> Self {
        let Some(old) = old else {
            return Self {
                is_free: false,
                zoned: false,
                keeps_operators: false,
                keeps_collation: false,
            };
        };
        let path = match using {
            None => Some(Vec::new()),
            Some(using) => casts(using, &old.name),
        };
        let mut is_free = path.is_some();
        let mut at = old.data_type.clone();
        for step in path.into_iter().flatten().chain([to.data_type.clone()]) {
            is_free &= needs_no_rows(&at, &step, beside);
            at = step;
        }
        let collation = |text: Option<&String>| {
            let name = text.map_or("default", |text| text.rsplit('.').next().unwrap_or(text));
            name.trim_matches('"').to_owned()
        };
        let has_zone =
            |text: &str| DataType::parse(text, Engine::Postgres).rest.contains("with time zone");
        Self {
            is_free,
            zoned: has_zone(&old.data_type) != has_zone(&to.data_type),
            keeps_operators: compared_as(&old.data_type, beside)
                == compared_as(&to.data_type, beside),
            keeps_collation: collation(old.collation.as_ref()) == collation(to.collation.as_ref()),
        }
    }
}

/// The types to which a USING expression casts the column, one after the other; `None` when it does more.
fn casts(using: &str, column: &str) -> Option<Vec<String>> {
    let lexed = tokens::acting(using, Engine::Postgres);
    let mut found = Vec::new();
    cast_chain(using, &lexed.lexemes, column, &mut found)?;
    Some(found)
}

fn cast_chain(text: &str, lexemes: &[Lexeme], column: &str, found: &mut Vec<String>) -> Option<()> {
    let written = |part: &[Lexeme]| {
        let (first, last) = (part.first()?, part.last()?);
        text.get(first.start..last.end).map(str::to_owned)
    };
    let mut depth = 0_usize;
    let last_cast = lexemes.iter().enumerate().filter(|(_, lexeme)| {
        match lexeme.token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && lexeme.token == Token::DoubleColon
    });
    if let Some((at, _)) = last_cast.last() {
        let (inner, rest) = lexemes.split_at_checked(at)?;
        cast_chain(text, inner, column, found)?;
        found.push(written(rest.get(1..)?)?);
        return Some(());
    }
    match lexemes {
        [only] => match &only.token {
            Token::Word(word) => {
                let name = tokens::name(&word.value, word.quote_style, Engine::Postgres);
                (name == column).then_some(())
            }
            _ => None,
        },
        [first, inner @ .., last]
            if first.token == Token::LParen && last.token == Token::RParen =>
        {
            cast_chain(text, inner, column, found)
        }
        [cast, open, inner @ .., last]
            if cast.is_word("CAST")
                && open.token == Token::LParen
                && last.token == Token::RParen =>
        {
            let at = inner.iter().rposition(|lexeme| lexeme.is_word("AS"))?;
            let (expression, rest) = inner.split_at_checked(at)?;
            cast_chain(text, expression, column, found)?;
            found.push(written(rest.get(1..)?)?);
            Some(())
        }
        _ => None,
    }
}

/// Whether values of one type are values of another as they stand. Source: executed, see the rows of types.toml.
fn needs_no_rows(from: &str, to: &str, beside: &Beside) -> bool {
    let parse = |text: &str| DataType::parse(text, Engine::Postgres);
    let (from, to) = (from.trim(), to.trim());
    if same_type(from, to) {
        return true;
    }
    if is_constrained(to, beside) {
        return false;
    }
    // What a domain limits is not known of its base type any more.
    let from = match domain(from, beside) {
        Some(domain) => DataType { arguments: None, ..parse(&domain.base) },
        None => parse(from),
    };
    let to = match domain(to, beside) {
        Some(domain) => Cow::Borrowed(domain.base.as_str()),
        None => Cow::Borrowed(to),
    };
    from.widens_to(&parse(&to))
}

fn same_type(a: &str, b: &str) -> bool {
    DataType::parse(a, Engine::Postgres) == DataType::parse(b, Engine::Postgres)
}

/// How indexes and foreign keys compare values of a type: `varchar(5)` as `text`.
fn compared_as(data_type: &str, beside: &Beside) -> String {
    let base = match domain(data_type, beside) {
        Some(domain) => DataType::parse(&domain.base, Engine::Postgres),
        None => DataType::parse(data_type, Engine::Postgres),
    };
    let zone = base.rest.clone();
    let name = match base.base.as_str() {
        "character varying" => "text",
        "cidr" => "inet",
        other => other,
    };
    format!("{name}{zone}")
}

fn domain<'b>(data_type: &str, beside: &'b Beside) -> Option<&'b Domain> {
    let name = data_type.rsplit('.').next().unwrap_or(data_type).trim().trim_matches('"');
    beside.domains.iter().find(|(known, _)| known.name == name).map(|(_, domain)| domain)
}

/// Whether a type is a domain with conditions: of each value it must be seen whether it meets them.
pub(super) fn is_constrained(data_type: &str, beside: &Beside) -> bool {
    domain(data_type, beside).is_some_and(|domain| {
        domain.not_null || !domain.checks.is_empty() || is_constrained(&domain.base, beside)
    })
}

/// Whether a table is read for a type that needs no new rows: for a CHECK, which is checked again, or an index, which is
/// built again.
fn is_read_again(table: &Table, column: &str, shift: &Shift, partitioned: bool) -> bool {
    let checked = table.constraints.iter().any(|known| {
        known.kind == ConstraintKind::Check
            && known.valid
            && mentions(Engine::Postgres, &known.definition, column)
    });
    checked
        || table.indexes.iter().any(|index| {
            let holds = uses(index, column);
            // Indexes of partitions are always built again.
            holds
                && (partitioned
                    || !shift.keeps_operators
                    || !shift.keeps_collation
                    || is_special(table, index))
        })
        || (table.key.iter().any(|known| known == column)
            && (partitioned || !shift.keeps_operators || !shift.keeps_collation))
}

fn uses(index: &Index, column: &str) -> bool {
    index.columns.iter().any(|known| known == column || mentions(Engine::Postgres, known, column))
        || predicate(index).is_some_and(|text| mentions(Engine::Postgres, text, column))
}

/// Whether an index has an expression or a condition: PostgreSQL does not look whether it could stay.
fn is_special(table: &Table, index: &Index) -> bool {
    predicate(index).is_some() || index.columns.iter().any(|name| table.column(name).is_none())
}

fn predicate(index: &Index) -> Option<&str> {
    index.definition.split_once(" WHERE ").map(|(_, condition)| condition)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_using_that_only_casts_is_seen_through() {
        let check = |using, expected: Option<&[&str]>| {
            assert_eq!(
                casts(using, "a").as_deref(),
                expected
                    .map(|list| list.iter().map(ToString::to_string).collect::<Vec<_>>())
                    .as_deref(),
                "{using}"
            );
        };
        check("a", Some(&[]));
        check("(A)", Some(&[]));
        check("a::varchar(5)::text", Some(&["varchar(5)", "text"]));
        check("cast((a) AS timestamp with time zone)", Some(&["timestamp with time zone"]));
        check("lower(a)", None);
        check("b::text", None);
        check("a::int + 1", Some(&["int + 1"]));
    }
}
