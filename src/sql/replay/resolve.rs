//! Names as statements write them to names as the catalog holds them.

use crate::model::name::TableName;
use crate::model::server::Engine;
use crate::sql::catalog::Catalog;
use crate::sql::change::{Change, ConstraintDefKind, Located};

/// The schema of temporary tables: PostgreSQL's name for it, and here the same for MySQL and MariaDB.
pub(super) const TEMPORARY: &str = "pg_temp";

/// Where names without a schema are looked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Names {
    engine: Engine,
    schemas: Vec<String>,
}

impl Names {
    /// `schemas` is the search path (PostgreSQL; `public` when it is empty). MySQL and MariaDB have none.
    pub(crate) fn new(engine: Engine, schemas: &[String]) -> Self {
        let mut schemas = if engine.is_mysql_family() { Vec::new() } else { schemas.to_vec() };
        if schemas.is_empty() && engine == Engine::Postgres {
            schemas.push("public".to_owned());
        }
        Self { engine, schemas }
    }

    /// The table that a name means: a temporary one, the first of the search path that is there, else where it would
    /// be made.
    pub(crate) fn table(&self, name: &TableName, catalog: &Catalog) -> TableName {
        if name.schema.is_some() {
            return name.clone();
        }
        let temporary = TableName::in_schema(TEMPORARY, &name.name);
        if catalog.tables.contains_key(&temporary) {
            return temporary;
        }
        let mut places = self.schemas.iter().map(|schema| TableName::in_schema(schema, &name.name));
        let first = places.next();
        match first {
            Some(first) if !catalog.tables.contains_key(&first) => {
                places.find(|place| catalog.tables.contains_key(place)).unwrap_or(first)
            }
            Some(first) => first,
            None => name.clone(),
        }
    }

    /// The name as people know it: without the schema in which unqualified names are made.
    pub(crate) fn show(&self, name: &TableName) -> String {
        if name.schema.is_some() && name.schema.as_ref() == self.schemas.first() {
            name.name.clone()
        } else {
            name.to_string()
        }
    }

    /// The changes of one statement with every table by its full name. A dropped or renamed index gets its table, when
    /// the catalog knows it.
    pub(crate) fn resolve(&self, mut changes: Vec<Located>, catalog: &Catalog) -> Vec<Located> {
        for located in &mut changes {
            self.resolve_one(&mut located.change, catalog);
        }
        changes
    }

    fn resolve_one(&self, change: &mut Change, catalog: &Catalog) {
        match change {
            Change::RenameTable { table, to } => {
                *table = self.table(table, catalog);
                if to.schema.is_none() {
                    to.schema.clone_from(&table.schema);
                }
                return;
            }
            Change::CreateTable { table, temporary, .. } => {
                // A new table comes to the first schema, whatever the others hold.
                if *temporary {
                    table.schema = Some(TEMPORARY.to_owned());
                } else if table.schema.is_none() {
                    table.schema = self.schemas.first().cloned();
                }
                return;
            }
            Change::DropIndex { table, index, .. } | Change::RenameIndex { table, index, .. }
                if table.is_none() =>
            {
                *table = self.owner_of(index, catalog);
                return;
            }
            Change::AddConstraint { constraint, .. } => {
                if let ConstraintDefKind::ForeignKey { to } = &mut constraint.kind {
                    *to = self.table(to, catalog);
                }
            }
            _ => {}
        }
        if let Some(table) = change.table_mut() {
            *table = self.table(table, catalog);
        }
    }

    fn owner_of(&self, index: &str, catalog: &Catalog) -> Option<TableName> {
        let owners = catalog.tables.iter().filter(|(name, table)| {
            let visible = name.schema.as_ref().is_none_or(|schema| self.schemas.contains(schema));
            visible && table.indexes.iter().any(|known| self.engine.same_name(&known.name, index))
        });
        owners.map(|(name, _)| name.clone()).next()
    }
}

impl Engine {
    /// Whether two names of columns, indexes or constraints are one: MySQL and MariaDB do not see case.
    pub(crate) fn same_name(self, a: &str, b: &str) -> bool {
        if self.is_mysql_family() { a.eq_ignore_ascii_case(b) } else { a == b }
    }
}

impl Change {
    /// The table that the change is about, when it names one.
    pub(crate) fn table(&self) -> Option<&TableName> {
        match self {
            Self::DropIndex { table, .. } | Self::RenameIndex { table, .. } => table.as_ref(),
            Self::Harmless | Self::Other { .. } | Self::Opaque { .. } => None,
            Self::CreateTable { table, .. }
            | Self::DropTable { table, .. }
            | Self::RenameTable { table, .. }
            | Self::AddColumn { table, .. }
            | Self::DropColumn { table, .. }
            | Self::RenameColumn { table, .. }
            | Self::ChangeType { table, .. }
            | Self::SetNotNull { table, .. }
            | Self::DropNotNull { table, .. }
            | Self::SetDefault { table, .. }
            | Self::CreateIndex { table, .. }
            | Self::AddConstraint { table, .. }
            | Self::ValidateConstraint { table, .. }
            | Self::DropConstraint { table, .. }
            | Self::Update { table, .. }
            | Self::Delete { table, .. }
            | Self::Insert { table, .. }
            | Self::Truncate { table }
            | Self::RenameConstraint { table, .. }
            | Self::Rebuild { table, .. }
            | Self::TableSetting { table, .. } => Some(table),
        }
    }

    fn table_mut(&mut self) -> Option<&mut TableName> {
        match self {
            Self::DropIndex { table, .. } | Self::RenameIndex { table, .. } => table.as_mut(),
            Self::Harmless | Self::Other { .. } | Self::Opaque { .. } => None,
            Self::CreateTable { table, .. }
            | Self::DropTable { table, .. }
            | Self::RenameTable { table, .. }
            | Self::AddColumn { table, .. }
            | Self::DropColumn { table, .. }
            | Self::RenameColumn { table, .. }
            | Self::ChangeType { table, .. }
            | Self::SetNotNull { table, .. }
            | Self::DropNotNull { table, .. }
            | Self::SetDefault { table, .. }
            | Self::CreateIndex { table, .. }
            | Self::AddConstraint { table, .. }
            | Self::ValidateConstraint { table, .. }
            | Self::DropConstraint { table, .. }
            | Self::Update { table, .. }
            | Self::Delete { table, .. }
            | Self::Insert { table, .. }
            | Self::Truncate { table }
            | Self::RenameConstraint { table, .. }
            | Self::Rebuild { table, .. }
            | Self::TableSetting { table, .. } => Some(table),
        }
    }
}
