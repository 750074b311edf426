//! Changes carried out on the catalog.

use crate::model::name::TableName;
use crate::model::server::Engine;
use crate::sql::catalog::{Catalog, Column, Constraint, ConstraintKind, Index, Table, TableKind};
use crate::sql::change::{Change, ColumnDef, ConstraintDef, ConstraintDefKind, IndexForm, Located};
use crate::sql::rename::mentions;
use crate::sql::types::canonical;

impl Catalog {
    /// Carries out the changes of one statement, whose tables have their full names. What the catalog does not know is
    /// left alone: it need not be complete.
    pub(crate) fn apply(&mut self, changes: &[Located], engine: Engine) {
        let mut left_out = None;
        for located in changes {
            // IF NOT EXISTS of a table that is there: its columns and constraints are not made either.
            if let Change::CreateTable { table, if_not_exists, .. } = &located.change
                && (*if_not_exists || located.is_in_block())
                && self.tables.contains_key(table)
            {
                left_out = Some(located.span);
            }
            if left_out == Some(located.span) {
                continue;
            }
            self.apply_one(&located.change, engine);
            if engine == Engine::Postgres && !located.has("only") {
                self.hand_down(&located.change);
            }
        }
        // The rows of a new table meet its constraints, NOT VALID or not: there are none. MySQL's NOT ENFORCED stays so.
        for located in changes {
            if let Change::CreateTable { table, .. } = &located.change
                && engine == Engine::Postgres
            {
                self.change(table, |known| {
                    known.constraints.iter_mut().for_each(|known| known.valid = true);
                });
            }
        }
    }

    /// What a change of a table means for its partitions, and for tables that inherit from it.
    fn hand_down(&mut self, change: &Change) {
        let (table, keys) = match change {
            Change::AddColumn { table, .. }
            | Change::DropColumn { table, .. }
            | Change::RenameColumn { table, .. }
            | Change::ChangeType { table, .. }
            | Change::SetNotNull { table, .. }
            | Change::DropNotNull { table, .. }
            | Change::SetDefault { table, .. }
            | Change::ValidateConstraint { table, .. }
            | Change::DropConstraint { table, .. }
            | Change::RenameConstraint { table, .. } => (table, false),
            Change::AddConstraint { table, constraint } => {
                if constraint.no_inherit {
                    return;
                }
                (table, !matches!(constraint.kind, ConstraintDefKind::Check { .. }))
            }
            _ => return,
        };
        if keys && !self.is_kind(table, TableKind::Partitioned) {
            return;
        }
        let mut change = change.clone();
        if let Change::AddConstraint { constraint, .. } = &mut change
            && let ConstraintDefKind::Check { .. } = constraint.kind
            && constraint.name.is_none()
        {
            let last = self.tables.get(table).and_then(|known| known.constraints.last());
            constraint.name = last.map(|known| known.name.clone());
        }
        for name in self.descendants(table) {
            self.change(&name, |known| known.apply(&name, &change, Engine::Postgres));
        }
    }

