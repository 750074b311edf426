//! Statements about rows: what they read, and the foreign keys that the server checks.

use super::super::case::Case;
use super::super::postgres::referenced;
use super::tables::{ancestors, family};
use super::{leaves, pruning, stored};
use crate::model::name::TableName;
use crate::sql::act::{Act, Limit, Read};
use crate::sql::catalog::{Catalog, Constraint, ConstraintKind, Index, Table, TableKind};
use crate::sql::change::{Change, Located};

/// What a statement demands of the rows of a table that it changes, when it names that table once.
pub(super) fn limits<'s>(table: &TableName, statement: &'s [Located]) -> &'s [Limit] {
    let acts = statement.iter().filter_map(|located| match &located.change {
        Change::Act(act) if act.kind == "read" => Some(act),
        _ => None,
    });
    let mut reads = acts.flat_map(|act| &act.reads).filter(|read| read.table == *table);
    match (reads.next(), reads.next()) {
        (Some(read), None) => &read.limits,
        _ => &[],
    }
}

/// INSERT: the far ends of foreign keys are looked at when a column of theirs is given.
pub(super) fn insert(
    table: &TableName,
    (columns, values): (&[String], &[Vec<Option<String>>]),
    catalog: &Catalog,
) -> Vec<Case> {
    let place = |name: &TableName| match (catalog.is_kind(name, TableKind::Partitioned), values) {
        // INSERT into a table with heirs is into that table alone.
        (false, _) => vec![name.clone()],
        (true, []) => family(name, catalog),
        (true, values) => pruning::reached(name, columns, values, catalog),
    };
    target("insert", table, catalog, place, |name| {
        let keys = far_keys(name, columns, catalog);
        let reached = keys.flat_map(|key| looked_up(name, key, (columns, values), catalog));
        reached.collect()
    })
}

/// The tables in which the rows that a foreign key points at are looked up: of a partitioned one those partitions that
/// the new values lead to, or all.
fn looked_up(
    table: &TableName,
    key: &Constraint,
    (columns, values): (&[String], &[Vec<Option<String>>]),
    catalog: &Catalog,
) -> Vec<TableName> {
    let Some(other) = &key.other else { return Vec::new() };
    if !catalog.is_kind(other, TableKind::Partitioned) {
        return vec![other.clone()];
    }
    let known = catalog.tables.get(table).into_iter().flat_map(|known| &known.columns);
    let all: Vec<_> = known.map(|column| column.name.clone()).collect();
    let given = if columns.is_empty() { all.as_slice() } else { columns };
    let place = |name: &String| given.iter().position(|column| column == name);
    let value = |row: &[Option<String>], name: &String| row.get(place(name)?)?.clone();
    let rows = values.iter().map(|row| key.columns.iter().map(|name| value(row, name)).collect());
    let rows: Vec<Vec<_>> = rows.collect();
    if rows.is_empty() {
        return family(other, catalog);
    }
    pruning::reached(other, &referenced(catalog, key, other), &rows, catalog)
}

/// UPDATE: the far ends of keys that it sets, and those that refer to what it sets.
pub(super) fn update(
    (table, only): (&TableName, bool),
    columns: &[String],
    limits: &[Limit],
    catalog: &Catalog,
) -> Vec<Case> {
    // Rows with another key move to other partitions.
    let all = family(table, catalog);
    let moves = all.iter().filter_map(|name| catalog.tables.get(name)).any(|known| {
        known.shape.partitioned_by.iter().any(|by| columns.is_empty() || columns.contains(by))
    });
    let limits = if moves { &[] } else { limits };
    let place = |name: &TableName| below((name, only), limits, catalog);
    let mut cases = target("update", table, catalog, place, |name| {
        let mut all =
            if columns.is_empty() { Vec::new() } else { far_ends(name, columns, catalog) };
        let referrers = catalog.referrers(name).into_iter();
        all.extend(referrers.filter(|referrer| points_at(referrer, name, columns, catalog)));
        all
    });
    let set = catalog.behind(table).into_iter().flat_map(|name| {
        let referrers = catalog.referrers(&name).into_iter();
        let referrers = referrers.filter(|referrer| points_at(referrer, &name, columns, catalog));
        let changed = |referrer: &TableName| is_changed(referrer, &name, "UPDATE", catalog);
        referrers.filter(changed).collect::<Vec<_>>()
    });
    let set: Vec<_> = set.collect();
    cases.pop().map(|case| case.part("changed", set)).into_iter().collect()
}

