//! `zdm expand`: adds the new structure; the rules look at it first.

use super::{advance, select};
use crate::engine::job::Job;
use crate::engine::open;
use crate::engine::outcome::Outcome;
use crate::engine::overrides;
use crate::error::Error;
use crate::model::phase::Phase;
use crate::plan::steps;

/// Takes every pending migration to expanded.
pub(crate) async fn expand(job: &Job) -> Result<Outcome, Error> {
    overrides::check(job)?;
    open::with_run(job, async |run| {
        let ground = advance::Ground::read(run).await?;
        let mut outcome = Outcome::default();
        let chosen = select::chosen(job, &ground, Phase::Expand, &mut outcome)?;
        for migration in chosen {
            // Each is judged on the tables as the one before it has left them.
            let ground = advance::Ground::read(run).await?;
            let refusals = ground.asked(run, migration, |cx| steps::refusals(migration, cx));
            if !refusals.is_empty() {
                return Err(advance::refused(migration, refusals));
            }
            outcome.notes.extend(ground.asked(run, migration, |cx| steps::notes(migration, cx)));
            advance::advance(run, migration, Phase::Expand, &mut outcome).await?;
        }
        advance::finish(run, &mut outcome).await?;
        Ok(outcome)
    })
    .await
}
