//! `zdm migrate`: fills, verifies and constrains the new structure.

use super::{advance, select};
use crate::engine::job::Job;
use crate::engine::open;
use crate::engine::outcome::Outcome;
use crate::engine::overrides;
use crate::error::Error;
use crate::model::phase::Phase;

/// Takes every expanded migration to migrated.
pub(crate) async fn migrate(job: &Job) -> Result<Outcome, Error> {
    overrides::check(job)?;
    let mut outcome = Outcome::default();
    open::with_run(job, async |run| {
        outcome.begin();
        let ground = advance::Ground::read(run).await?;
        for migration in select::chosen(job, &ground, Phase::Migrate, &mut outcome)? {
            advance::advance(run, migration, Phase::Migrate, &mut outcome).await?;
        }
        advance::pass_left(run, Phase::Migrate, &mut outcome).await?;
        advance::finish(run, &mut outcome).await?;
        Ok(outcome.clone())
    })
    .await
}
