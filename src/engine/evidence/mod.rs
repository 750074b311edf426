//! Evidence: fetches what the gate's verdicts are made from. No verdicts here.
//!
//! To add a source: a file here that fills its part of [`Facts`] (or of [`SlowFacts`], when it takes longer than a query or
//! two), a line in [`QUICK`] or [`SLOW`], and a verdict in `plan::gate`.

mod checks;
mod connections;
mod dependents;
mod elsewhere;
mod leases;
mod replaced;
mod roles;
mod sessions;
pub(super) mod verification;

use async_trait::async_trait;

use super::job::Job;
use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::error::Error;
use crate::plan::gate::{Facts, Question, SlowFacts};
use crate::plan::migration::Migration;

/// A source that is asked again and again while a gate waits, and behind its locks.
#[async_trait]
trait Evidence: Sync {
    /// Fetches what it can see. An error means that it could not look, which refuses the gate.
    async fn fetch(
        &self,
        conn: &mut Connection,
        question: &Question,
        facts: &mut Facts,
    ) -> Result<(), DbError>;
}

/// A source that is asked before the fence, and once more after the wait.
#[async_trait]
trait SlowEvidence: Sync {
    /// Fetches what it can see. What it could not see, it writes down.
    async fn fetch(
        &self,
        conn: &mut Connection,
        looking: Looking<'_>,
        facts: &mut SlowFacts,
    ) -> Result<(), Error>;
}

/// On whose behalf is looked.
#[derive(Clone, Copy)]
pub(super) struct Looking<'a> {
    pub(super) job: &'a Job,
    pub(super) migration: &'a Migration,
    pub(super) question: &'a Question,
}

/// The sources that are quick.
const QUICK: &[&dyn Evidence] =
    &[&sessions::OnServer, &connections::Connections, &roles::Roles, &leases::Leases];

/// The sources that are not.
const SLOW: &[&dyn SlowEvidence] =
    &[&elsewhere::Elsewhere, &dependents::InCatalog, &checks::Commands, &replaced::Replaced];

/// What every source sees now, with what the slow ones saw before.
pub(crate) async fn gather(
    conn: &mut Connection,
    question: &Question,
    slow: &SlowFacts,
) -> Result<Facts, DbError> {
    let mut facts = Facts { slow: slow.clone(), ..Facts::default() };
    for source in QUICK {
        source.fetch(conn, question, &mut facts).await?;
    }
    Ok(facts)
}

/// What the slow sources see now.
pub(super) async fn gather_slow(
    conn: &mut Connection,
    looking: Looking<'_>,
) -> Result<SlowFacts, Error> {
    let mut facts = SlowFacts::default();
    for source in SLOW {
        source.fetch(conn, looking, &mut facts).await?;
    }
    Ok(facts)
}
