//! `zdm contract`: takes the old structure out of sight, behind the gate.

use super::{advance, purge, select};
use crate::engine::job::Job;
use crate::engine::open;
use crate::engine::outcome::Outcome;
use crate::error::Error;
use crate::model::phase::Phase;
use crate::model::state::State;
use crate::plan::steps;

/// Takes every migrated migration to hidden; a refused one holds back later ones on the same tables alone.
pub(crate) async fn contract(job: &Job) -> Result<Outcome, Error> {
    open::with_run(job, async |run| {
        let ground = advance::Ground::read(run).await?;
        let mut outcome = Outcome::default();
        for migration in select::for_phase(job, &ground.history, Phase::Contract)? {
            let ground = advance::Ground::read(run).await?;
            let refusals =
                ground.asked(run, migration, |cx| steps::contract_refusals(migration, cx));
            if !refusals.is_empty() {
                return Err(advance::refused(migration, refusals));
            }
            advance::advance(run, migration, Phase::Contract, &mut outcome).await?;
        }
        for migration in job.project.migrations.iter().filter(|m| m.contract.purge_auto) {
            let history = open::history(run.work.conn()).await?;
            let is_hidden = history.state(&migration.id) == State::Hidden;
            if is_hidden && purge::kept_for(run, &history, migration).await?.is_none() {
                advance::advance(run, migration, Phase::Purge, &mut outcome).await?;
            }
        }
        advance::finish(run, &mut outcome).await?;
        Ok(outcome)
    })
    .await
}
