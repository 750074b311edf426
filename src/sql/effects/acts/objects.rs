//! Acts, each by its kind.

use super::super::case::Case;
use super::{drops, partitions, rows, upkeep};
use crate::model::name::TableName;
use crate::sql::act::Act;
use crate::sql::catalog::{Catalog, TableKind};

/// The cases of an act. One that the catalog cannot tell enough of has a kind without rows: the worst.
pub(super) fn cases(act: &Act, catalog: &Catalog) -> Vec<Case> {
    match act.kind {
        "copy_to" => vec![copy(act, catalog)],
        "create_materialized_view" => vec![create_materialized(act, catalog)],
        "refresh" => vec![refresh(act, catalog)],
        "attach_partition" => partitions::attach(act, catalog),
        "detach_partition" => partitions::detach(act, catalog),
        "lock" => upkeep::lock(act, catalog),
        "vacuum" | "vacuum_full" | "analyze" | "cluster" => upkeep::whole(act, catalog),
        kind if kind.starts_with("reindex_") => upkeep::reindex(act, catalog),
        "drop_materialized_view" => {
            let mut case = drops::table(first(act), act.has("cascade"), catalog);
            case.rename(act.kind);
            vec![case]
        }
        "drop_trigger" | "drop_policy" | "drop_rule" => vec![hanging(act, catalog)],
        kind if kind.starts_with("drop_") => {
            let statistics = named(act, |name| catalog.beside.statistics.get(name).cloned());
            let case = drops::object(act, catalog).unwrap_or_else(|| Case::of("unknown"));
            vec![if act.kind == "drop_statistics" { case.part("table", statistics) } else { case }]
        }
        "create_publication" | "alter_publication" => vec![publication(act, catalog)],
        _ => vec![hanging(act, catalog)],
    }
}

/// What stands beside tables and has no act of its own, by its words.
pub(super) fn other(what: &str) -> Case {
    let mut words = what.split_whitespace();
    let kind = words.nth(1).unwrap_or_default();
    let operators = ["AGGREGATE", "OPERATOR", "CAST", "COLLATION", "TEXT", "CONVERSION"];
    Case::of("other")
        .fact("type", kind == "TYPE")
        .fact("domain", kind == "DOMAIN")
        .fact("schema", kind == "SCHEMA")
        .fact("operator", operators.contains(&kind))
        .fact("default", kind == "DEFAULT" || what == "REASSIGN")
}

fn first(act: &Act) -> &TableName {
    static NOWHERE: std::sync::LazyLock<TableName> =
        std::sync::LazyLock::new(|| TableName::bare(""));
    act.tables.first().unwrap_or(&NOWHERE)
}

fn named(act: &Act, find: impl Fn(&TableName) -> Option<TableName>) -> Option<TableName> {
    act.object.as_ref().and_then(find)
}

/// With its marks as facts.
fn marked(act: &Act) -> Case {
    let mut case = Case::of(act.kind);
    for mark in &act.marks {
        case = case.fact(mark, true);
    }
    case
}

/// What hangs on a table, or names some: its marks are the facts.
fn hanging(act: &Act, catalog: &Catalog) -> Case {
    let partitioned = act.tables.iter().any(|name| catalog.is_kind(name, TableKind::Partitioned));
    let below: Vec<_> = act.tables.iter().flat_map(|name| partitions(name, catalog)).collect();
    let is_missing = act.kind == "drop_trigger"
        && act.has("if-exists")
        // A live catalog leaves out triggers that are disabled, and zdm's own.
        && !catalog.complete
        && act.object.as_ref().is_some_and(|trigger| !trigger.name.contains("zdm"))
        && act.object.as_ref().is_some_and(|trigger| {
            let table = catalog.tables.get(first(act));
            table
                .is_some_and(|known| !known.triggers.iter().any(|other| other.name == trigger.name))
        });
    marked(act)
        .fact("partitioned", partitioned)
        .fact("missing", is_missing)
        .part("table", act.tables.clone())
        .part("others", act.others.clone())
        .part("partitions", below)
        .part("reads", act.reads.iter().map(|read| read.table.clone()))
}

fn copy(act: &Act, catalog: &Catalog) -> Case {
    let rows = act.tables.iter().flat_map(|name| super::stored([name.clone()], catalog));
    Case::of("copy_to").part("table", act.tables.clone()).part("rows", rows.collect::<Vec<_>>())
}

fn create_materialized(act: &Act, catalog: &Catalog) -> Case {
    let exists = act.has("if-not-exists")
        && act.object.as_ref().is_some_and(|name| catalog.tables.contains_key(name));
    let case = marked(act).fact("exists", exists);
    if exists || act.has("no-data") {
        return case.part("reads", act.reads.iter().map(|read| read.table.clone()));
    }
    rows::reading(case, &act.reads, catalog)
}

fn refresh(act: &Act, catalog: &Catalog) -> Case {
    let known = catalog.tables.get(first(act));
    let indexed = known.is_none_or(|known| !known.indexes.is_empty());
    let reads = known.map(|known| known.shape.reads.clone()).unwrap_or_default();
    let reads: Vec<_> = reads.into_iter().map(crate::sql::act::Read::whole).collect();
    let case = marked(act).fact("indexed", indexed).part("table", [first(act).clone()]);
    if act.has("no-data") { case } else { rows::reading(case, &reads, catalog) }
}

/// The tables that are named, with their heirs; those that the publication had, when it is set anew.
fn publication(act: &Act, catalog: &Catalog) -> Case {
    let mut tables = act.tables.clone();
    for name in &act.tables {
        if !act.has("only") && !catalog.is_kind(name, TableKind::Partitioned) {
            tables.extend(catalog.descendants(name));
        }
    }
    if act.has("sets") {
        let name = act.object.as_ref().map(|object| object.name.as_str()).unwrap_or_default();
        tables.extend(catalog.beside.publications.get(name).into_iter().flatten().cloned());
    }
    Case::of(act.kind).part("table", tables)
}
