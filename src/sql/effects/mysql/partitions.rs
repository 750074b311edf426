//! Operations on partitions.

use std::cmp::Ordering;

use super::super::case::Case;
use super::context::Context;
use crate::sql::catalog::{ConstraintKind, Partition};
use crate::sql::change::{Change, Located};
use crate::sql::types::DataType;

/// The case of an operation on partitions.
pub(super) fn case(located: &Located, context: &Context<'_>) -> Case {
    let Change::Partitions { operation, method, listed, .. } = &located.change else {
        return context.case("check_partition");
    };
    if is_wrong(located, context) {
        return context.case("wrong_partitions");
    }
    let partitioned = context.known.and_then(|known| known.storage.partitioned.as_deref());
    let by_hash = method.as_deref() == Some("HASH")
        || partitioned.is_some_and(|method| method.contains("HASH") || method.contains("KEY"));
    let plain =
        context.known.is_some_and(|known| !known.columns.is_empty()) && partitioned.is_none();
    let kind = match operation.as_str() {
        "PARTITION BY" => {
            let keyed = context.constraints().any(|known| {
                matches!(known.kind, ConstraintKind::ForeignKey | ConstraintKind::ReferencedBy)
            });
            return context.case("partition_by").fact("keyed", keyed);
        }
        _ if plain && !operation.starts_with("ANALYZE") && !operation.starts_with("CHECK") => {
            "plain_partitions"
        }
        "REMOVE PARTITIONING" => "remove_partitioning",
        "ADD PARTITION" => "add_partition",
        "DROP PARTITION" => "drop_partition",
        "TRUNCATE PARTITION" | "TRUNCATE PARTITION ALL" => "truncate_partition",
        "COALESCE PARTITION" => "coalesce_partition",
        "REORGANIZE PARTITION" | "REORGANIZE PARTITION ALL" => "reorganize_partition",
        "REBUILD PARTITION" | "REBUILD PARTITION ALL" => "rebuild_partition",
        "EXCHANGE PARTITION" => "exchange_partition",
        "CONVERT PARTITION" | "CONVERT TABLE" => "convert_partition",
        "OPTIMIZE PARTITION" | "OPTIMIZE PARTITION ALL" => "optimize_partition",
        "DISCARD PARTITION" | "DISCARD PARTITION ALL" => "discard_partition",
        "IMPORT PARTITION" | "IMPORT PARTITION ALL" => "import_partition",
        _ => "check_partition",
    };
    let storage = context.known.map(|known| &known.storage);
    let names = storage.map(|storage| storage.partitions.as_slice()).unwrap_or_default();
    let is_listed =
        |one: &Partition| listed.iter().any(|name| name.eq_ignore_ascii_case(&one.name));
    context
        .case(kind)
        .fact("every", !names.is_empty() && names.iter().all(is_listed))
        .fact("hash", by_hash)
        .fact("linear", partitioned.is_some_and(|method| method.starts_with("LINEAR")))
        .fact("all", operation.ends_with(" ALL"))
}

/// Whether a new table's partitions cannot stand so.
pub(super) fn is_misfit(change: &Change) -> bool {
    let Change::Partitions { operation, method, made, .. } = change else { return false };
    operation == "PARTITION BY" && !fits(made, method.as_deref().unwrap_or_default())
}

/// Whether the server refuses it, whatever the rows are: names, bounds and keys do not fit.
fn is_wrong(located: &Located, context: &Context<'_>) -> bool {
    let Change::Partitions { operation, method, columns, to, listed, made, .. } = &located.change
    else {
        return false;
    };
    if operation == "PARTITION BY" {
        let method = method.as_deref().unwrap_or_default();
        return !fits(made, method) || leaves_keys_out(columns, context);
    }
    let storage = context.known.map(|known| &known.storage);
    let method = storage.and_then(|storage| storage.partitioned.as_deref()).unwrap_or_default();
    let known = storage.map(|storage| storage.partitions.as_slice()).unwrap_or_default();
    let is_listed =
        |one: &Partition| listed.iter().any(|name| name.eq_ignore_ascii_case(&one.name));
    let found = known.iter().filter(|one| is_listed(one)).count();
    if known.is_empty() {
        return false;
    }
    match operation.as_str() {
        "ADD PARTITION" if !located.has("if-exists") => {
            !fits(&[known, made.as_slice()].concat(), method)
        }
        "REORGANIZE PARTITION" => {
            found < listed.len() || !reorganizes(known, (listed, made), method)
        }
        "EXCHANGE PARTITION" => {
            found < listed.len() || to.as_ref().is_some_and(|to| differs(to, context))
        }
        "DROP PARTITION" | "TRUNCATE PARTITION" | "REBUILD PARTITION" | "CONVERT PARTITION"
        | "DISCARD PARTITION" | "IMPORT PARTITION" => {
            found < listed.len() && !located.has("if-exists")
        }
        // The others answer with a row that says so.
        _ => false,
    }
}

