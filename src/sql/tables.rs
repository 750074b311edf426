//! The tables of a catalog. A copy shares what nobody changes afterwards: a plan keeps one for each migration.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::catalog::Table;
use crate::model::name::TableName;

/// Tables by name.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Tables(BTreeMap<TableName, Arc<Table>>);

impl Tables {
    /// The table of that name.
    pub(crate) fn get(&self, name: &TableName) -> Option<&Table> {
        self.0.get(name).map(AsRef::as_ref)
    }

    /// The table of that name, to be changed.
    pub(crate) fn get_mut(&mut self, name: &TableName) -> Option<&mut Table> {
        self.0.get_mut(name).map(Arc::make_mut)
    }

    /// Whether there is a table of that name.
    pub(crate) fn contains_key(&self, name: &TableName) -> bool {
        self.0.contains_key(name)
    }

    /// How many there are.
    #[cfg(feature = "engine")]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Their names, sorted.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &TableName> {
        self.0.keys()
    }

    /// Names and tables, sorted by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&TableName, &Table)> {
        self.0.iter().map(|(name, table)| (name, table.as_ref()))
    }

    /// Changes each table for which `concerns` says so; the others stay shared.
    pub(crate) fn change(
        &mut self,
        concerns: impl Fn(&Table) -> bool,
        mut change: impl FnMut(&mut Table),
    ) {
        for table in self.0.values_mut().filter(|table| concerns(table)) {
            change(Arc::make_mut(table));
        }
    }

    /// Adds a table, in place of the one of that name.
    pub(crate) fn insert(&mut self, name: TableName, table: Table) {
        self.0.insert(name, Arc::new(table));
    }

    /// Takes a table away.
    pub(crate) fn remove(&mut self, name: &TableName) -> Option<Arc<Table>> {
        self.0.remove(name)
    }

    /// Gives a table another name.
    pub(crate) fn rename(&mut self, from: &TableName, to: &TableName) -> bool {
        let Some(table) = self.0.remove(from) else { return false };
        self.0.insert(to.clone(), table);
        true
    }

    /// Keeps the tables whose names are wanted.
    pub(crate) fn retain(&mut self, is_wanted: impl Fn(&TableName) -> bool) {
        self.0.retain(|name, _| is_wanted(name));
    }
}

#[cfg(test)]
impl std::ops::Index<&TableName> for Tables {
    type Output = Table;

    fn index(&self, name: &TableName) -> &Table {
        let known = || self.keys().collect::<Vec<_>>();
        self.get(name).unwrap_or_else(|| panic!("no {name} in {:?}", known()))
    }
}

impl FromIterator<(TableName, Table)> for Tables {
    fn from_iter<I: IntoIterator<Item = (TableName, Table)>>(tables: I) -> Self {
        Self(tables.into_iter().map(|(name, table)| (name, Arc::new(table))).collect())
    }
}
