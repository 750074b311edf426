//! Names as statements write them to names as the catalog holds them.

use super::acts;
use crate::model::name::TableName;
use crate::model::server::Engine;
use crate::sql::act::Act;
use crate::sql::catalog::{Catalog, Function};
use crate::sql::change::{Change, ConstraintDefKind, Located};
use crate::sql::span::Span;
use crate::sql::split::statements;
use crate::sql::understand::{of_body, understand};

/// The schema of temporary tables: PostgreSQL's name for it, and here the same for MySQL and MariaDB.
pub(super) const TEMPORARY: &str = "pg_temp";

/// The schema of PostgreSQL's own tables.
const SYSTEM: &str = "pg_catalog";

/// Those of them that statements read, as a rule. A table of the user's may begin with `pg_`, too.
const SYSTEM_TABLES: &[&str] = &[
    "pg_am",
    "pg_attrdef",
    "pg_attribute",
    "pg_auth_members",
    "pg_authid",
    "pg_available_extensions",
    "pg_class",
    "pg_collation",
    "pg_constraint",
    "pg_database",
    "pg_depend",
    "pg_description",
    "pg_enum",
    "pg_event_trigger",
    "pg_extension",
    "pg_foreign_server",
    "pg_foreign_table",
    "pg_index",
    "pg_indexes",
    "pg_inherits",
    "pg_language",
    "pg_locks",
    "pg_matviews",
    "pg_namespace",
    "pg_opclass",
    "pg_operator",
    "pg_partitioned_table",
    "pg_policies",
    "pg_policy",
    "pg_proc",
    "pg_publication",
    "pg_publication_tables",
    "pg_range",
    "pg_replication_slots",
    "pg_rewrite",
    "pg_roles",
    "pg_rules",
    "pg_sequence",
    "pg_sequences",
    "pg_settings",
    "pg_stat_activity",
    "pg_stat_user_tables",
    "pg_statistic_ext",
    "pg_stats",
    "pg_subscription",
    "pg_tables",
    "pg_tablespace",
    "pg_trigger",
    "pg_type",
    "pg_user",
    "pg_views",
];

/// MySQL: the table by its name with, or without, its database, when one is known by that: files that begin with USE spell
/// it both ways. Only where all known tables that have a database in their names have the same.
fn other_spelling(name: &TableName, catalog: &Catalog) -> Option<TableName> {
    let temporary = TableName::in_schema(TEMPORARY, &name.name);
    if name.schema.is_none() && catalog.tables.contains_key(&temporary) {
        return Some(temporary);
    }
    let database = catalog.tables.only_schema()?;
    let other = match &name.schema {
        None => TableName::in_schema(database, &name.name),
        Some(schema) if schema == database => TableName::bare(&name.name),
        Some(_) => return None,
    };
    catalog.tables.contains_key(&other).then_some(other)
}

/// How deep functions may call each other to be seen through.
const MAX_CALLS: usize = 4;

