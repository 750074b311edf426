//! The simulated catalog: what is there after the statements that came before.

mod acts;
mod apply;
mod domains;
mod mysql;
mod resolve;

pub(crate) use resolve::Names;

use super::catalog::{Beside, Catalog, Shared};
use super::tables;
use crate::model::name::TableName;

/// How a catalog is, so that what is done to it can be taken back.
#[derive(Debug)]
pub(crate) struct Mark {
    tables: tables::Mark,
    beside: Shared<Beside>,
}

impl Catalog {
    /// Remembers how it is.
    pub(crate) fn mark(&mut self) -> Mark {
        Mark { tables: self.tables.mark(), beside: self.beside.clone() }
    }

    /// Takes back what was done since it was marked.
    pub(crate) fn back_to(&mut self, mark: Mark) {
        self.tables.back_to(mark.tables);
        self.beside = mark.beside;
    }

    /// Declares every table in use: what follows is another release, or another phase. Temporary tables are gone.
    pub(crate) fn settle(&mut self) {
        if !self.beside.interfaces.is_settled() {
            self.beside.interfaces.settle();
        }
        let is_wanted = |name: &TableName| name.schema.as_deref() != Some(resolve::TEMPORARY);
        self.tables.settle(is_wanted, |table| {
            table.is_new = false;
            for column in &mut table.columns {
                column.is_new = false;
            }
        });
    }
}

#[cfg(test)]
mod tests;
