//! Acts carried out on the catalog, and the names in them.

use crate::model::name::TableName;
use crate::sql::act::Act;
use crate::sql::catalog::{
    Catalog, Constraint, ConstraintKind, Function, Index, Shape, Table, TableKind, Trigger,
    Volatility,
};
use crate::sql::change::Origin;
use crate::sql::tables::Link;

impl Catalog {
    /// Carries out an act.
    pub(super) fn act(&mut self, act: &Act) {
        match (act.kind, &act.object) {
            ("create_view" | "create_materialized_view", Some(name)) => self.make_view(name, act),
            ("drop_view", Some(name)) => self.remove_table(name),
            ("alter_view", Some(name)) => self.move_table(name, act),
            ("create_function", Some(name)) => {
                let language = [("sql", "sql"), ("atomic", "sql"), ("plpgsql", "plpgsql")];
                let language = language.into_iter().find(|(mark, _)| act.has(mark));
                let language = language.map(|(_, language)| language);
                let language = language.unwrap_or_default().to_owned();
                let volatility = match (act.has("immutable"), act.has("stable")) {
                    (true, _) => Volatility::Immutable,
                    (_, true) => Volatility::Stable,
                    _ => Volatility::Volatile,
                };
                let function = Function { language, body: act.text.clone(), volatility };
                self.beside.functions.insert(name.clone(), function);
            }
            ("create_domain" | "alter_domain" | "drop_domain", Some(name)) => {
                self.domain(name, act);
            }
            ("drop_function", Some(name)) => {
                self.beside.functions.remove(name);
                if act.has("cascade") {
                    let calls = |trigger: &Trigger| trigger.function.as_ref() == Some(name);
                    self.tables.change(
                        |table| table.triggers.iter().any(calls),
                        |table| table.triggers.retain(|trigger| !calls(trigger)),
                    );
                }
            }
            ("create_statistics", Some(name)) => {
                if let Some(table) = act.tables.first() {
                    self.beside.statistics.insert(name.clone(), table.clone());
                }
            }
            ("drop_statistics", Some(name)) => {
                self.beside.statistics.remove(name);
            }
            ("create_publication" | "alter_publication", Some(name)) => self.publish(name, act),
            ("drop_publication", Some(name)) => {
                self.beside.publications.remove(&name.name);
            }
            ("drop_schema", Some(name)) if act.has("cascade") => {
                let is_in = |table: &&TableName| table.schema.as_ref() == Some(&name.name);
                let gone: Vec<_> = self.tables.keys().filter(is_in).cloned().collect();
                for table in &gone {
                    self.remove_table(table);
                }
            }
            _ => self.on_tables(act),
        }
    }

    fn on_tables(&mut self, act: &Act) {
        let Some(table) = act.tables.first() else { return };
        match act.kind {
            "drop_materialized_view" => self.remove_table(table),
            "alter_materialized_view" => self.move_table(table, act),
            "attach_partition" => {
                if let Some(known) = act.others.first().and_then(|name| self.tables.get_mut(name)) {
                    known.shape.parents = vec![table.clone()];
                    known.shape.bound = Some(act.text.clone());
                }
            }
            "detach_partition" => {
                if let Some(known) = act.others.first().and_then(|name| self.tables.get_mut(name)) {
                    known.shape.parents.clear();
                    known.shape.bound = None;
                }
            }
            "inherit" | "no_inherit" => {
                if let (Some(known), Some(parent)) =
                    (self.tables.get_mut(table), act.others.first())
                {
                    known.shape.parents.retain(|known| known != parent);
                    if act.kind == "inherit" {
                        known.shape.parents.push(parent.clone());
                    }
                }
            }
            "create_trigger" | "drop_trigger" | "alter_trigger" => self.trigger(table, act),
            _ => {}
        }
    }

    fn trigger(&mut self, table: &TableName, act: &Act) {
        let (Some(known), Some(name)) = (self.tables.get_mut(table), &act.object) else { return };
        match act.kind {
            "alter_trigger" if act.has("renames") => {
                for trigger in known.triggers.iter_mut().filter(|known| known.name == name.name) {
                    trigger.name.clone_from(&act.text);
                }
            }
            "create_trigger" => {
                known.triggers.retain(|known| known.name != name.name);
                let (name, fires) = (name.name.clone(), act.text.clone());
                known.triggers.push(Trigger { name, fires, function: act.calls.first().cloned() });
            }
            "drop_trigger" => known.triggers.retain(|known| known.name != name.name),
            _ => {}
        }
    }

    fn make_view(&mut self, name: &TableName, act: &Act) {
        let exists = self.tables.contains_key(name);
        if exists && act.has("if-not-exists") {
            return;
        }
        let mut reads: Vec<TableName> = act.reads.iter().map(|read| read.table.clone()).collect();
        reads.sort();
        reads.dedup();
        let kind =
            if act.kind == "create_view" { TableKind::View } else { TableKind::MaterializedView };
        let shape = Shape { kind, reads, query: act.text.clone(), ..Shape::default() };
        self.tables.insert(name.clone(), Table { shape, is_new: !exists, ..Table::default() });
    }

    fn publish(&mut self, name: &TableName, act: &Act) {
        let tables = self.beside.publications.entry(name.name.clone()).or_default();
        if act.has("drops") {
            tables.retain(|table| !act.tables.contains(table));
        } else if act.has("sets") {
            tables.clone_from(&act.tables);
        } else {
            tables.extend(act.tables.iter().cloned());
        }
    }

    fn move_table(&mut self, name: &TableName, act: &Act) {
        let to = if act.has("renames") {
            TableName { name: act.text.clone(), ..name.clone() }
        } else if act.has("moves") {
            TableName { schema: Some(act.text.clone()), ..name.clone() }
        } else {
            return;
        };
        self.rename_table(name, &to);
    }

