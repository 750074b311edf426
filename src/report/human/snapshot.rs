//! What a snapshot holds, for people.

use super::finding::count_of;
use crate::sql::catalog::Catalog;
use crate::sql::estimate::Bytes;

/// One line: where it is, and how much is in it.
pub(crate) fn snapshot(catalog: &Catalog, path: &str) -> String {
    let sizes = catalog.tables.iter().map(|(_, table)| &table.size);
    let bytes = |part: Option<u64>| part.unwrap_or(0);
    let sum = sizes.map(|size| bytes(size.bytes).saturating_add(bytes(size.index_bytes))).sum();
    let tables = count_of(catalog.tables.len(), "table");
    format!("wrote {path}: {tables} with {} on the server\n", Bytes(sum))
}