/// DELETE: the rows that refer to those that go are looked for, and changed with ON DELETE CASCADE or SET NULL.
pub(super) fn delete(
    (table, only): (&TableName, bool),
    filtered: bool,
    limits: &[Limit],
    catalog: &Catalog,
) -> Vec<Case> {
    let place = |name: &TableName| below((name, only), limits, catalog);
    let mut cases = target("delete", table, catalog, place, |_| Vec::new());
    for table in catalog.behind(table) {
        let mut kept = Vec::new();
        let mut changed = Vec::new();
        let mut searched = Vec::new();
        let is_own = |key: &Constraint| {
            key.kind == ConstraintKind::ForeignKey && key.other.as_ref() == Some(&table)
        };
        let known = catalog.tables.get(&table).into_iter().flat_map(|known| &known.constraints);
        if known.into_iter().any(is_own) && (!filtered || !is_led_to(&table, &table, catalog)) {
            searched.extend(leaves(&table, catalog));
        }
        for name in std::iter::once(table.clone()).chain(ancestors(&table, catalog)) {
            for referrer in catalog.referrers(&name) {
                if !filtered || !is_led_to(&referrer, &name, catalog) {
                    searched.extend(leaves(&referrer, catalog));
                }
                if is_changed(&referrer, &name, "DELETE", catalog) {
                    changed.push(referrer);
                } else {
                    kept.push(referrer);
                }
            }
        }
        if let Some(case) = cases.pop() {
            cases.push(case.part("far", kept).part("changed", changed).part("searched", searched));
        }
    }
    cases
}

/// Whether an index of `referrer` leads to the rows that refer to one of `of`.
fn is_led_to(referrer: &TableName, of: &TableName, catalog: &Catalog) -> bool {
    let Some(known) = catalog.tables.get(referrer) else { return true };
    let mut keys = known
        .constraints
        .iter()
        .filter(|key| key.kind == ConstraintKind::ForeignKey && key.other.as_ref() == Some(of));
    keys.all(|key| {
        key.columns.is_empty() || leading(known).any(|first| key.columns.contains(first))
    })
}

fn is_changed(referrer: &TableName, of: &TableName, event: &str, catalog: &Catalog) -> bool {
    let keys = catalog.tables.get(referrer).into_iter().flat_map(|known| &known.constraints);
    let mut keys = keys.filter(|key| key.other.as_ref() == Some(of));
    keys.any(|key| {
        let upper = key.definition.to_ascii_uppercase();
        ["CASCADE", "SET NULL", "SET DEFAULT"]
            .iter()
            .any(|action| upper.contains(&format!("ON {event} {action}")))
    })
}

fn target(
    kind: &'static str,
    table: &TableName,
    catalog: &Catalog,
    place: impl Fn(&TableName) -> Vec<TableName>,
    far: impl Fn(&TableName) -> Vec<TableName>,
) -> Vec<Case> {
    let behind = catalog.behind(table);
    let keys = behind.iter().flat_map(|name| {
        let above = ancestors(name, catalog);
        std::iter::once(name.clone()).chain(above).flat_map(|name| far(&name)).collect::<Vec<_>>()
    });
    let far: Vec<_> = keys.collect();
    let written: Vec<_> = behind.iter().flat_map(place).collect();
    // What a partition is for is asked of the tables above it.
    let above: Vec<_> = behind.iter().flat_map(|name| ancestors(name, catalog)).collect();
    vec![Case::of(kind).part("table", written).part("far", far).part("above", above)]
}

/// A table and those below in which rows can be that are looked for.
fn below((table, only): (&TableName, bool), limits: &[Limit], catalog: &Catalog) -> Vec<TableName> {
    if only { vec![table.clone()] } else { pruning::live(table, limits, catalog) }
}

/// The foreign keys to other tables over one of the columns, or all.
fn far_keys<'c>(
    table: &'c TableName,
    columns: &'c [String],
    catalog: &'c Catalog,
) -> impl Iterator<Item = &'c Constraint> {
    let keys = catalog.tables.get(table).into_iter().flat_map(|known| &known.constraints);
    let keys = keys.filter(|key| key.kind == ConstraintKind::ForeignKey);
    let keys = keys.filter(|key| {
        columns.is_empty() || key.columns.iter().any(|column| columns.contains(column))
    });
    keys.filter(move |key| key.other.as_ref().is_some_and(|other| other != table))
}

