//! Which migrations a command is about.

use crate::engine::job::{Job, Selection};
use crate::error::{Error, ErrorKind};
use crate::model::phase::Phase;
use crate::model::state::State;
use crate::plan::history::History;
use crate::plan::migration::Migration;

/// The migration that a name or a number means.
pub(crate) fn called<'a>(job: &'a Job, name: &str) -> Result<&'a Migration, Error> {
    let migrations = &job.project.migrations;
    migrations.iter().find(|migration| migration.id.is_called(name)).ok_or_else(|| {
        let known: Vec<_> = migrations.iter().map(|migration| migration.id.as_str()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Error::usage(format!("there is no migration \"{name}\""))
            .hint(format!("The migrations are: {known}. Nothing was changed."))
    })
}

/// The migrations that are in front of a phase, or in the middle of it, in order, as far as the job asks for them.
pub(crate) fn for_phase<'a>(
    job: &'a Job,
    history: &History,
    phase: Phase,
) -> Result<Vec<&'a Migration>, Error> {
    let Selection { to, only } = &job.selection;
    if let Some(only) = only {
        let migration = called(job, only)?;
        return Ok(match place(history.state(&migration.id), phase) {
            Place::Here => vec![migration],
            Place::Behind => Vec::new(),
            Place::Ahead => return Err(too_early(migration, history, phase)),
        });
    }
    let last = to.as_deref().map(|to| called(job, to)).transpose()?;
    let asked = |migration: &&Migration| last.is_none_or(|last| migration.id <= last.id);
    let mut chosen = Vec::new();
    for migration in job.project.migrations.iter().filter(asked) {
        let state = history.state(&migration.id);
        if matches!(state, State::RollingBack | State::Revealing) {
            return Err(too_early(migration, history, phase));
        }
        if place(state, phase) == Place::Here {
            chosen.push(migration);
        }
    }
    Ok(chosen)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The phase is what comes next, or is under way.
    Here,
    /// The phase is done.
    Behind,
    /// Something else comes first.
    Ahead,
}

fn place(state: State, phase: Phase) -> Place {
    let (during, after) = State::during_and_after(phase);
    if state == during
        || state.may_become(during) && super::advance::next_phase(state) == Some(phase)
    {
        Place::Here
    } else if matches!(state, State::RollingBack | State::Revealing) || state < after {
        Place::Ahead
    } else {
        Place::Behind
    }
}

fn too_early(migration: &Migration, history: &History, phase: Phase) -> Error {
    let id = &migration.id;
    let state = history.state(id);
    let first = match state {
        State::Pending | State::Expanding => format!("zdm expand --only {id}"),
        State::Expanded | State::Migrating => format!("zdm migrate --only {id}"),
        State::Migrated | State::Contracting => format!("zdm contract --only {id}"),
        State::Hidden | State::Purging | State::Purged => "zdm status".to_owned(),
        State::RollingBack | State::Revealing => format!("zdm rollback {id}"),
    };
    Error::new(ErrorKind::Usage, format!("migration {id} is {state}: {phase} cannot run yet"))
        .hint(format!("Run {first} first. Nothing was changed."))
}

/// The command that comes next for the project as it stands, when there is one.
pub(crate) fn next_command(job: &Job, history: &History) -> Option<String> {
    let states = || job.project.migrations.iter().map(|migration| history.state(&migration.id));
    let any = |wanted: &[State]| states().any(|state| wanted.contains(&state));
    let back = job.project.migrations.iter().find(|migration| {
        matches!(history.state(&migration.id), State::RollingBack | State::Revealing)
    });
    if let Some(migration) = back {
        return Some(format!("zdm rollback {}", migration.id));
    }
    let command = if any(&[State::Pending, State::Expanding]) {
        "zdm expand"
    } else if any(&[State::Expanded, State::Migrating]) {
        "zdm migrate"
    } else if any(&[State::Migrated, State::Contracting]) {
        "zdm contract"
    } else if any(&[State::Hidden, State::Purging]) {
        "zdm purge"
    } else {
        return None;
    };
    Some(command.to_owned())
}
