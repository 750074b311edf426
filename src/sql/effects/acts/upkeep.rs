//! REINDEX, CLUSTER, VACUUM, ANALYZE, LOCK.

use super::super::case::Case;
use super::tables::family;
use super::{leaves, partitions, stored};
use crate::model::name::TableName;
use crate::sql::act::Act;
use crate::sql::catalog::{Catalog, TableKind};

/// REINDEX: the tables whose indexes are built anew.
pub(super) fn reindex(act: &Act, catalog: &Catalog) -> Vec<Case> {
    let tables: Vec<TableName> = match (act.kind, &act.object) {
        ("reindex_table", _) => act.tables.clone(),
        // The table was found by the index's name.
        ("reindex_index", _) => act.tables.clone(),
        ("reindex_schema", Some(schema)) => {
            let names = catalog.tables.keys();
            let names = names.filter(|name| name.schema.as_ref() == Some(&schema.name)).cloned();
            stored(names, catalog)
        }
        ("reindex_database", _) => stored(catalog.tables.keys().cloned(), catalog),
        _ => Vec::new(),
    };
    let case = |table: &TableName| {
        Case::new(act.kind, table)
            .fact("concurrently", act.has("concurrently"))
            .fact("partitioned", catalog.is_kind(table, TableKind::Partitioned))
            .part("partitions", partitions(table, catalog))
            .part("leaves", leaves(table, catalog))
            .part("rows", indexed(leaves(table, catalog), act, catalog))
    };
    if tables.is_empty() { vec![Case::of(act.kind)] } else { tables.iter().map(case).collect() }
}

/// REINDEX TABLE of a table without indexes reads nothing.
fn indexed(tables: Vec<TableName>, act: &Act, catalog: &Catalog) -> Vec<TableName> {
    let has = |name: &TableName| match catalog.tables.get(name) {
        Some(known) => {
            let above = super::tables::ancestors(name, catalog);
            let inherited = above.iter().filter_map(|name| catalog.tables.get(name));
            let mut all = std::iter::once(known).chain(inherited);
            all.any(|known| !known.key.is_empty() || !known.indexes.is_empty())
        }
        None => true,
    };
    tables.into_iter().filter(|name| act.kind == "reindex_index" || has(name)).collect()
}

/// VACUUM, ANALYZE, CLUSTER.
pub(super) fn whole(act: &Act, catalog: &Catalog) -> Vec<Case> {
    let every = act.has("every-table");
    let mut tables =
        if every { stored(catalog.tables.keys().cloned(), catalog) } else { act.tables.clone() };
    if every && (act.kind == "analyze" || act.has("with-analyze")) {
        let names = catalog.tables.keys();
        tables.extend(names.filter(|name| catalog.is_kind(name, TableKind::Partitioned)).cloned());
    }
    let case = |table: &TableName| {
        let below = if act.has("only") { Vec::new() } else { catalog.descendants(table) };
        let partitioned = catalog.is_kind(table, TableKind::Partitioned);
        Case::new(act.kind, table)
            .fact("partitioned", partitioned)
            .fact("only", act.has("only"))
            .fact("inherited", !partitioned && !below.is_empty())
            .fact("with-analyze", act.has("with-analyze"))
            .part("leaves", stored(catalog.descendants(table), catalog))
            .part("partitions", if partitioned { below.clone() } else { Vec::new() })
            .part("heirs", if partitioned { Vec::new() } else { below.clone() })
            .part(
                "rows",
                if act.has("only") {
                    stored([table.clone()], catalog)
                } else {
                    leaves(table, catalog)
                },
            )
            .part("heirs-rows", if partitioned { Vec::new() } else { stored(below, catalog) })
    };
    tables.iter().map(case).collect()
}

/// LOCK TABLE: what is below a table, and the tables behind a view.
pub(super) fn lock(act: &Act, catalog: &Catalog) -> Vec<Case> {
    let behind = act.tables.iter().flat_map(|name| catalog.behind(name));
    let all =
        behind.flat_map(|name| if act.has("only") { vec![name] } else { family(&name, catalog) });
    let mut case = Case::of("lock").part("table", all.collect::<Vec<_>>());
    for mark in &act.marks {
        case = case.fact(mark, true);
    }
    vec![case]
}
