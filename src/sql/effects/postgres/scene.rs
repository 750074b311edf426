//! What a statement meets.

use super::super::case::{Case, Use};
use crate::model::name::TableName;
use crate::model::server::{Engine, Server};
use crate::sql::catalog::{Catalog, Table, TableKind};
use crate::sql::change::{Change, ColumnDef, Located};

/// The catalog as it is before a statement, the statement, and the server.
#[derive(Clone, Copy, Debug)]
pub(in crate::sql::effects) struct Scene<'a> {
    pub(in crate::sql::effects) catalog: &'a Catalog,
    pub(in crate::sql::effects) statement: &'a [Located],
    pub(in crate::sql::effects) server: Server,
}

impl<'a> Scene<'a> {
    /// What the catalog knows of a table.
    pub(super) fn table(&self, name: &TableName) -> Option<&'a Table> {
        self.catalog.tables.get(name)
    }

    /// A case of ALTER TABLE: with what the clause says, and the tables below the table.
    pub(super) fn case(&self, kind: &'static str, table: &TableName, located: &Located) -> Case {
        let children: Vec<_> = self.catalog.children(table).cloned().collect();
        let has_below = !children.is_empty() && !located.has("only");
        let below = if has_below { self.catalog.descendants(table) } else { Vec::new() };
        let partitioned = self.catalog.is_kind(table, TableKind::Partitioned);
        let inherited = !partitioned && !children.is_empty();
        let case = Case::new(kind, table)
            .with("descendants", below)
            .with("children", children)
            .fact("partitioned", partitioned)
            .fact("inherited", inherited);
        located.marks.iter().fold(case, |case, mark| case.fact(mark, true))
    }

    /// The case without tables that nobody uses.
    pub(super) fn settle(&self, case: Case) -> Case {
        case.among(|table| self.uses(table))
    }

    /// Whether a lock on it can be in somebody's way: it was there before, and is no view.
    pub(super) fn is_used(&self, name: &TableName) -> bool {
        self.uses(name) != Use::Nobodys
    }

    fn uses(&self, name: &TableName) -> Use {
        let is_made = |located: &Located| matches!(&located.change, Change::CreateTable { table, .. } if table == name);
        if self.statement.iter().any(is_made) || name.schema.as_deref() == Some("pg_temp") {
            return Use::Nobodys;
        }
        match self.table(name) {
            Some(known) if known.is_new => Use::Nobodys,
            Some(known) => match known.shape.kind {
                TableKind::View | TableKind::Foreign => Use::Nobodys,
                TableKind::Partitioned => Use::Hollow,
                TableKind::Ordinary | TableKind::MaterializedView => Use::Filled,
            },
            None => Use::Filled,
        }
    }

    /// The column that the same statement adds to the table.
    pub(super) fn added(
        &self,
        table: &TableName,
        name: &str,
    ) -> Option<(&'a Located, &'a ColumnDef)> {
        self.statement.iter().find_map(|located| match &located.change {
            Change::AddColumn { table: other, column, .. }
                if other == table && Engine::Postgres.same_name(&column.name, name) =>
            {
                Some((located, column))
            }
            _ => None,
        })
    }

    /// A table and those below it that a case names.
    pub(super) fn family(&self, table: &TableName, located: &Located) -> Vec<TableName> {
        let mut family = vec![table.clone()];
        if !located.has("only") {
            family.extend(self.catalog.descendants(table));
        }
        family
    }
}
