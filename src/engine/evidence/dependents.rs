//! What uses the old structure inside the database.

use async_trait::async_trait;

use super::{Looking, SlowEvidence};
use crate::database::connection::Connection;
use crate::engine::{failure, open};
use crate::error::Error;
use crate::model::phase::Phase;
use crate::plan::gate::dependents::{Dependents, find, is_changed_by, taken};
use crate::plan::gate::{GateKind, SlowFacts};
use crate::plan::steps::{self, PlanContext};
use crate::sql::catalog::Catalog;

/// Asks the catalog about what the contract takes away.
pub(super) struct InCatalog;

#[async_trait]
impl SlowEvidence for InCatalog {
    async fn fetch(
        &self,
        conn: &mut Connection,
        looking: Looking<'_>,
        facts: &mut SlowFacts,
    ) -> Result<(), Error> {
        if looking.question.kind == GateKind::Contract {
            facts.dependents = Some(look(conn, looking).await?);
        }
        Ok(())
    }
}

async fn look(conn: &mut Connection, looking: Looking<'_>) -> Result<Dependents, Error> {
    let Looking { job, migration, .. } = looking;
    let (server, project) = (conn.server(), &job.project);
    let schema = steps::schema(&project.config, server.engine);
    let read = migration.files.get(&Phase::Contract).map(|file| file.read(server.engine));
    let statements = read.map(|read| read.statements.as_slice()).unwrap_or_default();
    let changes = statements.iter().flat_map(|(_, changes)| changes);
    let places = taken(changes.map(|located| &located.change), schema);
    if places.is_empty() && migration.operations.is_empty() {
        return Ok(Dependents::default());
    }
    let catalog = conn.catalog(None).await;
    let catalog = catalog.map_err(|error| failure::working("read the catalog", error))?;
    let mut found = find(places, &catalog);
    let texts: Vec<&str> = statements.iter().map(|(statement, _)| statement.sql.as_str()).collect();
    found.leave_out(|title| is_changed_by(server.engine, title, &texts));
    if !migration.operations.is_empty() {
        found.operations = migration.operations.iter().map(|operation| operation.title()).collect();
        found.refused = refusals(conn, looking, &catalog).await?;
    }
    Ok(found)
}

/// What the operations themselves say.
async fn refusals(
    conn: &mut Connection,
    looking: Looking<'_>,
    now: &Catalog,
) -> Result<Vec<String>, Error> {
    let Looking { job, migration, .. } = looking;
    let (server, project) = (conn.server(), &job.project);
    let history = open::history(conn).await?;
    let others = steps::open_syncs(project, &history, &migration.id, server);
    let cx = PlanContext {
        server,
        schema: steps::schema(&project.config, server.engine),
        base: history.bases.get(&migration.id).unwrap_or(now),
        now: Some(now),
        others: &others,
    };
    let refusals = steps::contract_refusals(migration, &cx);
    Ok(refusals.into_iter().map(|refusal| refusal.message).collect())
}
