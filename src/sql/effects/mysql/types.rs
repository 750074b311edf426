//! Changes of a column's type.

use super::super::case::Case;
use super::charset::{self, Text};
use super::context::Context;
use crate::model::server::{Engine, Server};
use crate::sql::catalog::{Column, Storage};
use crate::sql::types::{DataType, canonical};

/// A case when the type, character set or collation changes.
pub(super) fn change(known: &Column, to: &str, context: &Context<'_>) -> Option<Case> {
    let into = parts(to, context);
    let storage = storage(context);
    let text = charset::of(&into, &storage, context.server);
    between(known, &into, text.as_ref(), context)
}

/// The same for CONVERT TO CHARACTER SET; the longer TEXT types that it may need are a case of `change_type`, too.
pub(super) fn convert(known: &Column, to: &Text, context: &Context<'_>) -> Option<Case> {
    let from = parts(&known.data_type, context);
    let old = charset::of(&from, &storage(context), context.server)?;
    let is_text = matches!(from.base.as_str(), "tinytext" | "text" | "mediumtext");
    if is_text && charset::bytes(&to.charset) > charset::bytes(&old.charset) {
        return Some(context.case("change_type"));
    }
    between(known, &from, Some(to), context)
}

fn storage(context: &Context<'_>) -> Storage {
    context.known.map(|known| known.storage.clone()).unwrap_or_default()
}

fn between(
    known: &Column,
    into: &DataType,
    new: Option<&Text>,
    context: &Context<'_>,
) -> Option<Case> {
    let from = parts(&known.data_type, context);
    let old = charset::of(&from, &storage(context), context.server);
    let case = in_context(known, context);
    let blob = |base: &str| base.replace("text", "blob");
    if from.base != into.base && blob(&from.base) == into.base {
        return Some(case.fact("text-to-blob", true));
    }
    if context.server.engine == Engine::MariaDb && is_place(&from.base) && into.base == "geometry" {
        return None;
    }
    if from.base != into.base || attributes(&from) != attributes(into) {
        let long = into.base.ends_with("text") || into.base.ends_with("blob");
        let whole = context.indexes().iter().any(|index| {
            index.columns.iter().any(|name| context.same(name, &known.name))
                && index.kind.is_none()
                && !context.goes(index)
                && !index.definition.trim_start_matches('(').contains('(')
        });
        return Some(case.fact("needs-length", long && whole));
    }
    if matches!(from.base.as_str(), "enum" | "set") {
        return members(case, (&from, into), old.as_ref() == new);
    }
    let (a, b) = (length(&from), length(into));
    if let (Some(old), Some(new)) = (&old, new) {
        return characters(case, (&from, a, b), (old, new), context.server);
    }
    match from.base.as_str() {
        "float" | "double" => None,
        "varbinary" if a < b => Some(longer(case, a, b)),
        _ if arguments(&from) == arguments(into) => None,
        _ => Some(case),
    }
}

/// Whether a type is of places of one kind.
fn is_place(base: &str) -> bool {
    matches!(
        base,
        "point"
            | "linestring"
            | "polygon"
            | "multipoint"
            | "multilinestring"
            | "multipolygon"
            | "geometrycollection"
    )
}

/// What matters of the column's surroundings.
fn in_context(known: &Column, context: &Context<'_>) -> Case {
    let holds = |columns: &[String]| columns.iter().any(|name| context.same(name, &known.name));
    let mut held = context.indexes().iter().filter(|index| holds(&index.columns)).peekable();
    let indexed = held.peek().is_some();
    let unique = held.any(|index| index.unique) || holds(context.key());
    let clustering =
        holds(context.key()) || context.clustering().is_some_and(|index| holds(&index.columns));
    let fulltext = context.indexes().iter().any(|index| {
        holds(&index.columns) && index.kind.as_deref() == Some("FULLTEXT") && !context.goes(index)
    });
    let in_key = context.refers(&known.name) || context.is_referenced(&known.name);
    context
        .case("change_type")
        .fact("indexed", indexed || unique)
        .fact("in-unique", unique)
        .fact("in-fulltext", fulltext)
        .fact("in-clustering", clustering)
        .fact("in-foreign-key", in_key)
}

