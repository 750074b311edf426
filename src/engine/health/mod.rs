//! The facts of `zdm verify` and `zdm doctor`: what the journal says, what the catalog shows, what rows and triggers do.
//!
//! What it means is for `plan::health` to say.

pub(crate) mod cure;
pub(crate) mod rows;
pub(crate) mod smoke;

use crate::database::connection::Connection;
use crate::engine::failure;
use crate::engine::open;
use crate::error::Error;
use crate::model::server::Server;
use crate::plan::health::compare;
use crate::plan::health::finding::{Finding, Kind};
use crate::plan::health::indexes::{InvalidIndex, Scene};
use crate::plan::health::traces::{self, Thing, Trace};
use crate::plan::health::triggers::{self, FoundTrigger};
use crate::plan::history::History;
use crate::plan::order;
use crate::plan::project::Project;
use crate::plan::steps::schema;
use crate::sql::catalog::Catalog;

/// What journal and catalog say.
#[derive(Debug)]
pub(crate) struct Ground {
    /// The server.
    pub(crate) server: Server,
    /// The journal.
    pub(crate) history: History,
    /// The tables as they are.
    pub(crate) now: Catalog,
    /// zdm's triggers as they are.
    pub(crate) triggers: Vec<FoundTrigger>,
    /// Indexes that do not work.
    pub(crate) invalid: Vec<InvalidIndex>,
}

impl Ground {
    /// Reads it. The state must be there.
    pub(crate) async fn read(conn: &mut Connection) -> Result<Self, Error> {
        let history = open::history(conn).await?;
        let failed = |error| failure::working("read the catalog", error);
        Ok(Self {
            server: conn.server(),
            history,
            now: conn.catalog(None).await.map_err(failed)?,
            triggers: conn.sync_triggers().await.map_err(failed)?,
            invalid: conn.invalid_indexes().await.map_err(failed)?,
        })
    }

    /// What done steps must have left behind.
    pub(crate) fn traces(&self, project: &Project) -> std::collections::BTreeMap<Thing, Trace> {
        traces::expected(project, &self.history, self.server)
    }

    /// Everything that is wrong in the catalog, as far as the journal can tell.
    pub(crate) fn findings(&self, project: &Project) -> Vec<Finding> {
        let engine = self.server.engine;
        let schema = schema(&project.config, engine);
        let mut findings = edited(project, &self.history, self.server);
        let traces = self.traces(project);
        findings.extend(compare::differences(&traces, &self.now, &self.invalid, (engine, schema)));
        let ground = (self.server, &self.now);
        findings.extend(triggers::findings(project, &self.history, ground, &self.triggers));
        let scene = Scene { project, history: &self.history, server: self.server, now: &self.now };
        findings.extend(scene.invalid(&self.invalid));
        findings.extend(scene.in_the_way(&self.invalid));
        findings
    }
}

fn edited(project: &Project, history: &History, server: Server) -> Vec<Finding> {
    let drift = order::drift(project, history, server);
    let told = drift.into_iter().map(|drift| {
        let (id, way_out) = match &drift {
            order::Drift::Gone { migration } => (
                migration.clone(),
                "Bring its folder back, from version control or the branch that has it.".to_owned(),
            ),
            order::Drift::Edited { migration, .. } => (
                migration.clone(),
                format!(
                    "Undo the edit and write a new migration; or, if both texts mean the same: zdm status --accept {migration} \
                     --reason \"...\"."
                ),
            ),
        };
        Finding::new(Kind::Folder, drift.to_string(), way_out).of(&id)
    });
    told.collect()
}
