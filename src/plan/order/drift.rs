//! What the journal says and the folder no longer does.

use crate::model::journal::Progress;
use crate::model::name::MigrationId;
use crate::model::phase::Phase;
use crate::model::server::Server;
use crate::model::state::State;
use crate::plan::history::History;
use crate::plan::project::Project;
use crate::plan::steps::{PlanContext, all_syncs, apart_from, schema, steps};
use crate::sql::catalog::Catalog;

/// A difference between journal and folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Drift {
    /// The migration was applied, and its folder is gone.
    Gone {
        /// Which.
        migration: MigrationId,
    },
    /// A step that has run reads otherwise now, or is no longer there.
    Edited {
        /// Of which migration.
        migration: MigrationId,
        /// In which phase.
        phase: Phase,
        /// The step's name.
        step: String,
        /// Where it stands, when it stands in a file.
        place: Option<String>,
    },
}

impl std::fmt::Display for Drift {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Gone { migration } => {
                write!(f, "migration {migration} was applied, and its folder is gone")
            }
            Self::Edited { migration, phase, step, place } => {
                write!(
                    f,
                    "step {step} of {phase} of migration {migration} was edited after it ran"
                )?;
                place.iter().try_for_each(|place| write!(f, " ({place})"))
            }
        }
    }
}

/// Everything in which the folder is not what has run. Steps that have begun and are not done may be repaired.
///
/// What is done for good, and older than every folder that is left, may be deleted. A gap further up is another thing:
/// it shows a checkout that lacks what has run.
pub(crate) fn drift(project: &Project, history: &History, server: Server) -> Vec<Drift> {
    let mut found = Vec::new();
    let first = project.migrations.first().map(|migration| &migration.id);
    let syncs = all_syncs(project, history, server);
    for record in &history.records {
        let folder = project.migrations.iter().find(|migration| migration.id == record.id);
        let Some(migration) = folder else {
            let is_older = first.is_none_or(|first| record.id < *first);
            if record.state != State::Pending && !(record.state == State::Purged && is_older) {
                found.push(Drift::Gone { migration: record.id.clone() });
            }
            continue;
        };
        let empty = Catalog::default();
        let others = apart_from(&migration.id, syncs.clone());
        let cx = PlanContext {
            server,
            schema: schema(&project.config, server.engine),
            base: history.bases.get(&migration.id).unwrap_or(&empty),
            now: None,
            others: &others,
        };
        for phase in Phase::ALL {
            let ran: Vec<_> = record
                .steps
                .iter()
                .filter(|step| step.phase == phase && step.progress == Progress::Done)
                .collect();
            if ran.is_empty() {
                continue;
            }
            let planned = steps(migration, phase, &cx).unwrap_or_default();
            for step in ran {
                let now = planned.iter().find(|planned| planned.name == step.name);
                if now.is_some_and(|now| now.seal == step.seal) {
                    continue;
                }
                let origin = now.and_then(|now| now.origin.as_ref());
                found.push(Drift::Edited {
                    migration: migration.id.clone(),
                    phase,
                    step: step.name.clone(),
                    place: origin.map(|origin| format!("{}:{}", origin.file, origin.line)),
                });
            }
        }
    }
    found
}