/// CHAR, VARCHAR, TEXT: lengths, character sets and collations.
fn characters(
    case: Case,
    (from, a, b): (&DataType, u64, u64),
    (old, new): (&Text, &Text),
    server: Server,
) -> Option<Case> {
    let varies = from.base == "varchar";
    let widens = (old.charset.as_str(), new.charset.as_str()) == ("utf8mb3", "utf8mb4");
    // MySQL counts bytes.
    let fewer = if widens && server.engine == Engine::MySql {
        b.saturating_mul(charset::bytes(&new.charset))
            < a.saturating_mul(charset::bytes(&old.charset))
    } else {
        b < a
    };
    if (old.charset != new.charset && !widens) || fewer || (a != b && !varies) {
        return Some(case);
    }
    let suffix = |text: &Text| text.collation.trim_start_matches(text.charset.as_str()).to_owned();
    let collates = suffix(old) != suffix(new);
    if !widens && !collates && a == b {
        return None;
    }
    let case =
        case.fact("to-utf8mb4", widens).fact("other-collation", collates).fact("fixed", !varies);
    if !varies {
        return Some(case);
    }
    let (old_bytes, new_bytes) = (
        a.saturating_mul(charset::bytes(&old.charset)),
        b.saturating_mul(charset::bytes(&new.charset)),
    );
    let case = longer(case, old_bytes, new_bytes);
    Some(if a == b { case } else { case.fact("longer", true) })
}

/// VARCHAR and VARBINARY keep their length in one byte up to 255 bytes, in two beyond.
fn longer(case: Case, old: u64, new: u64) -> Case {
    let same_text = !case_is_charset(&case);
    case.fact("longer", old < new && same_text)
        .fact("length-byte", old < 256 && new >= 256)
        // MariaDB: a column of at most 127 bytes keeps one bit free for the second length byte.
        .fact("short", old < 128)
}

fn case_is_charset(case: &Case) -> bool {
    case.is("to-utf8mb4") || case.is("other-collation")
}

/// ENUM and SET: members at the end, as long as the values need no more bytes.
fn members(case: Case, (from, into): (&DataType, &DataType), same_text: bool) -> Option<Case> {
    let same = from.arguments == into.arguments;
    if same && same_text {
        return None;
    }
    if same {
        return Some(case.fact("enum-charset", true));
    }
    let count = |data_type: &DataType| {
        let text = data_type.arguments.as_deref().unwrap_or_default();
        text.replace("''", "").matches('\'').count() / 2
    };
    let bytes = |data_type: &DataType| match (data_type.base.as_str(), count(data_type)) {
        ("enum", members) => usize::from(members > 255) + 1,
        (_, members) if members > 32 => 8,
        (_, members) => members.div_ceil(8),
    };
    let plain = |data_type: &DataType| DataType { rest: String::new(), ..data_type.clone() };
    let appended =
        plain(from).is_appended_by(&plain(into)) && bytes(from) == bytes(into) && same_text;
    Some(case.fact("appended", appended))
}

fn length(data_type: &DataType) -> u64 {
    let text = data_type.arguments.as_deref();
    text.and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// What stands behind the type, without character set and collation: `unsigned`.
fn attributes(data_type: &DataType) -> Vec<&str> {
    let mut words = data_type.rest.split_whitespace();
    let mut kept = Vec::new();
    while let Some(word) = words.next() {
        match word {
            "character" | "charset" => {
                if word == "character" {
                    words.next();
                }
                words.next();
            }
            "collate" => {
                words.next();
            }
            "precision" | "signed" => {}
            other => kept.push(other),
        }
    }
    // ZEROFILL is UNSIGNED, too; how numbers are shown says nothing.
    let fills = kept.contains(&"zerofill");
    kept.retain(|word| *word != "zerofill");
    if fills && !kept.contains(&"unsigned") {
        kept.insert(0, "unsigned");
    }
    kept
}

/// The arguments that matter, with their defaults.
fn arguments(data_type: &DataType) -> String {
    let given = data_type.arguments.as_deref().unwrap_or_default();
    match (data_type.base.as_str(), given) {
        ("decimal", "") => "10,0".to_owned(),
        ("decimal", one) if !one.contains(',') => format!("{one},0"),
        ("datetime" | "timestamp" | "time", "0") | ("year" | "tinyint", _) => String::new(),
        ("bit" | "char" | "binary", "") => "1".to_owned(),
        (_, given) => given.to_owned(),
    }
}

fn parts(written: &str, context: &Context<'_>) -> DataType {
    let engine = context.server.engine;
    let mut parsed = DataType::parse(&canonical(written, engine), engine);
    let base = match parsed.base.as_str() {
        "real" => "double",
        "middleint" | "int3" => "mediumint",
        "int1" => "tinyint",
        "int2" => "smallint",
        "int4" => "int",
        "int8" => "bigint",
        "float4" => "float",
        "float8" => "double",
        other => other,
    };
    parsed.base = base.to_owned();
    parsed
}