    /// Takes a table away, with its partitions, the foreign keys that point at it, and the views that read it.
    pub(super) fn remove_table(&mut self, name: &TableName) {
        let mut gone = self.descendants(name);
        gone.extend(self.readers(name));
        gone.push(name.clone());
        for name in &gone {
            self.tables.remove(name);
            let points = |key: &Constraint| key.other.as_ref() == Some(name);
            let pointing = self.tables.perhaps_pointing_at(name, Link::Key);
            let pointing = pointing.filter(|(_, table)| table.constraints.iter().any(points));
            let pointing: Vec<_> = pointing.map(|(name, _)| name.clone()).collect();
            for table in pointing {
                self.change(&table, |table| table.constraints.retain(|key| !points(key)));
            }
            if self.beside.statistics.values().any(|table| table == name) {
                self.beside.statistics.retain(|_, table| table != name);
            }
        }
    }

    /// Gives a table another name, wherever it is named.
    pub(super) fn rename_table(&mut self, from: &TableName, to: &TableName) {
        if !self.tables.rename(from, to) {
            return;
        }
        let names_it = |table: &Table| {
            let keys = table.constraints.iter().filter_map(|key| key.other.as_ref());
            table
                .shape
                .parents
                .iter()
                .chain(&table.shape.reads)
                .chain(keys)
                .any(|name| name == from)
        };
        self.tables.change(names_it, |table| {
            let keys = table.constraints.iter_mut().filter_map(|key| key.other.as_mut());
            let names = table.shape.parents.iter_mut().chain(&mut table.shape.reads).chain(keys);
            names.filter(|name| *name == from).for_each(|name| name.clone_from(to));
        });
        let beside = &mut *self.beside;
        let published = beside.publications.values_mut().flatten();
        let beside = published.chain(beside.statistics.values_mut());
        beside.filter(|name| *name == from).for_each(|name| name.clone_from(to));
    }

    /// What a new table is, and what it gets from its parent, or from a table that it is made like.
    pub(super) fn shaped(&self, mut made: Table, name: &TableName, origin: &Origin) -> Table {
        made.shape = Shape {
            kind: match (origin.foreign, origin.partitioned_by.is_empty()) {
                (true, _) => TableKind::Foreign,
                (_, false) => TableKind::Partitioned,
                _ => TableKind::Ordinary,
            },
            parents: origin.parents.clone(),
            bound: origin.bound.clone(),
            partitioned_by: origin.partitioned_by.clone(),
            reads: Vec::new(),
            query: String::new(),
            key_name: origin.key_name.clone(),
            of_type: origin.of_type.clone(),
            unlogged: origin.unlogged,
        };
        for parent in origin.parents.iter().chain(&origin.like) {
            let Some(parent) = self.tables.get(parent) else { continue };
            let new = parent.columns.iter().filter(|column| made.column(&column.name).is_none());
            let new: Vec<_> = new.cloned().collect();
            made.columns.extend(new);
            if !origin.like.is_empty() {
                like(&mut made, parent, name, origin);
                continue;
            }
            made.constraints.extend(
                parent
                    .constraints
                    .iter()
                    .filter(|known| match known.kind {
                        ConstraintKind::Check => !known.definition.ends_with("NO INHERIT"),
                        ConstraintKind::ReferencedBy => false,
                        _ => origin.bound.is_some(),
                    })
                    .cloned(),
            );
            if origin.bound.is_some() {
                made.key.clone_from(&parent.key);
                made.indexes.extend(parent.indexes.iter().map(|index| {
                    let own = format!("{}_{}_idx", name.name, index.columns.join("_"));
                    Index { name: own, ..index.clone() }
                }));
            }
        }
        if !made.key.is_empty() && made.shape.key_name.is_none() {
            made.shape.key_name = Some(format!("{}_pkey", name.name));
        }
        made
    }
}

/// Whether an act's object is a relation, so that it has its name among tables.
pub(super) fn is_relation(act: &Act) -> bool {
    matches!(act.kind, "alter_view" | "drop_view")
}

/// Whether an act makes a relation.
pub(super) fn makes_relation(act: &Act) -> bool {
    matches!(act.kind, "create_view" | "create_materialized_view")
}

/// Whether an act's object is an index, whose table is to be found.
pub(super) fn is_of_index(act: &Act) -> bool {
    matches!(act.kind, "reindex_index" | "alter_index" | "attach_index")
}

/// What a table gets from one that it is made LIKE, beside its columns.
fn like(made: &mut Table, other: &Table, name: &TableName, origin: &Origin) {
    let own = |columns: &[String], end: &str| format!("{}_{}_{end}", name.name, columns.join("_"));
    if origin.like_indexes {
        made.key.clone_from(&other.key);
        made.indexes.extend(other.indexes.iter().map(|index| {
            let end = if index.constraint.is_some() { "key" } else { "idx" };
            let own = own(&index.columns, end);
            let constraint = index.constraint.as_ref().map(|_| own.clone());
            Index { name: own, constraint, ..index.clone() }
        }));
    }
    let kept = |known: &&Constraint| match known.kind {
        ConstraintKind::Check => origin.like_checks,
        ConstraintKind::Unique | ConstraintKind::Exclusion => origin.like_indexes,
        ConstraintKind::ForeignKey | ConstraintKind::ReferencedBy => false,
    };
    made.constraints.extend(other.constraints.iter().filter(kept).map(|known| match known.kind {
        ConstraintKind::Check => Constraint { valid: true, ..known.clone() },
        _ => Constraint { name: own(&known.columns, "key"), ..known.clone() },
    }));
}
