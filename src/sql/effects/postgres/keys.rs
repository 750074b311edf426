//! Foreign keys at both ends.

use crate::model::name::TableName;
use crate::sql::catalog::{Catalog, Constraint, ConstraintKind, TableKind};
use crate::sql::tables::Link;

/// A foreign key, seen from one of its tables.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Key<'c> {
    /// The table at the other end.
    pub(super) other: TableName,
    /// The constraint, in the table that has it.
    pub(super) constraint: &'c Constraint,
}

/// The foreign keys of a table. Those of a partition that are its parent's count as the parent's.
pub(super) fn of<'c>(catalog: &'c Catalog, table: &TableName) -> Vec<Key<'c>> {
    let constraints = catalog.tables.get(table).into_iter().flat_map(|known| &known.constraints);
    let keys = constraints.filter(|known| known.kind == ConstraintKind::ForeignKey);
    keys.filter_map(|constraint| Some(Key { other: constraint.other.clone()?, constraint }))
        .collect()
}

/// The foreign keys of other tables that point at a column of this one, or at any (`None`).
pub(super) fn to<'c>(
    catalog: &'c Catalog,
    table: &TableName,
    column: Option<&str>,
) -> Vec<Key<'c>> {
    let mut found = Vec::new();
    for (name, known) in catalog.tables.perhaps_pointing_at(table, Link::Key) {
        let keys = known.constraints.iter().filter(|key| {
            key.kind == ConstraintKind::ForeignKey && key.other.as_ref() == Some(table)
        });
        for constraint in keys {
            let at = referenced(catalog, constraint, table);
            if name != table && column.is_none_or(|column| at.iter().any(|name| name == column)) {
                found.push(Key { other: name.clone(), constraint });
            }
        }
    }
    found
}

/// The columns that a foreign key points at: those that it names, or the primary key.
pub(in crate::sql::effects) fn referenced(
    catalog: &Catalog,
    key: &Constraint,
    table: &TableName,
) -> Vec<String> {
    let named = key.definition.split_once("REFERENCES").and_then(|(_, rest)| {
        let (_, rest) = rest.split_once('(')?;
        let (columns, _) = rest.split_once(')')?;
        let name = |column: &str| column.trim().trim_matches('"').to_owned();
        Some(columns.split(',').map(name).collect())
    });
    named.unwrap_or_else(|| {
        catalog.tables.get(table).map(|known| known.key.clone()).unwrap_or_default()
    })
}

/// The partitions of partitioned tables that are partitioned themselves, and those that hold rows.
pub(super) fn levels(catalog: &Catalog, tables: &[TableName]) -> (Vec<TableName>, Vec<TableName>) {
    let below = tables.iter().flat_map(|table| catalog.descendants(table));
    below.partition(|table| catalog.is_kind(table, TableKind::Partitioned))
}

/// Tables with all that is below them.
pub(super) fn with_descendants(catalog: &Catalog, tables: &[TableName]) -> Vec<TableName> {
    let below = tables.iter().flat_map(|table| catalog.descendants(table));
    tables.iter().cloned().chain(below).collect()
}