/// How many bytes of functions are read for one statement, so that functions that call each other often end.
const MAX_BODIES: usize = 4 << 20;

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
        if self.engine.is_mysql_family() && !catalog.tables.contains_key(name) {
            return other_spelling(name, catalog).unwrap_or_else(|| name.clone());
        }
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
                let found = places.find(|place| catalog.tables.contains_key(place));
                // `pg_catalog` is looked at before all others.
                let own = || {
                    SYSTEM_TABLES
                        .contains(&name.name.as_str())
                        .then(|| TableName::in_schema(SYSTEM, &name.name))
                };
                found.or_else(own).unwrap_or(first)
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
        let mut left = MAX_BODIES;
        self.called(changes, catalog, MAX_CALLS, &mut left)
    }

    /// Calls of functions in SQL and PL/pgSQL whose text is known, as what their statements do; of others as what they
    /// are: anything.
    /// `left`: so many bytes of bodies may still be read.
    fn called(
        &self,
        changes: Vec<Located>,
        catalog: &Catalog,
        depth: usize,
        left: &mut usize,
    ) -> Vec<Located> {
        let mut result = Vec::with_capacity(changes.len());
        for located in changes {
            let Change::Act(act) = &located.change else {
                result.push(located);
                continue;
            };
            let Some(name) = act.object.as_ref().filter(|_| act.kind == "call") else {
                result.push(located);
                continue;
            };
            let found =
                self.function(name, catalog).and_then(|name| catalog.beside.functions.get(&name));
            let inner = found.filter(|found| depth > 0 && found.body.len() < *left);
            *left -= inner.map_or(0, |found| found.body.len().max(1));
            let inner = inner.and_then(|found| self.body(found, located.span, catalog));
            let is_known = inner.is_some();
            let inner =
                self.called(inner.unwrap_or_default(), catalog, depth.saturating_sub(1), left);
            let length = inner.len();
            let seen = inner.into_iter().filter(|one| !matches!(one.change, Change::Opaque { .. }));
            let before = result.len();
            result.extend(seen);
            if !is_known || result.len() < before + length {
                let why = format!("it calls function \"{name}\", which can do anything");
                result.push(Located::new(Change::Opaque { why }, located.span));
            }
        }
        result
    }

    /// What the statements of a function do, at the place of the call; `None`: it cannot be told.
    fn body(&self, function: &Function, span: Span, catalog: &Catalog) -> Option<Vec<Located>> {
        let mut changes = match function.language.as_str() {
            "sql" => statements(&function.body, self.engine)
                .into_iter()
                .flat_map(|one| understand(&one.sql, one.span, self.engine))
                .collect(),
            "plpgsql" => of_body(&function.body, span)?,
            _ => return None,
        };
        for located in &mut changes {
            located.span = span;
            self.resolve_one(&mut located.change, catalog);
        }
        Some(changes)
    }

    /// A function along the search path.
    fn function(&self, name: &TableName, catalog: &Catalog) -> Option<TableName> {
        let known = |name: &TableName| catalog.beside.functions.contains_key(name);
        if name.schema.is_some() {
            return Some(name.clone()).filter(known);
        }
        let mut places = self.schemas.iter().map(|schema| TableName::in_schema(schema, &name.name));
        places.find(known)
    }

    fn resolve_act(&self, act: &mut Act, catalog: &Catalog) {
        for name in act.names_mut() {
            *name = self.table(name, catalog);
        }
        let temporary = act.has("temporary");
        let Some(object) = act.object.clone() else { return };
        if acts::makes_relation(act) {
            act.object = Some(self.made(object, temporary));
        } else if acts::is_relation(act) {
            act.object = Some(self.table(&object, catalog));
        } else if acts::is_of_index(act) {
            act.tables = self.owner_of(&object.name, catalog).into_iter().collect();
            if act.kind == "attach_index" {
                act.tables.extend(self.owner_of(&act.text, catalog));
            }
        } else if matches!(
            act.kind,
            "drop_function" | "create_function" | "drop_statistics" | "create_statistics"
        ) {
            act.object = Some(self.made(object, false));
        }
        for called in &mut act.calls {
            *called =
                self.function(called, catalog).unwrap_or_else(|| self.made(called.clone(), false));
        }
    }

    /// The name of something that is made.
    fn made(&self, mut name: TableName, temporary: bool) -> TableName {
        if temporary {
            name.schema = Some(TEMPORARY.to_owned());
        } else if name.schema.is_none() {
            name.schema = self.schemas.first().cloned();
        }
        name
    }

    fn resolve_one(&self, change: &mut Change, catalog: &Catalog) {
        match change {
            Change::RenameTable { table, to } => {
                let written = std::mem::replace(table, self.table(table, catalog));
                // PostgreSQL lets ALTER TABLE rename an index, too.
                if !self.engine.is_mysql_family()
                    && !catalog.tables.contains_key(table)
                    && let Some(owner) = self.owner_of(&written.name, catalog)
                {
                    let to = to.name.clone();
                    *change = Change::RenameIndex { table: Some(owner), index: written.name, to };
                    return;
                }
                if to.schema.is_none() {
                    to.schema.clone_from(&table.schema);
                }
                return;
            }
            Change::CreateTable { table, temporary, origin, .. } => {
                // A new table comes to the first schema, whatever the others hold.
                *table = self.made(table.clone(), *temporary);
                let reads = origin.reads.iter_mut().map(|read| &mut read.table);
                for name in origin.parents.iter_mut().chain(&mut origin.like).chain(reads) {
                    *name = self.table(name, catalog);
                }
                return;
            }
            Change::Act(act) if is_blind(act, catalog) => {
                let why = format!("{} CASCADE drops whatever depends on it", act.what);
                *change = Change::Opaque { why };
                return;
            }
            Change::Act(act) => {
                self.resolve_act(act, catalog);
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
        let is_visible = |name: &TableName| {
            name.schema.as_ref().is_none_or(|schema| self.schemas.contains(schema))
        };
        let owners = catalog.tables.iter().filter(|(_, table)| {
            table.shape.key_name.as_deref() == Some(index)
                || table.indexes.iter().any(|known| self.engine.same_name(&known.name, index))
        });
        let mut owners: Vec<_> = owners.map(|(name, _)| name.clone()).collect();
        // An index of another schema was named with it.
        owners.sort_by_key(|name| !is_visible(name));
        owners.into_iter().next()
    }
}

/// Whether nothing tells what a DROP ... CASCADE takes along.
fn is_blind(act: &Act, catalog: &Catalog) -> bool {
    let is_known = catalog.complete || !catalog.tables.is_empty();
    let tells = is_known && act.kind != "drop_extension";
    act.kind.starts_with("drop_") && act.has("cascade") && act.tables.is_empty() && !tells
}

impl Engine {
    /// Whether two names of columns, indexes or constraints are one: MySQL and MariaDB do not see case.
    pub(crate) fn same_name(self, a: &str, b: &str) -> bool {
        if self.is_mysql_family() { a.eq_ignore_ascii_case(b) } else { a == b }
    }
}

/// The table of a change, to be read or to be written.
macro_rules! table_of {
    ($change:expr, $inside:ident, $first:ident) => {
        match $change {
            Change::DropIndex { table, .. } | Change::RenameIndex { table, .. } => table.$inside(),
            Change::Act(act) => act.tables.$first(),
            Change::Harmless | Change::Other { .. } | Change::Opaque { .. } => None,
            Change::CreateTable { table, .. }
            | Change::DropTable { table, .. }
            | Change::RenameTable { table, .. }
            | Change::AddColumn { table, .. }
            | Change::DropColumn { table, .. }
            | Change::RenameColumn { table, .. }
            | Change::ChangeType { table, .. }
            | Change::SetNotNull { table, .. }
            | Change::DropNotNull { table, .. }
            | Change::SetDefault { table, .. }
            | Change::CreateIndex { table, .. }
            | Change::AddConstraint { table, .. }
            | Change::ValidateConstraint { table, .. }
            | Change::DropConstraint { table, .. }
            | Change::Update { table, .. }
            | Change::Delete { table, .. }
            | Change::Insert { table, .. }
            | Change::Truncate { table, .. }
            | Change::RenameConstraint { table, .. }
            | Change::Rebuild { table, .. }
            | Change::TableSetting { table, .. }
            | Change::TableOption { table, .. }
            | Change::Partitions { table, .. }
            | Change::Demand { table, .. }
            | Change::Clauseless { table } => Some(table),
        }
    };
}

impl Change {
    /// The table that the change is about, when it names one.
    pub(crate) fn table(&self) -> Option<&TableName> {
        table_of!(self, as_ref, first)
    }

    /// What a statement does to a table in its own words, when it has no other form, and that table.
    pub(crate) fn done_to_table(&self) -> Option<(&TableName, &str)> {
        match self {
            Self::TableSetting { table, what } => Some((table, what)),
            Self::Act(act) => Some((act.tables.first()?, &act.what)),
            _ => None,
        }
    }

    fn table_mut(&mut self) -> Option<&mut TableName> {
        table_of!(self, as_mut, first_mut)
    }
}
