//! Indexes that do not work, and things that have the names which steps are about to give.

use std::collections::{BTreeMap, BTreeSet};

use super::finding::{Finding, Kind, Remedy};
use super::traces::{Thing, Wanted, changes, sent, things};
use crate::model::journal::Progress;
use crate::model::name::{MigrationId, TableName};
use crate::model::phase::Phase;
use crate::model::server::Server;
use crate::model::state::State;
use crate::model::step::{Action, Probe, Step};
use crate::plan::history::History;
use crate::plan::migration::Migration;
use crate::plan::project::Project;
use crate::plan::steps::{PlanContext, open_syncs, schema, steps};
use crate::sql::catalog::Catalog;
use crate::sql::quote;
use crate::sql::replay::Names;

/// An index that the server does not use: a build that failed, or goes on (PostgreSQL).
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct InvalidIndex {
    /// Its table.
    pub(crate) table: TableName,
    /// Its name.
    pub(crate) index: String,
    /// Whether somebody is building it now.
    pub(crate) in_the_making: bool,
}

/// What stands against the steps of migrations that are not done.
pub(crate) struct Scene<'a> {
    /// The migrations.
    pub(crate) project: &'a Project,
    /// What has run.
    pub(crate) history: &'a History,
    /// The server.
    pub(crate) server: Server,
    /// The tables as they are.
    pub(crate) now: &'a Catalog,
}

impl Scene<'_> {
    /// What each index that does not work means.
    pub(crate) fn invalid(&self, found: &[InvalidIndex]) -> Vec<Finding> {
        let begun = self.begun();
        let schema = schema(&self.project.config, self.server.engine);
        let told = found.iter().filter(|one| !one.in_the_making).map(|one| {
            let InvalidIndex { table, index, .. } = one;
            let ours = begun.get(&(table.clone(), index.clone()));
            invalid(table, index, ours.copied(), (self.server, schema))
        });
        told.collect()
    }

    /// The indexes whose step has begun and is not done.
    fn begun(&self) -> BTreeMap<(TableName, String), &MigrationId> {
        let mut found = BTreeMap::new();
        for migration in &self.project.migrations {
            let Some(record) = self.history.record(&migration.id) else { continue };
            let open = record.steps.iter().filter(|step| step.progress == Progress::Begun);
            for begun in open {
                let planned = self.steps(migration, begun.phase, None);
                let step = planned.iter().find(|step| step.name == begun.name);
                found.extend(step.and_then(built).map(|index| (index, &migration.id)));
            }
        }
        found
    }

    fn steps(&self, migration: &Migration, phase: Phase, now: Option<&Catalog>) -> Vec<Step> {
        let others = open_syncs(self.project, self.history, &migration.id, self.server);
        let cx = PlanContext {
            server: self.server,
            schema: schema(&self.project.config, self.server.engine),
            base: self.history.bases.get(&migration.id).or(now).unwrap_or(self.now),
            now: Some(self.now),
            others: &others,
        };
        steps(migration, phase, &cx).unwrap_or_default()
    }

    /// What has the name that a step of expand or migrate, which has not begun, is about to give.
    pub(crate) fn in_the_way(&self, invalid: &[InvalidIndex]) -> Vec<Finding> {
        let mut catalog = self.now.clone();
        let mut findings = Vec::new();
        for migration in &self.project.migrations {
            for phase in left(self.history.state(&migration.id)) {
                for step in self.steps(migration, *phase, Some(&catalog.clone())) {
                    let met = self.meets((migration, *phase, &step), &mut catalog, invalid);
                    findings.extend(met);
                }
            }
        }
        findings
    }

    /// What a step that is not done would meet; then it is carried out.
    fn meets(
        &self,
        (migration, phase, step): (&Migration, Phase, &Step),
        catalog: &mut Catalog,
        invalid: &[InvalidIndex],
    ) -> Vec<Finding> {
        let ran = self.history.step(&migration.id, phase, &step.name);
        if ran.is_some_and(|ran| ran.progress == Progress::Done) {
            return Vec::new();
        }
        let engine = self.server.engine;
        let names = Names::new(engine, &self.project.config.database.schemas);
        let schema = schema(&self.project.config, engine);
        let mut findings = Vec::new();
        for sql in sent(step) {
            let there = made(step, sql).filter(|thing| is_there(thing, catalog, invalid));
            // What has begun may have made it itself.
            if let (Some(thing), None) = (there, ran) {
                findings.push(in_the_way(&thing, migration, step, (self.server, schema)));
            }
            let changes = changes(sql, engine, &names, catalog);
            catalog.apply(&changes, engine);
        }
        findings
    }
}

/// The index that a step builds by itself.
fn built(step: &Step) -> Option<(TableName, String)> {
    let Action::Alone(statement) = &step.action else { return None };
    match &statement.done {
        Probe::Index { table, index, present: true } => Some((table.clone(), index.clone())),
        _ => None,
    }
}

