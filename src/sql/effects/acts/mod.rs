//! PostgreSQL: what is not a clause of ALTER TABLE, as cases for the rows.
//!
//! Which tables play a part comes from the catalog; what is done to them, from the rows.

mod bounds;
mod drops;
mod hashes;
mod objects;
mod partitions;
mod pruning;
mod rows;
mod tables;
mod upkeep;

use super::case::Case;
use crate::model::name::TableName;
use crate::sql::catalog::{Catalog, TableKind};
use crate::sql::change::{Change, Located};

/// The cases of a change; `None` when it is another's to judge. An empty answer costs nothing.
pub(super) fn cases(
    located: &Located,
    statement: &[Located],
    catalog: &Catalog,
) -> Option<Vec<Case>> {
    let only = located.has("only");
    let cases = match &located.change {
        Change::CreateTable { table, origin, if_not_exists, .. } => {
            tables::create(table, origin, *if_not_exists, catalog)
        }
        Change::DropTable { table, if_exists, cascade } => {
            if *if_exists && is_missing(table, catalog) {
                return Some(vec![Case::of("drop_missing_table")]);
            }
            vec![drops::table(table, *cascade, catalog)]
        }
        Change::Truncate { table, cascade, only } => {
            vec![tables::truncate(table, (*cascade, *only), catalog)]
        }
        Change::CreateIndex {
            table,
            index,
            columns,
            unique,
            concurrently,
            kind,
            form,
            if_not_exists,
        } => {
            let only = form.only;
            let exists = *if_not_exists
                && index.as_ref().is_some_and(|index| has_index(table, index, catalog));
            vec![
                Case::new("create_index", table)
                    .fact("concurrently", *concurrently)
                    .fact("exists", exists)
                    .fact("unique", *unique)
                    .fact("partial", form.partial)
                    .fact("include", form.include)
                    .fact("method", kind.is_some())
                    .fact("expression", columns.iter().any(|column| column.contains(['(', ' '])))
                    .fact("only", only)
                    .fact("partitioned", catalog.is_kind(table, TableKind::Partitioned))
                    .fact("materialized", catalog.is_kind(table, TableKind::MaterializedView))
                    .part("partitions", if only { Vec::new() } else { partitions(table, catalog) })
                    .part(
                        "rows",
                        if only {
                            stored([table.clone()], catalog)
                        } else {
                            leaves(table, catalog)
                        },
                    ),
            ]
        }
        Change::DropIndex { table: Some(table), concurrently, .. } => vec![
            Case::new("drop_index", table)
                .fact("concurrently", *concurrently)
                .fact("partitioned", catalog.is_kind(table, TableKind::Partitioned))
                .part("partitions", partitions(table, catalog)),
        ],
        Change::DropIndex { table: None, .. } => vec![Case::of("drop_missing_index")],
        Change::RenameIndex { .. } => vec![Case::of("rename_index")],
        Change::Other { what } => vec![objects::other(what)],
        Change::Insert { table, columns, rows, .. } => {
            rows::insert(table, (columns, rows), catalog)
        }
        Change::Update { table, columns, .. } => {
            rows::update((table, only), columns, rows::limits(table, statement), catalog)
        }
        Change::Delete { table, filtered } => {
            rows::delete((table, only), *filtered, rows::limits(table, statement), catalog)
        }
        Change::Act(act) if act.kind == "read" => rows::query(act, only, catalog),
        Change::Act(act) => objects::cases(act, catalog),
        _ => return None,
    };
    Some(cases)
}

/// Whether a table is known not to be there.
pub(super) fn is_missing(table: &TableName, catalog: &Catalog) -> bool {
    is_known(catalog) && !catalog.tables.contains_key(table)
}

/// Whether the catalog can tell what depends on an object.
fn is_known(catalog: &Catalog) -> bool {
    catalog.complete || !catalog.tables.is_empty()
}

fn has_index(table: &TableName, index: &str, catalog: &Catalog) -> bool {
    catalog
        .tables
        .get(table)
        .is_some_and(|known| known.indexes.iter().any(|known| known.name == index))
}

/// The partitions of a partitioned table, theirs too; none of a table that is merely inherited from.
fn partitions(table: &TableName, catalog: &Catalog) -> Vec<TableName> {
    if catalog.is_kind(table, TableKind::Partitioned) {
        catalog.descendants(table)
    } else {
        Vec::new()
    }
}

/// The tables that hold the rows of a table: itself, or its partitions.
fn leaves(table: &TableName, catalog: &Catalog) -> Vec<TableName> {
    let mut all = partitions(table, catalog);
    all.insert(0, table.clone());
    stored(all, catalog)
}

/// Those that have a file of their own.
fn stored(tables: impl IntoIterator<Item = TableName>, catalog: &Catalog) -> Vec<TableName> {
    let is_stored = |name: &TableName| {
        !catalog.is_kind(name, TableKind::Partitioned)
            && !catalog.is_kind(name, TableKind::View)
            && !catalog.is_kind(name, TableKind::Foreign)
    };
    tables.into_iter().filter(is_stored).collect()
}
