//! `zdm status --accept ID`: somebody looked at an edited step, and says that both texts mean the same.

use super::advance::Ground;
use super::select;
use crate::database::error::DbError;
use crate::database::state::events::{NewEvent, append_event};
use crate::database::state::journal::accept_seal;
use crate::database::state::run_lock::check_run;
use crate::engine::commit::{Commit, commit_or_roll_back};
use crate::engine::failure;
use crate::engine::job::Job;
use crate::engine::open;
use crate::engine::run::Run;
use crate::error::{Error, ErrorKind};
use crate::model::name::MigrationId;
use crate::model::phase::Phase;
use crate::model::step::Seal;
use crate::plan::order::{self, Drift};

/// A new seal for a step that ran.
struct Accepted {
    phase: Phase,
    step: String,
    seal: Seal,
}

/// Records the seals that the steps of a migration have now; returns what was accepted, one line each.
pub(crate) async fn accept(job: &Job, name: &str, reason: &str) -> Result<Vec<String>, Error> {
    let migration = select::called(job, name)?;
    open::with_run(job, async |run| {
        let ground = Ground::read(run).await?;
        let mut accepted = Vec::new();
        for drift in order::drift(&job.project, &ground.history, ground.server) {
            let Drift::Edited { migration: id, phase, step, .. } = drift else { continue };
            if id != migration.id {
                continue;
            }
            let planned = ground.steps(run, migration, phase)?;
            let now = planned.into_iter().find(|planned| planned.name == step);
            let Some(now) = now else { return Err(missing(&id, phase, &step)) };
            accepted.push(Accepted { phase, step, seal: now.seal });
        }
        let written = write(run, &migration.id, &accepted, reason).await;
        written.map_err(|error| failure::working("record the new seals", error))?;
        Ok(accepted.iter().map(|one| format!("{}: {}", one.phase, one.step)).collect())
    })
    .await
}

async fn write(
    run: &mut Run<'_>,
    id: &MigrationId,
    accepted: &[Accepted],
    reason: &str,
) -> Result<(), DbError> {
    let (conn, token, actor) = (run.work.conn(), &run.token, &run.actor);
    conn.begin().await?;
    let written = async {
        check_run(conn, token).await?;
        for Accepted { phase, step, seal } in accepted {
            accept_seal(conn, id, *phase, step, seal).await?;
            let message = format!("the edit of step {step} of {phase} was accepted: {reason}");
            let (migration, kind) = (Some(id), "accepted");
            let event = NewEvent { migration, kind, message: &message, detail: None };
            append_event(conn, actor, &event).await?;
        }
        Ok(())
    }
    .await;
    commit_or_roll_back(run.work.conn(), Commit::Accepted, written).await
}

fn missing(id: &MigrationId, phase: Phase, step: &str) -> Error {
    let message = format!("step {step} of {phase} of migration {id} ran, and is no longer there");
    Error::new(ErrorKind::Drift, message)
        .hint("What ran cannot be accepted away: bring the statement back. Nothing was changed.")
}
