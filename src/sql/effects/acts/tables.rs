//! CREATE TABLE and TRUNCATE.

use super::super::case::Case;
use super::{rows, stored};
use crate::model::name::TableName;
use crate::sql::catalog::Catalog;
use crate::sql::change::Origin;

/// A new table: what it has to do with those that are there.
pub(super) fn create(
    table: &TableName,
    origin: &Origin,
    if_not_exists: bool,
    catalog: &Catalog,
) -> Vec<Case> {
    let exists = if_not_exists && catalog.tables.contains_key(table);
    let mut cases = vec![Case::of("create_table")];
    if !origin.reads.is_empty() {
        let case =
            Case::of("create_table_as").fact("exists", exists).fact("no-data", origin.no_data);
        cases.push(if exists || origin.no_data {
            case.part("reads", origin.reads.iter().map(|read| read.table.clone()))
        } else {
            rows::reading(case, &origin.reads, catalog)
        });
    }
    if exists {
        return cases;
    }
    if let Some(parent) = origin.parents.first().filter(|_| origin.bound.is_some()) {
        let is_default = origin.bound.as_deref() == Some("DEFAULT");
        let default = if is_default { None } else { super::partitions::default(parent, catalog) };
        let default: Vec<_> = default.into_iter().collect();
        let bound = origin.bound.as_deref().unwrap_or_default();
        let known = catalog.tables.get(parent);
        let by = known.map(|known| known.shape.partitioned_by.as_slice()).unwrap_or_default();
        cases.push(
            Case::new("create_partition", parent)
                .part("default", default.iter().flat_map(|name| family(name, catalog)))
                .part(
                    "default-rows",
                    super::partitions::looked_through(&default, by, bound, catalog),
                )
                .part("partners", catalog.partners(parent))
                .part("referrers", super::partitions::referrers(parent, catalog)),
        );
    } else if !origin.parents.is_empty() {
        cases.push(Case::of("create_heir").part("parents", origin.parents.clone()));
    }
    if !origin.like.is_empty() {
        cases.push(Case::of("create_table_like").part("like", origin.like.clone()));
    }
    cases
}

/// A table and all below it.
pub(super) fn family(table: &TableName, catalog: &Catalog) -> Vec<TableName> {
    let mut all = catalog.descendants(table);
    all.insert(0, table.clone());
    all
}

/// TRUNCATE, with the tables whose foreign keys make them go along.
pub(super) fn truncate(
    table: &TableName,
    (cascade, only): (bool, bool),
    catalog: &Catalog,
) -> Case {
    let mut all = if only { vec![table.clone()] } else { family(table, catalog) };
    let parents = all.iter().filter_map(|name| ancestors(name, catalog).into_iter().next());
    let parents: Vec<_> = parents.filter(|name| !all.contains(name)).collect();
    let mut at = 0;
    while let Some(name) = all.get(at).cloned() {
        at += 1;
        let mut more = if cascade { catalog.referrers(&name) } else { Vec::new() };
        if cascade {
            let above = ancestors(&name, catalog);
            more.extend(above.iter().flat_map(|name| catalog.referrers(name)));
        }
        let more: Vec<_> = more.iter().flat_map(|name| family(name, catalog)).collect();
        for name in more {
            if !all.contains(&name) && !parents.contains(&name) {
                all.push(name);
            }
        }
    }
    Case::new("truncate", table)
        .fact("cascade", cascade)
        .part("emptied", all.clone())
        .part("files", stored(all, catalog))
        .part("parents", parents)
}

/// The tables of which a partition is one, from its parent on.
pub(super) fn ancestors(table: &TableName, catalog: &Catalog) -> Vec<TableName> {
    let mut all: Vec<TableName> = Vec::new();
    let mut next = table.clone();
    while let Some(known) = catalog.tables.get(&next).filter(|known| known.shape.bound.is_some()) {
        let Some(parent) = known.shape.parents.first().filter(|parent| !all.contains(parent))
        else {
            break;
        };
        all.push(parent.clone());
        next = parent.clone();
    }
    all
}
