//! `zdm status`: where things stand; and accepting an edited step.

use super::select;
use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::database::identity::ServerIdentity;
use crate::database::state::checkpoints::{Standing, checkpoints};
use crate::database::state::parked::{Parked, parked};
use crate::database::state::run_lock::{RunOwner, run_owner};
use crate::database::state::steering::steerings;
use crate::engine::failure;
use crate::engine::job::Job;
use crate::engine::open;
use crate::error::Error;
use crate::lint::migration::is_left_open;
use crate::model::journal::Progress;
use crate::model::name::MigrationId;
use crate::model::phase::Phase;
use crate::model::server::Server;
use crate::model::state::State;
use crate::plan::history::History;
use crate::plan::order;
use crate::plan::pacing::Steering;

/// Where things stand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Status {
    /// The server.
    pub(crate) server: Server,
    /// Which database.
    pub(crate) identity: ServerIdentity,
    /// Whether zdm has ever written to it.
    pub(crate) installed: bool,
    /// The run that is at work, if one is.
    pub(crate) run: Option<RunOwner>,
    /// Every migration of the folder and of the journal, in order.
    pub(crate) migrations: Vec<MigrationStatus>,
    /// Where the folder is not what has run, one line each.
    pub(crate) drift: Vec<String>,
    /// The next command to type, when there is one.
    pub(crate) next: Option<String>,
}

/// Where a migration stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct MigrationStatus {
    /// Which.
    pub(crate) id: MigrationId,
    /// For people.
    pub(crate) description: Option<String>,
    /// Its state.
    pub(crate) state: State,
    /// Since when: milliseconds since 1970 on the database's clock.
    pub(crate) since: Option<i64>,
    /// For how many days, when that is longer than a migration should be open.
    pub(crate) left_open: Option<u64>,
    /// Whether its folder is there.
    pub(crate) in_folder: bool,
    /// The steps that have begun.
    pub(crate) steps: Vec<StepStatus>,
    /// Its backfills.
    pub(crate) backfills: Vec<BackfillStatus>,
    /// What somebody has asked of them.
    pub(crate) steering: Steering,
}

/// How far a step is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct StepStatus {
    /// In which phase.
    pub(crate) phase: Phase,
    /// Its name.
    pub(crate) name: String,
    /// What it does.
    pub(crate) title: String,
    /// How far it is.
    pub(crate) progress: Progress,
}

/// How far a backfill is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct BackfillStatus {
    /// The name of its step.
    pub(crate) step: String,
    /// Rows that it has visited.
    pub(crate) rows_done: u64,
    /// Rows that it is likely to visit in all.
    pub(crate) rows_estimate: Option<u64>,
    /// Whether every row has been visited.
    pub(crate) done: bool,
    /// Why no batch runs, when one could.
    pub(crate) waits_for: Option<String>,
    /// How many rows could not be filled.
    pub(crate) parked: u64,
}

/// Reads where things stand at a time, in milliseconds since 1970. Changes nothing, and needs no run lock.
pub(crate) async fn status(job: &Job, now: i64) -> Result<Status, Error> {
    let (mut conn, installed) = open::to_read(job).await?;
    let failed = |error| failure::working("read the state", error);
    let identity = conn.identity().await.map_err(failed)?;
    let (mut history, mut run, mut filling) = (History::default(), None, Filling::default());
    if installed {
        history = History { now: Some(now), ..open::history(&mut conn).await? };
        run = run_owner(&mut conn).await.map_err(failed)?.filter(|owner| !owner.expired);
        filling = Filling::read(&mut conn).await.map_err(failed)?;
    }
    let server = conn.server();
    Connection::close(conn).await;
    let migrations = migrations(job, &history, &filling);
    let drift = order::drift(&job.project, &history, server);
    let drift: Vec<String> = drift.iter().map(ToString::to_string).collect();
    // Nothing runs before the folder is again what has run.
    let next = if drift.is_empty() { select::next_command(job, &history) } else { None };
    Ok(Status { server, identity, installed, run, migrations, drift, next })
}

fn migrations(job: &Job, history: &History, filling: &Filling) -> Vec<MigrationStatus> {
    let folder = &job.project.migrations;
    let mut ids: Vec<_> = folder.iter().map(|migration| migration.id.clone()).collect();
    ids.extend(history.records.iter().map(|record| record.id.clone()));
    ids.sort();
    ids.dedup();
    let status = |id: MigrationId| {
        let migration = folder.iter().find(|migration| migration.id == id);
        let record = history.record(&id);
        let steps = record.iter().flat_map(|record| &record.steps).map(|step| StepStatus {
            phase: step.phase,
            name: step.name.clone(),
            title: step.title.clone(),
            progress: step.progress,
        });
        let own = filling.standings.iter().filter(|one| one.migration == id.as_str());
        let mut steerings = filling.steerings.iter();
        let steering = steerings.find(|(migration, _)| migration == id.as_str());
        let limit = job.project.config.lint.open_for;
        let open = history.open_for(&id);
        let open = open.filter(|open| is_left_open(history.state(&id), *open, limit));
        MigrationStatus {
            left_open: open.map(|open| open.as_secs() / (24 * 60 * 60)),
            description: migration.and_then(|migration| migration.description.clone()),
            state: history.state(&id),
            since: record.map(|record| record.since),
            in_folder: migration.is_some(),
            steps: steps.collect(),
            backfills: own.map(|one| filling.backfill(one)).collect(),
            steering: steering.map(|(_, steering)| steering.clone()).unwrap_or_default(),
            id,
        }
    };
    ids.into_iter().map(status).collect()
}

/// What the state holds of backfills.
#[derive(Default)]
struct Filling {
    standings: Vec<Standing>,
    steerings: Vec<(String, Steering)>,
    parked: Vec<Parked>,
}

impl Filling {
    async fn read(conn: &mut Connection) -> Result<Self, DbError> {
        Ok(Self {
            standings: checkpoints(conn).await?,
            steerings: steerings(conn).await?,
            parked: parked(conn).await?,
        })
    }

    fn backfill(&self, one: &Standing) -> BackfillStatus {
        let is_own = |row: &&Parked| row.migration == one.migration && row.step == one.step;
        BackfillStatus {
            step: one.step.clone(),
            rows_done: one.checkpoint.rows_done,
            rows_estimate: one.checkpoint.rows_estimate,
            done: one.checkpoint.done,
            waits_for: one.waits_for.clone(),
            parked: self.parked.iter().filter(is_own).count() as u64,
        }
    }
}