    fn apply_one(&mut self, change: &Change, engine: Engine) {
        match change {
            Change::CreateTable { table, columns, key, origin, .. } => {
                let columns = columns.iter().map(|def| column(def, engine)).collect();
                let made = Table { columns, key: key.clone(), is_new: true, ..Table::default() };
                let made = self.shaped(made, table, origin);
                self.tables.insert(table.clone(), made);
            }
            Change::DropTable { table, .. } => {
                self.remove_table(table);
                if engine.is_mysql_family() {
                    self.forget_references(table, None);
                }
            }
            Change::RenameTable { table, to } => self.rename_table(table, to),
            Change::Act(act) => {
                self.note_interface(act, engine);
                // Views and routines of MySQL are known by that alone.
                if !engine.is_mysql_family() {
                    self.act(act);
                }
            }
            Change::CreateIndex { table, form: IndexForm { only: false, .. }, .. }
                if self.is_kind(table, TableKind::Partitioned) =>
            {
                // The partitions' own get names of their own.
                for name in self.descendants(table) {
                    self.change(&name, |known| known.apply(&name, &nameless(change), engine));
                }
                self.change(table, |known| known.apply(table, change, engine));
            }
            Change::TableOption { table, name, value: Some(like) } if name == "LIKE" => {
                self.copy_table(table, like);
            }
            Change::AddConstraint { table, constraint } if engine.is_mysql_family() => {
                self.change(table, |known| known.add_mysql_constraint(table, constraint, engine));
                self.remember_reference(table, constraint);
            }
            Change::DropConstraint { table, constraint } if engine.is_mysql_family() => {
                self.change(table, |known| known.apply(table, change, engine));
                self.forget_references(table, Some(constraint));
            }
            Change::DropIndex { table: Some(table), index, .. } => {
                self.change(table, |known| {
                    known.indexes.retain(|other| !engine.same_name(&other.name, index));
                });
            }
            Change::RenameIndex { table: Some(table), index, to } => self.change(table, |known| {
                for other in
                    known.indexes.iter_mut().filter(|other| engine.same_name(&other.name, index))
                {
                    other.name.clone_from(to);
                }
            }),
            other => {
                if let Some(table) = other.table()
                    && let Some(known) = self.tables.get_mut(table)
                {
                    known.apply(table, other, engine);
                }
            }
        }
    }

    pub(super) fn change(&mut self, table: &TableName, change: impl FnOnce(&mut Table)) {
        if let Some(known) = self.tables.get_mut(table) {
            change(known);
        }
    }
}

impl Table {
    pub(super) fn apply(&mut self, name: &TableName, change: &Change, engine: Engine) {
        let same = |a: &str, b: &str| engine.same_name(a, b);
        match change {
            Change::AddColumn { column: def, .. }
                if !self.columns.iter().any(|known| same(&known.name, &def.name)) =>
            {
                self.columns.push(Column { is_new: true, ..column(def, engine) });
                self.place(&def.name, def.position.as_ref(), engine);
            }
            Change::TableOption { name, value, .. } => {
                self.storage.set(name, value.as_deref());
                if name == "CONVERT" {
                    self.convert();
                }
            }
            Change::Partitions { operation, method, columns, listed, made, .. } => {
                self.storage.partition(operation, method.as_deref(), columns);
                self.storage.list_partitions(operation, (listed, made));
            }
            Change::DropColumn { column, .. } => self.drop_column(column, engine),
            Change::RenameColumn { column, to, .. } => self.rename_column(column, to, engine),
            Change::ChangeType { column, to, .. } => {
                self.with(column, engine, |known| change_type(known, to, engine));
                self.place(column, to.position.as_ref(), engine);
            }
            Change::SetNotNull { column, .. } => {
                self.with(column, engine, |known| known.not_null = true);
            }
            Change::DropNotNull { column, .. } => {
                self.with(column, engine, |known| known.not_null = false);
            }
            Change::SetDefault { column, default, .. } => {
                self.with(column, engine, |known| known.default.clone_from(default));
            }
            Change::CreateIndex { index, columns, unique, kind, form, .. } => {
                let name = index
                    .clone()
                    .unwrap_or_else(|| format!("{}_{}_idx", name.name, columns.join("_")));
                let name = if engine.is_mysql_family() { self.free_name(name) } else { name };
                if !self.indexes.iter().any(|known| same(&known.name, &name)) {
                    let access = kind.clone().filter(|_| engine == Engine::Postgres);
                    let kind = kind
                        .clone()
                        .filter(|kind| matches!(kind.as_str(), "FULLTEXT" | "SPATIAL" | "VECTOR"));
                    let condition = form.condition.as_ref().map(|text| format!(" WHERE {text}"));
                    let method = access.map(|method| format!("USING {method} "));
                    let keys = form.keys.clone().unwrap_or_else(|| columns.join(", "));
                    let definition = format!(
                        "{}({keys}){}",
                        method.unwrap_or_default(),
                        condition.unwrap_or_default()
                    );
                    let columns = columns.clone();
                    self.indexes.push(Index {
                        name,
                        columns,
                        unique: *unique,
                        definition,
                        kind,
                        constraint: None,
                    });
                }
            }
            Change::AddConstraint { constraint, .. } => {
                self.add_constraint(name, constraint, engine);
            }
            Change::Rebuild { what, .. } if what.eq_ignore_ascii_case("SET UNLOGGED") => {
                self.shape.unlogged = true;
            }
            Change::Rebuild { what, .. } if what.eq_ignore_ascii_case("SET LOGGED") => {
                self.shape.unlogged = false;
            }
            Change::ValidateConstraint { constraint, .. } => {
                for known in
                    self.constraints.iter_mut().filter(|known| same(&known.name, constraint))
                {
                    known.valid = true;
                }
            }
            Change::DropConstraint { constraint, .. } => {
                let primary = constraint.eq_ignore_ascii_case("PRIMARY")
                    || self.shape.key_name.as_ref() == Some(constraint)
                    || *constraint == format!("{}_pkey", name.name);
                if primary {
                    self.shape.key_name = None;
                    self.key.clear();
                }
                self.constraints.retain(|known| !same(&known.name, constraint));
                self.indexes.retain(|known| known.constraint.as_ref() != Some(constraint));
            }
            Change::RenameConstraint { constraint, to, .. } => {
                for known in
                    self.constraints.iter_mut().filter(|known| same(&known.name, constraint))
                {
                    known.name.clone_from(to);
                }
            }
            _ => {}
        }
    }

