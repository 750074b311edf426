//! The triggers that keep columns alike: those that must be there against those that are.

use std::collections::{BTreeMap, BTreeSet};

use super::finding::{Finding, Kind, Remedy};
use crate::model::name::TableName;
use crate::model::server::{Engine, Server};
use crate::model::state::State;
use crate::operation::Sync;
use crate::operation::sync::{self, Body};
use crate::plan::history::History;
use crate::plan::project::Project;
use crate::plan::steps::{all_syncs, schema};
use crate::sql::catalog::Catalog;
use crate::sql::quote;

/// A trigger of zdm's, as it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct FoundTrigger {
    /// Its table.
    pub(crate) table: TableName,
    /// Its name.
    pub(crate) name: String,
    /// Whether it fires.
    pub(crate) enabled: bool,
    /// What it does.
    pub(crate) body: String,
}

/// The triggers that must be there: each table with what they keep alike. Tables that a phase is in the middle of are
/// left out: there is no one answer for them.
pub(crate) fn wanted(
    project: &Project,
    history: &History,
    server: Server,
) -> BTreeMap<TableName, Vec<Sync>> {
    let mut tables: BTreeMap<TableName, Vec<Sync>> = BTreeMap::new();
    for sync in all_syncs(project, history, server) {
        tables.entry(sync.table.clone()).or_default().push(sync);
    }
    let changing = changing(project, history, server);
    tables.retain(|table, _| !changing.contains(table));
    tables
}

/// The tables whose triggers are being changed.
fn changing(project: &Project, history: &History, server: Server) -> BTreeSet<TableName> {
    let schema = schema(&project.config, server.engine);
    let open = project.migrations.iter().filter(|migration| {
        matches!(
            history.state(&migration.id),
            State::Expanding
                | State::Contracting
                | State::Purging
                | State::RollingBack
                | State::Revealing
        )
    });
    let tables = open.flat_map(|migration| &migration.operations);
    tables.flat_map(|operation| operation.tables()).map(|table| table.or_in(schema)).collect()
}

/// What is wrong with them.
pub(crate) fn findings(
    project: &Project,
    history: &History,
    (server, now): (Server, &Catalog),
    found: &[FoundTrigger],
) -> Vec<Finding> {
    let wanted = wanted(project, history, server);
    let changing = changing(project, history, server);
    let schema = schema(&project.config, server.engine);
    let mut findings = Vec::new();
    for (table, syncs) in wanted.iter().filter(|(table, _)| now.tables.contains_key(table)) {
        for body in sync::bodies(server, table, syncs) {
            let own = found.iter().find(|one| one.table == *table && one.name == body.name);
            if let Some(wrong) = wrong(own, &body) {
                findings.push(harmful(table, syncs, (&body.name, wrong), (server, schema)));
            }
        }
    }
    for one in found {
        if !wanted.contains_key(&one.table) && !changing.contains(&one.table) {
            findings.push(left_over(one, (server, schema)));
        }
    }
    findings
}

fn wrong(own: Option<&FoundTrigger>, body: &Body) -> Option<&'static str> {
    match own {
        None => Some("is not there"),
        Some(own) if !own.enabled => Some("is switched off"),
        Some(own) if !same(&own.body, &body.text) => Some("is not the one that this zdm makes"),
        Some(_) => None,
    }
}

/// Servers keep the text, but not all its white space.
fn same(one: &str, other: &str) -> bool {
    one.split_whitespace().eq(other.split_whitespace())
}

fn harmful(
    table: &TableName,
    syncs: &[Sync],
    (name, wrong): (&str, &str),
    (server, schema): (Server, Option<&str>),
) -> Finding {
    let shown = table.shown(schema);
    let columns: Vec<_> =
        syncs.iter().map(|sync| format!("\"{}\" and \"{}\"", sync.old, sync.new)).collect();
    let message = format!(
        "trigger \"{name}\" of table \"{shown}\" {wrong}: writes no longer keep {} alike",
        columns.join(", ")
    );
    let way_out = "zdm doctor --apply triggers makes it again. Rows that were written meanwhile differ: zdm verify shows \
                   them, and they must be made alike before contract.";
    let remedy =
        Remedy::Triggers { table: table.clone(), statements: making(table, syncs, server) };
    let finding = Finding::new(Kind::Trigger, message, way_out).with(remedy);
    match syncs.first() {
        Some(sync) => finding.of(&sync.migration),
        None => finding,
    }
}

fn left_over(one: &FoundTrigger, (server, schema): (Server, Option<&str>)) -> Finding {
    let FoundTrigger { table, name, .. } = one;
    let shown = table.shown(schema);
    let message = format!(
        "trigger \"{name}\" of table \"{shown}\" is there, though no open migration needs it"
    );
    let way_out = "A backup was restored in part, or the journal is another one's: it may make writes fail, or overwrite \
                   values. If the journal is right, zdm doctor --apply triggers drops it.";
    let remedy = Remedy::Triggers { table: table.clone(), statements: making(table, &[], server) };
    Finding::new(Kind::Trigger, message, way_out).with(remedy)
}

/// The statements after which the triggers are as they must be.
fn making(table: &TableName, syncs: &[Sync], server: Server) -> Vec<String> {
    let statements = sync::triggers(server, table, syncs);
    let mut statements: Vec<_> = statements.into_iter().map(|one| one.sql).collect();
    if server.engine == Engine::Postgres && !syncs.is_empty() {
        let names = sync::trigger_names(server.engine, table);
        let quoted = quote::table(server.engine, table);
        statements.extend(names.iter().map(|name| {
            format!("ALTER TABLE {quoted} ENABLE TRIGGER {}", quote::ident(server.engine, name))
        }));
    }
    statements
}
