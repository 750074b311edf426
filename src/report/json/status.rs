//! Where things stand, for programs.

use schemars::JsonSchema;
use serde::Serialize;

use super::FORMAT;
use super::plan::{ServerWords, server};
use crate::engine::commands;
use crate::model::journal::Progress;
use crate::report::human::time::instant;

/// What `status --format json` writes.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Status {
    /// Always 1.
    format: u32,
    /// The command's name.
    command: String,
    /// The server.
    server: ServerWords,
    /// The name of the database.
    database: String,
    /// Whether zdm has ever written to it.
    installed: bool,
    /// The run that is at work, if one is.
    run: Option<Run>,
    /// Every migration of the folder and of the journal, in order.
    migrations: Vec<Migration>,
    /// Where the folder is not what has run, one line each.
    drift: Vec<String>,
    /// The next command to type.
    next: Option<String>,
}

/// A run that is at work.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Run {
    /// Who.
    owner: String,
    /// On which host.
    host: String,
    /// What was typed.
    command: String,
    /// Since when.
    since: String,
}

/// Where a migration stands.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Migration {
    /// Its name.
    id: String,
    /// For people.
    description: Option<String>,
    /// Its state.
    state: String,
    /// Since when.
    since: Option<String>,
    /// For how many days, when that is longer than `[lint] open_for`.
    left_open: Option<u64>,
    /// Whether its folder is there.
    in_folder: bool,
    /// The steps that have begun.
    steps: Vec<Step>,
    /// Its backfills.
    backfills: Vec<Backfill>,
    /// Who has paused them, if somebody has.
    paused_by: Option<String>,
}

/// A step that has begun.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    /// In which phase.
    phase: String,
    /// Its name.
    name: String,
    /// What it does.
    title: String,
    /// Whether it is done.
    done: bool,
}

/// How far a backfill is.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Backfill {
    /// The name of its step.
    step: String,
    /// Rows that it has visited.
    rows_done: u64,
    /// Rows that it is likely to visit in all.
    rows_estimate: Option<u64>,
    /// Whether every row has been visited.
    done: bool,
    /// Why no batch runs, when one could.
    waits_for: Option<String>,
    /// How many rows could not be filled.
    parked: u64,
}

/// Where things stand.
pub(crate) fn status(status: &commands::Status) -> Status {
    let run = |run: &crate::database::state::run_lock::RunOwner| Run {
        owner: run.owner.clone(),
        host: run.host.clone(),
        command: run.command.clone(),
        since: instant(run.since),
    };
    Status {
        format: FORMAT,
        command: "status".to_owned(),
        server: server(status.server),
        database: status.identity.database.clone(),
        installed: status.installed,
        run: status.run.as_ref().map(run),
        migrations: status.migrations.iter().map(migration).collect(),
        drift: status.drift.clone(),
        next: status.next.clone(),
    }
}

fn migration(migration: &commands::MigrationStatus) -> Migration {
    let step = |step: &commands::StepStatus| Step {
        phase: step.phase.to_string(),
        name: step.name.clone(),
        title: step.title.clone(),
        done: step.progress == Progress::Done,
    };
    let backfill = |backfill: &commands::BackfillStatus| Backfill {
        step: backfill.step.clone(),
        rows_done: backfill.rows_done,
        rows_estimate: backfill.rows_estimate,
        done: backfill.done,
        waits_for: backfill.waits_for.clone(),
        parked: backfill.parked,
    };
    Migration {
        id: migration.id.to_string(),
        description: migration.description.clone(),
        state: migration.state.to_string(),
        since: migration.since.map(instant),
        left_open: migration.left_open,
        in_folder: migration.in_folder,
        steps: migration.steps.iter().map(step).collect(),
        backfills: migration.backfills.iter().map(backfill).collect(),
        paused_by: migration.steering.paused_by.clone(),
    }
}