    fn with(&mut self, column: &str, engine: Engine, change: impl FnOnce(&mut Column)) {
        if let Some(known) =
            self.columns.iter_mut().find(|known| engine.same_name(&known.name, column))
        {
            change(known);
        }
    }

    /// With the column go the indexes and constraints that name it.
    fn drop_column(&mut self, column: &str, engine: Engine) {
        let names =
            |columns: &[String]| columns.iter().any(|known| engine.same_name(known, column));
        self.columns.retain(|known| !engine.same_name(&known.name, column));
        if engine.is_mysql_family() {
            // There the column leaves its indexes; an index without columns goes.
            for index in &mut self.indexes {
                index.columns.retain(|known| !engine.same_name(known, column));
            }
            self.indexes.retain(|index| !index.columns.is_empty());
        } else {
            self.indexes.retain(|index| !names(&index.columns));
        }
        self.constraints.retain(|known| !names(&known.columns));
        if names(&self.key) {
            self.key.clear();
        }
    }

    fn rename_column(&mut self, column: &str, to: &str, engine: Engine) {
        self.with(column, engine, |known| to.clone_into(&mut known.name));
        let lists = self.indexes.iter_mut().map(|index| &mut index.columns);
        let lists = lists.chain(self.constraints.iter_mut().map(|known| &mut known.columns));
        for name in lists.flatten().chain(&mut self.key) {
            if engine.same_name(name, column) {
                to.clone_into(name);
            }
        }
    }

