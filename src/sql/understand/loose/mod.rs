//! Statements that sqlparser cannot read as a whole, by what must stand where: a table's name, its columns one by one,
//! an index's columns, the tables whose rows are changed.
//!
//! Only what is needed for a change is read; what else an author, or a newer server, puts into a clause is passed over.

mod columns;
mod index;
mod rows;
mod table;

use super::reader::Reader;
use crate::sql::change::Change;

pub(super) use columns::column_clause;

/// What the statement does, when its first words tell what to look for.
pub(super) fn statement(reader: Reader<'_>) -> Option<Vec<Change>> {
    table::create(reader).or_else(|| index::create(reader)).or_else(|| rows::rows(reader))
}
