//! The simulated catalog: what is there after the statements that came before.

mod acts;
mod apply;
mod domains;
mod mysql;
mod resolve;

pub(crate) use resolve::Names;

use super::catalog::Catalog;
use crate::model::name::TableName;

impl Catalog {
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