    pub(super) fn add_constraint(
        &mut self,
        table: &TableName,
        def: &ConstraintDef,
        engine: Engine,
    ) {
        let mut columns = def.columns.clone();
        if let ConstraintDefKind::Check { expression } = &def.kind
            && columns.is_empty()
            && engine == Engine::Postgres
        {
            let names = self.columns.iter().map(|column| column.name.clone());
            columns = names.filter(|name| mentions(engine, expression, name)).collect();
        }
        let (kind, definition) = match &def.kind {
            ConstraintDefKind::PrimaryKey { using_index } => {
                self.add_primary_key(table, def, *using_index);
                return;
            }
            ConstraintDefKind::Unique { .. } => {
                (ConstraintKind::Unique, format!("UNIQUE ({})", columns.join(", ")))
            }
            ConstraintDefKind::Check { expression } => {
                let local = if def.no_inherit { " NO INHERIT" } else { "" };
                (ConstraintKind::Check, format!("CHECK ({expression}){local}"))
            }
            ConstraintDefKind::ForeignKey { to } => {
                let mut definition =
                    format!("FOREIGN KEY ({}) REFERENCES {to}", columns.join(", "));
                if !def.references.is_empty() {
                    definition = format!("{definition}({})", def.references.join(", "));
                }
                if !def.actions.is_empty() {
                    definition = format!("{definition} {}", def.actions);
                }
                (ConstraintKind::ForeignKey, definition)
            }
            ConstraintDefKind::Exclusion => (ConstraintKind::Exclusion, "EXCLUDE".to_owned()),
        };
        let other = match &def.kind {
            ConstraintDefKind::ForeignKey { to } => Some(to.clone()),
            _ => None,
        };
        let suffix = match kind {
            ConstraintKind::Check => "check",
            ConstraintKind::ForeignKey | ConstraintKind::ReferencedBy => "fkey",
            ConstraintKind::Unique => "key",
            ConstraintKind::Exclusion => "excl",
        };
        let name = def.name.clone().unwrap_or_else(|| {
            let named = if kind == ConstraintKind::Check && columns.len() != 1 {
                &[][..]
            } else {
                columns.as_slice()
            };
            let words =
                std::iter::once(table.name.as_str()).chain(named.iter().map(String::as_str));
            let name = words.chain([suffix]).collect::<Vec<_>>().join("_");
            let taken = |name: &str| self.constraints.iter().any(|known| known.name == name);
            let mut names = (1..).map(|number| format!("{name}{number}"));
            if taken(&name) { names.find(|name| !taken(name)).unwrap_or_default() } else { name }
        });
        if matches!(def.kind, ConstraintDefKind::Unique { using_index: false }) {
            self.indexes.push(Index {
                name: name.clone(),
                columns: columns.clone(),
                unique: true,
                definition: format!("({})", columns.join(", ")),
                kind: None,
                constraint: Some(name.clone()),
            });
        }
        self.constraints.push(Constraint {
            name,
            kind,
            columns,
            definition,
            valid: !def.not_valid,
            other,
        });
    }

    fn add_primary_key(&mut self, table: &TableName, def: &ConstraintDef, using_index: bool) {
        let name = def.name.clone().unwrap_or_else(|| format!("{}_pkey", table.name));
        self.shape.key_name = Some(name);
        self.key = if using_index {
            let index = self.indexes.iter().find(|index| Some(&index.name) == def.columns.first());
            index.map(|index| index.columns.clone()).unwrap_or_default()
        } else {
            def.columns.clone()
        };
        for column in &mut self.columns {
            column.not_null |= self.key.contains(&column.name);
        }
    }
}

/// An index that the server names.
fn nameless(change: &Change) -> Change {
    let mut change = change.clone();
    if let Change::CreateIndex { index, .. } = &mut change {
        *index = None;
    }
    change
}

pub(super) fn column(def: &ColumnDef, engine: Engine) -> Column {
    Column {
        name: def.name.clone(),
        data_type: canonical(&def.data_type, engine),
        collation: def.collation.clone().filter(|_| engine == Engine::Postgres),
        not_null: def.not_null,
        default: def.default.clone(),
        generated: def.generated.clone(),
        counts: def.counts,
        ..Column::default()
    }
}

/// PostgreSQL changes the type alone; MODIFY and CHANGE say the whole column.
fn change_type(known: &mut Column, to: &ColumnDef, engine: Engine) {
    if engine.is_mysql_family() {
        *known = Column { name: known.name.clone(), ..column(to, engine) };
    } else {
        known.data_type = canonical(&to.data_type, engine);
        known.collation.clone_from(&to.collation);
    }
}