/// Whether partitions can stand in this order: their names differ, bounds increase, and no value is there twice.
fn fits(partitions: &[Partition], method: &str) -> bool {
    let names: Vec<_> = partitions.iter().map(|one| one.name.to_ascii_lowercase()).collect();
    if is_twice(&names) {
        return false;
    }
    if method.starts_with("RANGE") {
        let pairs = partitions.iter().zip(partitions.iter().skip(1));
        return pairs.into_iter().all(|(one, next)| {
            order(&one.values, &next.values).is_none_or(|order| order == Ordering::Less)
        });
    }
    let values: Vec<_> = partitions.iter().flat_map(|one| &one.values).cloned().collect();
    !method.starts_with("LIST") || !is_twice(&values)
}

fn is_twice(texts: &[String]) -> bool {
    texts.iter().enumerate().any(|(at, text)| texts.iter().skip(at + 1).any(|other| other == text))
}

/// Whether REORGANIZE leaves the whole range as it is; behind the last partition it may grow.
fn reorganizes(
    known: &[Partition],
    (listed, made): (&[String], &[Partition]),
    method: &str,
) -> bool {
    let is_listed =
        |one: &Partition| listed.iter().any(|name| name.eq_ignore_ascii_case(&one.name));
    let first = known.iter().position(is_listed).unwrap_or_default();
    let end = first + listed.len();
    let (before, rest) = known.split_at(first);
    let Some((old, behind)) = rest.split_at_checked(listed.len()) else { return false };
    if method.starts_with("RANGE") {
        if !old.iter().all(is_listed) {
            return false;
        }
        let ends = old.last().zip(made.last());
        let order = ends.and_then(|(old, new)| order(&new.values, &old.values));
        let grows = end == known.len();
        if order.is_some_and(|order| order == Ordering::Less || (order.is_gt() && !grows)) {
            return false;
        }
        return fits(&[before, made, behind].concat(), method);
    }
    let kept: Vec<_> = known.iter().filter(|one| !is_listed(one)).cloned().collect();
    fits(&[kept.as_slice(), made].concat(), method)
}

/// Which of two bounds is the greater one, when both are plain.
fn order(one: &[String], other: &[String]) -> Option<Ordering> {
    if one.is_empty() || one.len() != other.len() {
        return None;
    }
    for (one, other) in one.iter().zip(other) {
        match compare(one.trim(), other.trim())? {
            Ordering::Equal => {}
            order => return Some(order),
        }
    }
    Some(Ordering::Equal)
}

/// Numbers, days and moments, MAXVALUE, and days in one of the functions that keep their order.
fn compare(one: &str, other: &str) -> Option<Ordering> {
    let is_last = |text: &str| text.eq_ignore_ascii_case("MAXVALUE");
    match (is_last(one), is_last(other)) {
        (false, false) => {}
        (one, other) => return Some(one.cmp(&other)),
    }
    if let (Ok(one), Ok(other)) = (one.parse::<i64>(), other.parse::<i64>()) {
        return Some(one.cmp(&other));
    }
    let inside = |text: &str| {
        let (name, rest) = text.split_once('(')?;
        let name = name.trim().to_ascii_uppercase();
        let keeps = ["TO_DAYS", "TO_SECONDS", "UNIX_TIMESTAMP", "YEAR"].contains(&name.as_str());
        let rest = rest.strip_suffix(')').filter(|_| keeps)?.trim().to_owned();
        Some((name, rest))
    };
    if let (Some((one_name, one)), Some((other_name, other))) = (inside(one), inside(other)) {
        return (one_name == other_name).then(|| compare(&one, &other))?;
    }
    let is_time = |text: &str| {
        let plain = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
        plain.is_some_and(|text| {
            text.bytes().all(|byte| byte.is_ascii_digit() || b"-: .".contains(&byte))
        })
    };
    (is_time(one) && is_time(other) && one.len() == other.len()).then(|| one.cmp(other))
}

/// Whether a key that refuses duplicates lacks a column that the partitions would go by.
fn leaves_keys_out(columns: &[String], context: &Context<'_>) -> bool {
    let lacks = |key: &[String]| {
        let mut needed = columns.iter().filter(|name| context.column(name).is_some());
        needed.any(|name| !key.iter().any(|known| context.same(known, name)))
    };
    let key = match context.new_key() {
        Some(new) => new.columns.as_slice(),
        None if context.drops_constraint("PRIMARY") => &[],
        None => context.key(),
    };
    let mut unique =
        context.indexes().iter().filter(|index| index.unique && !context.drops_index(index));
    (!key.is_empty() && lacks(key)) || unique.any(|index| lacks(&index.columns))
}

/// Whether the table of EXCHANGE PARTITION has other columns.
fn differs(to: &crate::model::name::TableName, context: &Context<'_>) -> bool {
    let (Some(known), Some(other)) = (context.known, context.catalog.tables.get(to)) else {
        return false;
    };
    let base = |text: &str| DataType::parse(text, context.server.engine).base;
    let same = known.columns.iter().zip(&other.columns).all(|(one, other)| {
        context.same(&one.name, &other.name) && base(&one.data_type) == base(&other.data_type)
    });
    !known.columns.is_empty()
        && !other.columns.is_empty()
        && (!same || known.columns.len() != other.columns.len())
}
