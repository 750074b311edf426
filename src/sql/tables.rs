//! The tables of a catalog. A copy shares what nobody changes afterwards: a plan keeps one for each migration.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::catalog::Table;
use crate::model::name::TableName;

/// Tables by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tables {
    by_name: BTreeMap<Arc<TableName>, Arc<Table>>,
    /// Who may point at a table, and how. Whoever no longer does may still be named.
    pointing: Arc<BTreeMap<TableName, Pointing>>,
    /// Those that were changed since `pointing` was brought up to date.
    unsure: Vec<TableName>,
    /// Those that were made or changed since the catalog was settled.
    fresh: BTreeSet<TableName>,
    /// What changes that will be taken back have found.
    found: Option<BTreeMap<TableName, Option<Arc<Table>>>>,
}

/// How a table points at another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Link {
    /// It inherits from it, or is a partition of it.
    Child,
    /// A constraint of it names it.
    Key,
    /// It is a view that reads it.
    Reader,
}

/// Who points at a table.
#[derive(Clone, Debug, Default)]
struct Pointing {
    children: BTreeSet<TableName>,
    keys: BTreeSet<TableName>,
    readers: BTreeSet<TableName>,
}

impl Pointing {
    fn by(&self, link: Link) -> &BTreeSet<TableName> {
        match link {
            Link::Child => &self.children,
            Link::Key => &self.keys,
            Link::Reader => &self.readers,
        }
    }

    fn by_mut(&mut self, link: Link) -> &mut BTreeSet<TableName> {
        match link {
            Link::Child => &mut self.children,
            Link::Key => &mut self.keys,
            Link::Reader => &mut self.readers,
        }
    }
}

/// How tables are, so that what is done to them can be taken back.
#[derive(Debug)]
pub(crate) struct Mark {
    unsure: Vec<TableName>,
    fresh: BTreeSet<TableName>,
}

/// So many tables may be changed before `pointing` is brought up to date.
const UNSURE: usize = 2;

impl PartialEq for Tables {
    fn eq(&self, other: &Self) -> bool {
        self.by_name == other.by_name
    }
}

impl Eq for Tables {}

impl Tables {
    /// The table of that name.
    pub(crate) fn get(&self, name: &TableName) -> Option<&Table> {
        self.by_name.get(name).map(AsRef::as_ref)
    }

    /// The table of that name, to be changed.
    pub(crate) fn get_mut(&mut self, name: &TableName) -> Option<&mut Table> {
        self.by_name.contains_key(name).then_some(())?;
        self.touch(name);
        self.by_name.get_mut(name).map(Arc::make_mut)
    }

    /// Whether there is a table of that name.
    pub(crate) fn contains_key(&self, name: &TableName) -> bool {
        self.by_name.contains_key(name)
    }

    /// The schema that all tables have whose names have one.
    pub(crate) fn only_schema(&self) -> Option<&str> {
        // Names without one come first.
        let schema = self.by_name.last_key_value()?.0.schema.as_deref()?;
        let begin = TableName { schema: Some(String::new()), name: String::new() };
        let first = self.by_name.range(begin..).next()?.0;
        (first.schema.as_deref() == Some(schema)).then_some(schema)
    }

