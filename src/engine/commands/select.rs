//! Which migrations a command is about.

use super::advance::{Ground, refusal};
use crate::engine::job::Job;
use crate::engine::outcome::Outcome;
use crate::error::{Error, ErrorKind};
use crate::model::phase::Phase;
use crate::model::server::Server;
use crate::model::state::State;
use crate::plan::history::History;
use crate::plan::migration::Migration;
use crate::plan::order::{self, Drift, Wish};
use crate::plan::project::Project;

/// The migration that a name or a number means.
pub(crate) fn called<'a>(job: &'a Job, name: &str) -> Result<&'a Migration, Error> {
    order::find(&job.project, name).map_err(|refused| {
        Error::usage(refused.message).hint(format!("{}. Nothing was changed.", refused.help))
    })
}

/// What a command runs, in order, once nothing has drifted. What must wait is noted in the outcome.
pub(crate) fn chosen<'a>(
    job: &'a Job,
    ground: &Ground,
    phase: Phase,
    outcome: &mut Outcome,
) -> Result<Vec<&'a Migration>, Error> {
    unless_drifted(&job.project, &ground.history, ground.server)?;
    let order = ordered(job, &ground.history, ground.server, phase)?;
    for held in order.held {
        outcome.notes.push(format!("{}: {}", held.why.message, held.why.help));
    }
    Ok(order.run)
}

/// What a command would run.
pub(crate) fn ordered<'a>(
    job: &'a Job,
    history: &History,
    server: Server,
    phase: Phase,
) -> Result<order::Order<'a>, Error> {
    let wish = Wish { to: job.selection.to.as_deref(), only: job.selection.only.as_deref() };
    order::next(order::Scene::new(&job.project, history, server), phase, wish)
        .map_err(|refusals| refusal(Error::usage(format!("cannot {phase}")), refusals))
}

/// Refuses when the folder is not what has run.
pub(crate) fn unless_drifted(
    project: &Project,
    history: &History,
    server: Server,
) -> Result<(), Error> {
    let drift = order::drift(project, history, server);
    let is_gone = |drift: &Drift| matches!(drift, Drift::Gone { .. });
    let Some(first) = drift.first() else { return Ok(()) };
    let error = if drift.iter().any(is_gone) {
        Error::usage("an applied migration is gone from the folder").hint(
            "Bring its folder back (from version control, or the branch that has it). Nothing was changed.",
        )
    } else {
        let id = match first {
            Drift::Edited { migration, .. } | Drift::Gone { migration } => migration,
        };
        Error::new(ErrorKind::Drift, "an applied step was edited").hint(format!(
            "Undo the edit and write a new migration; or, if both texts mean the same, accept it: zdm status --accept {id} --reason \"...\". Nothing was changed.",
        ))
    };
    Err(drift.iter().fold(error, |error, drift| error.detail(drift.to_string())))
}

/// The command that comes next for the project as it stands, when there is one.
pub(crate) fn next_command(job: &Job, history: &History) -> Option<String> {
    let states = || job.project.migrations.iter().map(|migration| history.state(&migration.id));
    let any = |wanted: &[State]| states().any(|state| wanted.contains(&state));
    let others = job.project.migrations.iter().find(|migration| {
        migration.contract.by_other && history.state(&migration.id) == State::Migrated
    });
    let contracts = job.project.migrations.iter().any(|migration| {
        let state = history.state(&migration.id);
        !migration.contract.by_other && matches!(state, State::Migrated | State::Contracting)
    });
    let back = job.project.migrations.iter().find(|migration| {
        matches!(history.state(&migration.id), State::RollingBack | State::Revealing)
    });
    if let Some(migration) = back {
        return Some(format!("zdm rollback {}", migration.id));
    }
    let command = if any(&[State::Expanded, State::Migrating]) {
        "zdm migrate"
    } else if any(&[State::Pending, State::Expanding]) {
        "zdm expand"
    } else if contracts {
        "zdm contract"
    } else if let Some(migration) = others {
        return Some(format!("zdm gate {} -- COMMAND", migration.id));
    } else if any(&[State::Hidden, State::Purging]) {
        "zdm purge"
    } else {
        return None;
    };
    Some(command.to_owned())
}
