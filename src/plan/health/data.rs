//! What the rows must be like, as the journal says, and what it means when they are not.

use super::finding::{Finding, Kind};
use super::triggers;
use crate::model::journal::Progress;
use crate::model::name::{MigrationId, TableName};
use crate::model::phase::Phase;
use crate::model::server::Server;
use crate::model::state::State;
use crate::model::step::Action;
use crate::operation::sync::differs;
use crate::operation::{Sync, SyncMode};
use crate::plan::history::History;
use crate::plan::project::Project;
use crate::plan::steps::{PlanContext, open_syncs, schema, steps};
use crate::sql::catalog::Catalog;
use crate::sql::quote::{ident, table as quoted};

/// Rows that must not exist.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Check {
    /// The migration that says so.
    pub(crate) migration: MigrationId,
    /// What is looked at, for people.
    pub(crate) title: String,
    /// The table.
    pub(crate) table: TableName,
    /// A condition that no row may meet.
    pub(crate) wrong: String,
    /// What to do about rows that meet it.
    pub(crate) way_out: String,
}

/// Everything that can be asked of the rows. What a migration has finished for good is the application's to change.
pub(crate) fn checks(project: &Project, history: &History, server: Server) -> Vec<Check> {
    let mut checks = Vec::new();
    for migration in &project.migrations {
        let state = history.state(&migration.id);
        if !matches!(state, State::Migrating | State::Migrated | State::Contracting) {
            continue;
        }
        let others = open_syncs(project, history, &migration.id, server);
        let empty = Catalog::default();
        let cx = PlanContext {
            server,
            schema: schema(&project.config, server.engine),
            base: history.bases.get(&migration.id).unwrap_or(&empty),
            now: None,
            others: &others,
        };
        for step in steps(migration, Phase::Migrate, &cx).unwrap_or_default() {
            let ran = history.step(&migration.id, Phase::Migrate, &step.name);
            let is_done = ran.is_some_and(|ran| ran.progress == Progress::Done);
            if let (Action::Verify(verify), true) = (&step.action, is_done) {
                checks.push(Check {
                    migration: migration.id.clone(),
                    title: step.title.clone(),
                    table: verify.table.clone(),
                    wrong: verify.wrong.clone(),
                    way_out: filled(&verify.table, &verify.wrong, server),
                });
            }
        }
    }
    let syncs = triggers::wanted(project, history, server).into_values().flatten();
    let hidden = syncs.filter(|sync| sync.mode == SyncMode::Feed);
    checks.extend(hidden.map(|sync| fed(&sync, schema(&project.config, server.engine), server)));
    checks
}

fn filled(table: &TableName, wrong: &str, server: Server) -> String {
    format!(
        "Somebody wrote past the triggers (they were dropped or switched off, or rows came by replication or a restore), or \
         undid what a backfill had done. See them: SELECT * FROM {} WHERE {wrong}. Decide which side is right, and update \
         that side: a trigger carries it over. contract stays refused until no row is left.",
        quoted(server.engine, table)
    )
}

/// The hidden column must be what the new one is, or a rollback would lose writes.
fn fed(sync: &Sync, schema: Option<&str>, server: Server) -> Check {
    let engine = server.engine;
    let (old, new) = (ident(engine, &sync.old), ident(engine, &sync.new));
    let wrong = differs(engine, sync.image, &old, &new);
    let table = quoted(engine, &sync.table);
    Check {
        migration: sync.migration.clone(),
        title: format!("{}.{} is what {} is", sync.table.shown(schema), sync.old, sync.new),
        table: sync.table.clone(),
        way_out: format!(
            "A rollback of {} would bring back old values. Make them alike: UPDATE {table} SET {old} = {new} WHERE {wrong}",
            sync.migration
        ),
        wrong,
    }
}

/// What came out of a check.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Counted {
    /// Which.
    pub(crate) check: Check,
    /// Rows that were looked at.
    pub(crate) rows: u64,
    /// Rows that were wrong.
    pub(crate) wrong: u64,
    /// A few of their keys, for people.
    pub(crate) examples: Vec<String>,
    /// Why not every row was looked at, when that is so.
    pub(crate) cut_short: Option<String>,
    /// The last key that there was when it began: rows behind it came later.
    pub(crate) last: Option<Vec<String>>,
}

/// What wrong rows mean.
pub(crate) fn finding(counted: &Counted, schema: Option<&str>) -> Option<Finding> {
    let Check { migration, way_out, .. } = &counted.check;
    let message = wrong(counted, schema)?;
    Some(Finding::new(Kind::Data, message, way_out.clone()).of(migration))
}

/// How many rows are wrong, and the keys of a few; none: none is.
pub(crate) fn wrong(counted: &Counted, schema: Option<&str>) -> Option<String> {
    if counted.wrong == 0 {
        return None;
    }
    let Check { title, table, .. } = &counted.check;
    let rows = if counted.wrong == 1 {
        "one row is".to_owned()
    } else {
        format!("{} rows are", counted.wrong)
    };
    let examples = counted.examples.join("; ");
    Some(format!("{rows} wrong in table \"{}\" ({title}): {examples}", table.shown(schema)))
}
