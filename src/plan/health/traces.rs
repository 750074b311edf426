//! What the journal says must be in the schema: its done steps, carried out one after the other on the tables as they
//! were before each migration.
//!
//! A name that only the server chose (an index without one) is not known for sure, and is left out. Behind a statement
//! that is not understood nothing that came before it is certain any more.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::journal::Progress;
use crate::model::name::{MigrationId, TableName};
use crate::model::phase::Phase;
use crate::model::server::{Engine, Server};
use crate::model::step::{Action, Step};
use crate::operation::Sync;
use crate::plan::history::History;
use crate::plan::migration::Migration;
use crate::plan::project::Project;
use crate::plan::steps::{PlanContext, all_syncs, schema, steps};
use crate::sql::catalog::{Catalog, Table};
use crate::sql::change::{Change, ConstraintDefKind, Located};
use crate::sql::replay::Names;
use crate::sql::span::Span;
use crate::sql::understand;

/// Something in a schema.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Thing {
    /// A table or view.
    Table(TableName),
    /// A column.
    Column(TableName, String),
    /// That a column refuses NULL.
    NotNull(TableName, String),
    /// An index.
    Index(TableName, String),
    /// A constraint.
    Constraint(TableName, String),
}

impl Thing {
    /// The table that it is, or belongs to.
    pub(crate) fn table(&self) -> &TableName {
        match self {
            Self::Table(table)
            | Self::Column(table, _)
            | Self::NotNull(table, _)
            | Self::Index(table, _)
            | Self::Constraint(table, _) => table,
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Table(table) => &table.name,
            Self::Column(_, name)
            | Self::NotNull(_, name)
            | Self::Index(_, name)
            | Self::Constraint(_, name) => name,
        }
    }
}

/// How it must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wanted {
    /// There.
    There,
    /// There, and known to hold for every row.
    Valid,
    /// Not there.
    Gone,
}

/// What a done step left behind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Trace {
    /// How it must be.
    pub(crate) wanted: Wanted,
    /// The migration of the step that made it so.
    pub(crate) migration: MigrationId,
    /// In which phase.
    pub(crate) phase: Phase,
    /// What the step does, for people.
    pub(crate) title: String,
    /// The statement that made it so.
    pub(crate) sql: String,
}

/// What must be there, and what must not.
pub(crate) fn expected(
    project: &Project,
    history: &History,
    server: Server,
) -> BTreeMap<Thing, Trace> {
    let names = Names::new(server.engine, &project.config.database.schemas);
    let mut replay = Replay { server, names, catalog: Catalog::default(), traces: BTreeMap::new() };
    let all = all_syncs(project, history, server);
    for record in &history.records {
        let found = project.migrations.iter().find(|migration| migration.id == record.id);
        let Some(migration) = found else { continue };
        if let Some(base) = history.bases.get(&record.id) {
            replay.catalog = base.clone();
        }
        let others = but(&all, &migration.id);
        let empty = Catalog::default();
        let cx = PlanContext {
            server,
            schema: schema(&project.config, server.engine),
            base: history.bases.get(&migration.id).unwrap_or(&empty),
            now: None,
            others: &others,
        };
        let mut planned: BTreeMap<Phase, Vec<Step>> = BTreeMap::new();
        for done in record.steps.iter().filter(|step| step.progress == Progress::Done) {
            let of_phase = planned
                .entry(done.phase)
                .or_insert_with(|| steps(migration, done.phase, &cx).unwrap_or_default());
            if let Some(step) = of_phase.iter().find(|step| step.name == done.name) {
                replay.step(migration, done.phase, step);
            }
        }
    }
    replay.traces
}

/// What triggers keep alike for other migrations.
pub(super) fn but(all: &[Sync], own: &MigrationId) -> Vec<Sync> {
    all.iter().filter(|sync| sync.migration != *own).cloned().collect()
}

/// The statements of a step, as they are sent.
pub(super) fn sent(step: &Step) -> Vec<&str> {
    match &step.action {
        Action::Statements(group) => group.statements.iter().map(|one| one.sql.as_str()).collect(),
        Action::Alone(statement) => vec![&statement.sql],
        Action::Backfill(_) | Action::Verify(_) => Vec::new(),
    }
}

/// The schema as the done steps make it, and what each of them left.
struct Replay {
    server: Server,
    names: Names,
    catalog: Catalog,
    traces: BTreeMap<Thing, Trace>,
}

