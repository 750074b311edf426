//! The simulated catalog: what is there after the statements that came before.

mod acts;
mod apply;
mod domains;
mod mysql;
mod resolve;

pub(crate) use resolve::Names;

use super::catalog::{Catalog, Table};

impl Catalog {
    /// Declares every table in use: what follows is another release, or another phase. Temporary tables are gone.
    pub(crate) fn settle(&mut self) {
        self.beside.interfaces.settle();
        self.tables.retain(|name| name.schema.as_deref() != Some(resolve::TEMPORARY));
        let is_fresh = |table: &Table| table.is_new || table.columns.iter().any(|one| one.is_new);
        self.tables.change(is_fresh, |table| {
            table.is_new = false;
            for column in &mut table.columns {
                column.is_new = false;
            }
        });
    }
}

#[cfg(test)]
mod tests;
