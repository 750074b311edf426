//! Which migrations a baseline records as done, and whether the schema looks like it.

use super::build;
use super::history::History;
use super::project::Project;
use crate::model::name::{MigrationId, TableName};
use crate::model::server::Server;
use crate::model::state::State;
use crate::sql::catalog::Catalog;
use crate::sql::change::Change;

/// Where the migrations up to a baseline stand.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Standing {
    /// Those that nobody has run: they will be recorded.
    pub(crate) pending: Vec<MigrationId>,
    /// Those that have begun and are not at their end.
    pub(crate) under_way: Vec<(MigrationId, State)>,
    /// Those that are done.
    pub(crate) done: Vec<MigrationId>,
}

/// Sorts the migrations of the folder up to and with `last`.
pub(crate) fn standing(project: &Project, history: &History, last: &MigrationId) -> Standing {
    let mut standing = Standing::default();
    for migration in project.migrations.iter().filter(|migration| migration.id <= *last) {
        let id = migration.id.clone();
        match history.state(&id) {
            State::Pending => standing.pending.push(id),
            State::Purged => standing.done.push(id),
            state => standing.under_way.push((id, state)),
        }
    }
    standing
}

/// The tables that these migrations make and leave, and that are not there, each with the migration that makes it.
pub(crate) fn missing_tables(
    project: &Project,
    migrations: &[MigrationId],
    now: &Catalog,
    server: Server,
) -> Vec<(MigrationId, TableName)> {
    let plan = build::plan(project, server, None, &History::default());
    let mut made: Vec<(MigrationId, TableName)> = Vec::new();
    for migration in plan.migrations.iter().filter(|planned| migrations.contains(&planned.id)) {
        let steps = migration.phases.iter().flat_map(|phase| &phase.steps);
        let statements = steps.flat_map(|step| &step.statements);
        for located in statements.flat_map(|statement| &statement.changes) {
            match &located.change {
                Change::CreateTable { table, temporary: false, .. } => {
                    made.push((migration.id.clone(), table.clone()));
                }
                Change::DropTable { table, .. } => made.retain(|(_, known)| known != table),
                Change::RenameTable { table, to } => {
                    for (_, known) in made.iter_mut().filter(|(_, known)| known == table) {
                        known.clone_from(to);
                    }
                }
                _ => {}
            }
        }
    }
    let same = |one: &TableName, other: &TableName| {
        // Whether case counts in names of tables depends on the server's machine.
        one == other
            || server.engine.is_mysql_family() && one.name.eq_ignore_ascii_case(&other.name)
    };
    made.retain(|(_, table)| !now.tables.keys().any(|known| same(known, table)));
    made.dedup_by(|one, other| one.1 == other.1);
    made
}
