//! `zdm purge`: drops what contract has hidden. The point of no return.

use std::time::Duration;

use super::{advance, select};
use crate::database::state;
use crate::engine::failure;
use crate::engine::job::Job;
use crate::engine::open;
use crate::engine::outcome::Outcome;
use crate::engine::overrides;
use crate::engine::run::Run;
use crate::error::{Error, ErrorKind};
use crate::model::phase::Phase;
use crate::model::state::State;
use crate::plan::history::History;
use crate::plan::migration::Migration;

/// Time between hide and purge, when the migration says nothing.
const KEEP_FOR: Duration = Duration::from_hours(7 * 24);

/// Takes every hidden migration that has been kept for long enough to purged.
pub(crate) async fn purge(job: &Job) -> Result<Outcome, Error> {
    overrides::check(job)?;
    let mut outcome = Outcome::default();
    open::with_run(job, async |run| {
        outcome.begin();
        let ground = advance::Ground::read(run).await?;
        let chosen = select::chosen(job, &ground, Phase::Purge, &mut outcome)?;
        for migration in &chosen {
            if let Some(left) = kept_for(run, &ground.history, migration).await? {
                return Err(too_young(migration, left));
            }
        }
        for migration in chosen {
            overrides::record(run.work.conn(), job, overrides::KEEP_FOR, &migration.id).await?;
            advance::advance(run, migration, Phase::Purge, &mut outcome).await?;
        }
        advance::finish(run, &mut outcome).await?;
        Ok(outcome.clone())
    })
    .await
}

/// How much longer what a migration has hidden is to be kept; none: it may go.
pub(crate) async fn kept_for(
    run: &mut Run<'_>,
    history: &History,
    migration: &Migration,
) -> Result<Option<Duration>, Error> {
    let Some(record) = history.record(&migration.id) else { return Ok(None) };
    if record.state == State::Purging || overrides::has(run.job, overrides::KEEP_FOR) {
        return Ok(None);
    }
    let now = state::now(run.work.conn()).await;
    let now = now.map_err(|error| failure::working("ask for the time", error))?;
    let kept = Duration::from_millis(now.saturating_sub(record.since).try_into().unwrap_or(0));
    let keep = migration.contract.keep_for.unwrap_or(KEEP_FOR);
    Ok(keep.checked_sub(kept).filter(|left| !left.is_zero()))
}

fn too_young(migration: &Migration, left: Duration) -> Error {
    let left = Duration::from_secs(left.as_secs().max(1));
    let message = format!(
        "migration {} is kept for another {}",
        migration.id,
        humantime::format_duration(left)
    );
    let mut error = Error::new(ErrorKind::Blocked, message).hint(
        "Until then zdm rollback brings the old structure back. To drop it now: --override keep_for --reason \"...\". Nothing was changed.",
    );
    error.retry_after = Some(left);
    error
}