impl Replay {
    fn step(&mut self, migration: &Migration, phase: Phase, step: &Step) {
        for sql in sent(step) {
            let changes = changes(sql, self.server.engine, &self.names, &self.catalog);
            if step.origin.is_some() && changes.iter().any(is_opaque) {
                self.traces.clear();
            }
            let tables = tables(&changes, &self.catalog);
            let before = things(&self.catalog, &tables);
            self.catalog.apply(&changes, self.server.engine);
            let after = things(&self.catalog, &tables);
            let mut leave = |thing: &Thing, wanted| {
                let trace = Trace {
                    wanted,
                    migration: migration.id.clone(),
                    phase,
                    title: step.title.clone(),
                    sql: sql.to_owned(),
                };
                self.traces.insert(thing.clone(), trace);
            };
            for (thing, wanted) in &after {
                if before.get(thing) != Some(wanted) && is_named(thing, sql) {
                    leave(thing, *wanted);
                }
            }
            for thing in before.keys().filter(|thing| !after.contains_key(thing)) {
                leave(thing, Wanted::Gone);
            }
            // The server gives such an index the constraint's name.
            for (table, index) in used_up(&changes) {
                self.traces.remove(&Thing::Index(table, index));
            }
        }
    }
}

/// What a statement does, with the full names of tables.
pub(super) fn changes(sql: &str, engine: Engine, names: &Names, catalog: &Catalog) -> Vec<Located> {
    let sql = without_settings(sql);
    names.resolve(understand(sql, Span::whole(sql), engine), catalog)
}

/// MariaDB's `SET STATEMENT x = y FOR` in front of a statement.
fn without_settings(sql: &str) -> &str {
    let is_set = sql.get(..14).is_some_and(|start| start.eq_ignore_ascii_case("SET STATEMENT "));
    let rest = sql.split_once(" FOR ").map(|(_, rest)| rest).filter(|_| is_set);
    rest.unwrap_or(sql)
}

fn is_opaque(located: &Located) -> bool {
    matches!(located.change, Change::Opaque { .. })
}

fn is_named(thing: &Thing, sql: &str) -> bool {
    let by_server = matches!(thing, Thing::Index(..) | Thing::Constraint(..));
    !by_server || sql.to_ascii_lowercase().contains(&thing.name().to_ascii_lowercase())
}

/// The tables that a statement may change: all, where it names none.
fn tables(changes: &[Located], catalog: &Catalog) -> BTreeSet<TableName> {
    let mut found = BTreeSet::new();
    for located in changes {
        match &located.change {
            Change::Act(_) => found.extend(catalog.tables.keys().cloned()),
            Change::RenameTable { table, to } => found.extend([table.clone(), to.clone()]),
            Change::RenameIndex { table: None, .. } | Change::DropIndex { table: None, .. } => {
                found.extend(catalog.tables.keys().cloned());
            }
            other => found.extend(other.table().cloned()),
        }
    }
    let partitions: Vec<_> = found.iter().flat_map(|table| catalog.descendants(table)).collect();
    found.extend(partitions);
    found.retain(|table| table.schema.as_deref() != Some("pg_temp"));
    found
}

fn used_up(changes: &[Located]) -> Vec<(TableName, String)> {
    let mut found = Vec::new();
    for located in changes {
        if let Change::AddConstraint { table, constraint } = &located.change
            && let ConstraintDefKind::PrimaryKey { using_index: true }
            | ConstraintDefKind::Unique { using_index: true } = constraint.kind
        {
            found.extend(constraint.columns.iter().map(|index| (table.clone(), index.clone())));
        }
    }
    found
}

/// Everything in these tables.
pub(super) fn things(catalog: &Catalog, tables: &BTreeSet<TableName>) -> BTreeMap<Thing, Wanted> {
    let mut found = BTreeMap::new();
    for name in tables {
        if let Some(table) = catalog.tables.get(name) {
            found.insert(Thing::Table(name.clone()), Wanted::There);
            of_table(name, table, &mut found);
        }
    }
    found
}

fn of_table(name: &TableName, table: &Table, found: &mut BTreeMap<Thing, Wanted>) {
    for column in &table.columns {
        found.insert(Thing::Column(name.clone(), column.name.clone()), Wanted::There);
        if column.not_null {
            found.insert(Thing::NotNull(name.clone(), column.name.clone()), Wanted::There);
        }
    }
    for index in &table.indexes {
        found.insert(Thing::Index(name.clone(), index.name.clone()), Wanted::There);
    }
    for constraint in &table.constraints {
        let wanted = if constraint.valid { Wanted::Valid } else { Wanted::There };
        found.insert(Thing::Constraint(name.clone(), constraint.name.clone()), wanted);
    }
}