    /// How many there are.
    #[cfg(feature = "engine")]
    pub(crate) fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// Their names, sorted.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &TableName> {
        self.by_name.keys().map(AsRef::as_ref)
    }

    /// Names and tables, sorted by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&TableName, &Table)> {
        self.by_name.iter().map(|(name, table)| (name.as_ref(), table.as_ref()))
    }

    /// Names and tables, sorted by name, with at least those that point at this one in a way.
    pub(crate) fn perhaps_pointing_at(
        &self,
        name: &TableName,
        link: Link,
    ) -> impl Iterator<Item = (&TableName, &Table)> {
        let known = self.pointing.get(name).map(|pointing| pointing.by(link));
        let is_known = |one: &&TableName| known.is_some_and(|known| known.contains(*one));
        let mut all: Vec<_> = self.unsure.iter().filter(|one| !is_known(one)).collect();
        all.extend(known.into_iter().flatten());
        all.sort();
        all.into_iter().filter_map(|name| {
            let (name, table) = self.by_name.get_key_value(name)?;
            Some((name.as_ref(), table.as_ref()))
        })
    }

    /// Changes each table for which `concerns` says so; the others stay shared.
    pub(crate) fn change(
        &mut self,
        concerns: impl Fn(&Table) -> bool,
        mut change: impl FnMut(&mut Table),
    ) {
        let concerned = self.by_name.iter().filter(|(_, table)| concerns(table));
        let names: Vec<TableName> = concerned.map(|(name, _)| name.as_ref().clone()).collect();
        for name in names {
            if let Some(table) = self.get_mut(&name) {
                change(table);
            }
        }
    }

    /// Changes each table that was made or changed since this was last called, and keeps those that are wanted of them.
    pub(crate) fn settle(
        &mut self,
        is_wanted: impl Fn(&TableName) -> bool,
        mut change: impl FnMut(&mut Table),
    ) {
        for name in std::mem::take(&mut self.fresh) {
            self.keep(&name);
            if !is_wanted(&name) {
                self.by_name.remove(&name);
            } else if let Some(table) = self.by_name.get_mut(&name) {
                change(Arc::make_mut(table));
            }
        }
    }

    /// Adds a table, in place of the one of that name.
    pub(crate) fn insert(&mut self, name: TableName, table: Table) {
        self.touch(&name);
        self.by_name.insert(Arc::new(name), Arc::new(table));
    }

    /// Takes a table away.
    pub(crate) fn remove(&mut self, name: &TableName) -> Option<Arc<Table>> {
        self.keep(name);
        self.by_name.remove(name)
    }

    /// Gives a table another name.
    pub(crate) fn rename(&mut self, from: &TableName, to: &TableName) -> bool {
        let Some(table) = self.remove(from) else { return false };
        self.touch(to);
        self.by_name.insert(Arc::new(to.clone()), table);
        true
    }

    /// Remembers how they are. To take a few changes back costs less than to make them on a copy.
    pub(crate) fn mark(&mut self) -> Mark {
        self.found = Some(BTreeMap::new());
        Mark { unsure: self.unsure.clone(), fresh: self.fresh.clone() }
    }

    /// Takes back what was done since they were marked.
    pub(crate) fn back_to(&mut self, mark: Mark) {
        for (name, table) in self.found.take().unwrap_or_default() {
            match table {
                Some(table) => self.by_name.insert(Arc::new(name), table),
                None => self.by_name.remove(&name),
            };
        }
        (self.unsure, self.fresh) = (mark.unsure, mark.fresh);
    }

    /// Keeps what is to come back.
    fn keep(&mut self, name: &TableName) {
        if let Some(found) = &mut self.found
            && !found.contains_key(name)
        {
            found.insert(name.clone(), self.by_name.get(name).cloned());
        }
    }

    /// Notes that a table is about to change.
    fn touch(&mut self, name: &TableName) {
        self.keep(name);
        if !self.fresh.contains(name) {
            self.fresh.insert(name.clone());
        }
        if self.unsure.contains(name) {
            return;
        }
        if self.unsure.len() >= UNSURE {
            for name in std::mem::take(&mut self.unsure) {
                self.note(&name);
            }
        }
        self.unsure.push(name.clone());
    }

    /// Notes at whom a table points.
    fn note(&mut self, name: &TableName) {
        let Some(table) = self.by_name.get(name) else { return };
        for (other, link) in table.others() {
            let is_noted = |all: &Pointing| all.by(link).contains(name);
            if !self.pointing.get(other).is_some_and(is_noted) {
                let pointing = Arc::make_mut(&mut self.pointing);
                pointing.entry(other.clone()).or_default().by_mut(link).insert(name.clone());
            }
        }
    }
}

impl Table {
    /// The tables that it points at, or that are known to point at it.
    fn others(&self) -> impl Iterator<Item = (&TableName, Link)> {
        let parents = self.shape.parents.iter().map(|name| (name, Link::Child));
        let reads = self.shape.reads.iter().map(|name| (name, Link::Reader));
        let keys = self.constraints.iter().filter_map(|key| key.other.as_ref());
        parents.chain(reads).chain(keys.map(|name| (name, Link::Key)))
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
        let mut all = Self::default();
        for (name, table) in tables {
            all.insert(name, table);
        }
        all
    }
}
