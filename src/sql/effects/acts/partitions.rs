//! Partitions that are attached and detached.

use super::super::case::Case;
use super::bounds;
use super::leaves;
use super::tables::{ancestors, family};
use crate::model::name::TableName;
use crate::sql::act::Act;
use crate::sql::catalog::{Catalog, ConstraintKind, Table};

/// The default partition of a table.
pub(super) fn default(parent: &TableName, catalog: &Catalog) -> Option<TableName> {
    let mut children = catalog.children(parent);
    children.find(|name| is_default(name, catalog)).cloned()
}

fn is_default(name: &TableName, catalog: &Catalog) -> bool {
    let known = catalog.tables.get(name);
    known.is_some_and(|known| known.shape.bound.as_deref() == Some("DEFAULT"))
}

/// The tables whose foreign keys point at a table, or at one of which it is a partition.
pub(super) fn referrers(table: &TableName, catalog: &Catalog) -> Vec<TableName> {
    let all = std::iter::once(table.clone()).chain(ancestors(table, catalog));
    all.flat_map(|name| catalog.referrers(&name)).collect()
}

/// ATTACH PARTITION.
pub(super) fn attach(act: &Act, catalog: &Catalog) -> Vec<Case> {
    let (Some(table), Some(partition)) = (act.tables.first(), act.others.first()) else {
        return Vec::new();
    };
    let (parent, child) = (catalog.tables.get(table), catalog.tables.get(partition));
    let by = parent.map(|known| known.shape.partitioned_by.as_slice()).unwrap_or_default();
    let is_first = catalog.children(table).next().is_none();
    let checked = if act.has("default-partition") {
        is_first || child.is_some_and(|child| bounds::refuted(child, by, others(table, catalog)))
    } else {
        child.is_some_and(|child| bounds::implied(child, by, &act.text))
    };
    let default = if act.has("default-partition") { None } else { default(table, catalog) };
    let default: Vec<_> = default.into_iter().collect();
    let (kept, made) = keys(parent, child);
    let builds = builds(parent, child);
    vec![
        Case::new("attach_partition", table)
            .fact("checked", checked)
            .fact("makes-key", !made.is_empty())
            .fact("builds-index", builds)
            .part("above", ancestors(table, catalog))
            .part("partition", family(partition, catalog))
            .part("partition-rows", leaves(partition, catalog))
            .part("default", default.iter().flat_map(|name| family(name, catalog)))
            .part("default-rows", looked_through(&default, by, &act.text, catalog))
            .part("kept-partners", kept)
            .part("made-partners", made)
            .part("referrers", referrers(table, catalog)),
    ]
}

/// The rows of a default partition, unless a CHECK of its own says that none is within the bound.
pub(super) fn looked_through(
    default: &[TableName],
    by: &[String],
    bound: &str,
    catalog: &Catalog,
) -> Vec<TableName> {
    let is_outside = |name: &&TableName| {
        catalog.tables.get(name).is_some_and(|known| bounds::refuted(known, by, [bound]))
    };
    let unproven = default.iter().filter(|name| !is_outside(name));
    unproven.flat_map(|name| leaves(name, catalog)).collect()
}

fn others<'c>(table: &'c TableName, catalog: &'c Catalog) -> impl Iterator<Item = &'c str> {
    catalog.children(table).filter_map(|name| catalog.tables.get(name)?.shape.bound.as_deref())
}

/// The far ends of the parent's foreign keys: those for which the partition has a key of its own, and those for which
/// one is made, so that its rows are looked up.
fn keys(parent: Option<&Table>, child: Option<&Table>) -> (Vec<TableName>, Vec<TableName>) {
    let (mut kept, mut made) = (Vec::new(), Vec::new());
    let keys = parent.into_iter().flat_map(|known| &known.constraints);
    for key in keys.filter(|key| key.kind == ConstraintKind::ForeignKey) {
        let Some(other) = key.other.clone() else { continue };
        let own = child.is_some_and(|child| {
            child.constraints.iter().any(|own| {
                own.kind == ConstraintKind::ForeignKey
                    && own.other == key.other
                    && own.columns == key.columns
                    && own.valid
            })
        });
        if own { kept.push(other) } else { made.push(other) }
    }
    (kept, made)
}

/// Whether the parent has an index for which the partition has none.
fn builds(parent: Option<&Table>, child: Option<&Table>) -> bool {
    let Some(parent) = parent else { return false };
    let lacks_key = !parent.key.is_empty() && child.is_none_or(|child| child.key != parent.key);
    let has = |columns: &[String], unique: bool| {
        child.is_some_and(|child| {
            child.indexes.iter().any(|own| own.columns == columns && own.unique == unique)
        })
    };
    lacks_key || parent.indexes.iter().any(|index| !has(&index.columns, index.unique))
}

/// DETACH PARTITION.
pub(super) fn detach(act: &Act, catalog: &Catalog) -> Vec<Case> {
    let (Some(table), Some(partition)) = (act.tables.first(), act.others.first()) else {
        return Vec::new();
    };
    // Even when it is the one that goes: PostgreSQL 13 locks it as the default alone.
    let default = default(table, catalog);
    let referrers = referrers(table, catalog);
    let watched = std::iter::once(table.clone())
        .chain(ancestors(table, catalog))
        .any(|name| catalog.tables.get(&name).is_some_and(|known| !known.triggers.is_empty()));
    let above = if referrers.is_empty() { Vec::new() } else { ancestors(table, catalog) };
    vec![
        Case::new("detach_partition", table)
            .fact("concurrently", act.has("concurrently"))
            .fact("finalize", act.has("finalize"))
            .fact("referenced", !referrers.is_empty())
            .fact("own-triggers", watched)
            .part("above", above)
            .part("partition", [partition.clone()])
            .part("below", catalog.descendants(partition))
            .part("partition-rows", leaves(partition, catalog))
            .part("default", default)
            .part("partners", catalog.partners(table))
            .part("referrers", referrers),
    ]
}