/// The phases in front of a migration in which names are given.
fn left(state: State) -> &'static [Phase] {
    match state {
        State::Pending | State::Expanding => &[Phase::Expand, Phase::Migrate],
        State::Expanded | State::Migrating => &[Phase::Migrate],
        State::Migrated
        | State::Contracting
        | State::Hidden
        | State::Purging
        | State::Purged
        | State::RollingBack
        | State::Revealing => &[],
    }
}

/// What a statement makes under a name of its own.
fn made(step: &Step, sql: &str) -> Option<Thing> {
    let probe = match &step.action {
        Action::Statements(group) => {
            group.statements.iter().find(|one| one.sql == sql).map(|one| &one.done)
        }
        Action::Alone(statement) => Some(&statement.done),
        Action::Backfill(_) | Action::Verify(_) => None,
    }?;
    match probe {
        Probe::Table { table, present: true } => Some(Thing::Table(table.clone())),
        Probe::Column { table, column, present: true } => {
            Some(Thing::Column(table.clone(), column.clone()))
        }
        Probe::Index { table, index, present: true } => {
            Some(Thing::Index(table.clone(), index.clone()))
        }
        Probe::Constraint { table, constraint, present: true } => {
            Some(Thing::Constraint(table.clone(), constraint.clone()))
        }
        Probe::Repeatable
        | Probe::Table { .. }
        | Probe::Column { .. }
        | Probe::Index { .. }
        | Probe::Constraint { .. }
        | Probe::NotNull { .. }
        | Probe::Undecidable => None,
    }
}

fn is_there(thing: &Thing, catalog: &Catalog, invalid: &[InvalidIndex]) -> bool {
    let tables = BTreeSet::from([thing.table().clone()]);
    let there: BTreeMap<Thing, Wanted> = things(catalog, &tables);
    let is_invalid = |one: &InvalidIndex| matches!(thing, Thing::Index(table, index) if one.table == *table && one.index == *index);
    there.contains_key(thing) || invalid.iter().any(is_invalid)
}

fn in_the_way(
    thing: &Thing,
    migration: &Migration,
    step: &Step,
    (server, schema): (Server, Option<&str>),
) -> Finding {
    let id = &migration.id;
    let table = thing.table().shown(schema);
    let (what, away) = match thing {
        Thing::Table(_) => (format!("table \"{table}\""), None),
        Thing::Column(_, name) => (format!("column \"{name}\" of table \"{table}\""), None),
        Thing::NotNull(_, name) => (format!("NOT NULL of column \"{name}\" of \"{table}\""), None),
        Thing::Index(owner, name) => {
            let away = dropping(owner, name, server);
            (format!("index \"{name}\" of table \"{table}\""), Some(away))
        }
        Thing::Constraint(_, name) => (format!("constraint \"{name}\" of table \"{table}\""), None),
    };
    let message = format!(
        "{what} is there already, and zdm has not made it: {id} will fail ({})",
        step.title
    );
    let drop = away.map(|sql| format!("drop it ({sql}), or ")).unwrap_or_default();
    let way_out = format!(
        "Look whether it is what the migration wants. If so: {drop}write IF NOT EXISTS into the migration, where it has SQL \
         files; or, if all that {id} does is there already, record it: zdm baseline {id} --reason \"...\". If not: rename it."
    );
    Finding::new(Kind::InTheWay, message, way_out).of(id)
}

fn invalid(
    table: &TableName,
    index: &str,
    ours: Option<&MigrationId>,
    (server, schema): (Server, Option<&str>),
) -> Finding {
    let shown = table.shown(schema);
    let message = format!(
        "index \"{index}\" of table \"{shown}\" is not valid: it slows down writes and serves no query"
    );
    if let Some(id) = ours {
        let way_out = format!(
            "A build of {id} was interrupted. Giving its command again drops it and builds it anew; to be rid of it now: zdm \
             doctor --apply indexes."
        );
        let remedy = Remedy::Index { table: table.clone(), index: index.to_owned() };
        return Finding::new(Kind::InvalidIndex, message, way_out).of(id).with(remedy);
    }
    let name = TableName { schema: table.schema.clone(), name: index.to_owned() };
    let way_out = format!(
        "No open step of zdm has left it. Build it again (REINDEX INDEX CONCURRENTLY {}), or drop it ({}).",
        quote::table(server.engine, &name),
        dropping(table, index, server)
    );
    Finding::new(Kind::InvalidIndex, message, way_out)
}

/// The statement that drops an index while others work.
pub(crate) fn dropping(table: &TableName, index: &str, server: Server) -> String {
    let engine = server.engine;
    if engine.is_mysql_family() {
        let (table, index) = (quote::table(engine, table), quote::ident(engine, index));
        return format!("DROP INDEX {index} ON {table}");
    }
    let name = TableName { schema: table.schema.clone(), name: index.to_owned() };
    format!("DROP INDEX CONCURRENTLY IF EXISTS {}", quote::table(engine, &name))
}