/// The tables at their far ends, partitions included.
fn far_ends(table: &TableName, columns: &[String], catalog: &Catalog) -> Vec<TableName> {
    let keys = far_keys(table, columns, catalog);
    keys.flat_map(|key| looked_up(table, key, (columns, &[]), catalog)).collect()
}

/// Whether a foreign key of `referrer` points at one of the columns.
fn points_at(
    referrer: &TableName,
    table: &TableName,
    columns: &[String],
    catalog: &Catalog,
) -> bool {
    let known = catalog.tables.get(referrer).into_iter().flat_map(|known| &known.constraints);
    let mut keys = known
        .filter(|key| key.kind == ConstraintKind::ForeignKey && key.other.as_ref() == Some(table))
        .peekable();
    if keys.peek().is_none() {
        return sets_key(table, columns, catalog);
    }
    keys.any(|key| referenced(catalog, key, table).iter().any(|column| columns.contains(column)))
}

/// Whether a key that others may point at is among the columns, when it is not known which they point at.
fn sets_key(table: &TableName, columns: &[String], catalog: &Catalog) -> bool {
    let Some(known) = catalog.tables.get(table) else { return false };
    let unique = known.indexes.iter().filter(|index| index.unique).flat_map(|index| &index.columns);
    known.key.iter().chain(unique).any(|column| columns.contains(column))
}

/// A query: the tables behind the names that it reads.
pub(super) fn query(act: &Act, only: bool, catalog: &Catalog) -> Vec<Case> {
    let planned = act.has("planned");
    let case = Case::of("read")
        .fact("planned", planned)
        .fact("locks-rows", act.reads.iter().any(|read| read.for_update));
    let case = match act.reads.split_first() {
        Some((first, rest)) if only => reading(alone(case, first, catalog), rest, catalog),
        _ => reading(case, &act.reads, catalog),
    };
    let written = act.others.iter().flat_map(|name| catalog.behind(name));
    vec![case.part("written", written.collect::<Vec<_>>())]
}

/// Adds what is read to a case: `reads`, `locked` rows, and `scanned` where no index helps.
pub(super) fn reading(case: Case, reads: &[Read], catalog: &Catalog) -> Case {
    let mut case = case;
    for read in reads {
        let behind = catalog.behind(&read.table);
        let limits = if behind.contains(&read.table) { read.limits.as_slice() } else { &[] };
        let all: Vec<_> =
            behind.iter().flat_map(|name| pruning::live(name, limits, catalog)).collect();
        let part = if read.for_update { "locked" } else { "reads" };
        let rows = stored(all.iter().cloned(), catalog).into_iter();
        let rows: Vec<_> = rows.filter(|name| !is_found(name, read, catalog)).collect();
        case = case.part(part, all).part("scanned", rows);
    }
    case
}

/// The same of a table ONLY.
fn alone(case: Case, read: &Read, catalog: &Catalog) -> Case {
    let behind = catalog.behind(&read.table);
    let rows = stored(behind.iter().cloned(), catalog).into_iter();
    let rows: Vec<_> = rows.filter(|name| !is_found(name, read, catalog)).collect();
    case.part("reads", behind).part("scanned", rows)
}

/// Whether an index leads to the rows that are looked for. A partition has those of its parent.
fn is_found(table: &TableName, read: &Read, catalog: &Catalog) -> bool {
    if read.first_rows {
        return true;
    }
    let above = ancestors(table, catalog);
    let known = std::iter::once(table).chain(&above).filter_map(|name| catalog.tables.get(name));
    known.flat_map(leading).any(|column| read.by.iter().any(|by| by == column))
}

fn leading(table: &Table) -> impl Iterator<Item = &String> {
    table.key.first().into_iter().chain(
        table
            .indexes
            .iter()
            .filter(|index| serves_all(index))
            .filter_map(|index| index.columns.first()),
    )
}

/// Whether an index leads to any row by its first column: it has no condition, and keeps values in order or by hash.
fn serves_all(index: &Index) -> bool {
    let upper = index.definition.to_ascii_uppercase();
    let other = ["USING GIN", "USING GIST", "USING SPGIST", "USING BRIN", " WHERE "];
    !other.iter().any(|words| upper.contains(words))
}
