//! `zdm backfill`: what somebody wants of a migration's backfills, read by the run before each batch. Needs no run lock.

use std::time::Duration;

use super::select;
use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::database::state::events::{Actor, NewEvent, append_event};
use crate::database::state::parked::{Parked, parked};
use crate::database::state::steering::{save_steering, steering};
use crate::engine::commit::{Commit, commit_or_roll_back};
use crate::engine::failure;
use crate::engine::job::Job;
use crate::engine::open;
use crate::error::Error;
use crate::model::name::MigrationId;
use crate::model::state::State;
use crate::plan::pacing::Steering;

/// A wish.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Steer {
    /// No further batch begins.
    Pause,
    /// Batches go on.
    Resume,
    /// They go at another pace.
    Set {
        /// In percent of the time.
        share: Option<u8>,
        /// The largest batch.
        max_rows: Option<u32>,
        /// How long a batch should take.
        batch_time: Option<Duration>,
        /// Forget what was set before.
        reset: bool,
    },
}

/// What holds for a migration's backfills from now on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Steered {
    /// Which migration.
    pub(crate) migration: MigrationId,
    /// All wishes about it.
    pub(crate) steering: Steering,
}

/// Writes a wish, with an event.
pub(crate) async fn steer(job: &Job, name: &str, steer: Steer) -> Result<Steered, Error> {
    let migration = select::called(job, name)?.id.clone();
    let (mut conn, installed) = open::to_read(job).await?;
    if !installed {
        return Err(nothing_to_steer(&migration, State::Pending));
    }
    let state = open::history(&mut conn).await?.state(&migration);
    if !matches!(state, State::Expanding | State::Expanded | State::Migrating) {
        return Err(nothing_to_steer(&migration, state));
    }
    let written = write(&mut conn, &migration, steer).await;
    let steering =
        written.map_err(|error| failure::working("write what the backfill is to do", error))?;
    conn.close().await;
    Ok(Steered { migration, steering })
}

async fn write(conn: &mut Connection, id: &MigrationId, steer: Steer) -> Result<Steering, DbError> {
    let actor = Actor::here();
    conn.begin().await?;
    let written = async {
        let (after, kind, message) = steered(steering(conn, id).await?, steer, &actor);
        save_steering(conn, id, &after).await?;
        let event = NewEvent { migration: Some(id), kind, message: &message, detail: None };
        append_event(conn, &actor, &event).await?;
        Ok(after)
    }
    .await;
    commit_or_roll_back(conn, Commit::Steer, written).await
}

/// The wishes after one more, and the event about it.
fn steered(before: Steering, steer: Steer, actor: &Actor) -> (Steering, &'static str, String) {
    match steer {
        Steer::Pause => {
            let paused_by = Some(format!("{}@{}", actor.name, actor.host));
            let after = Steering { paused_by, ..before };
            (after, "backfill_paused", "the backfill was paused".to_owned())
        }
        Steer::Resume => {
            let after = Steering { paused_by: None, ..before };
            (after, "backfill_resumed", "the backfill may go on".to_owned())
        }
        Steer::Set { share, max_rows, batch_time, reset } => {
            let kept = if reset {
                Steering { paused_by: before.paused_by, ..Steering::default() }
            } else {
                before
            };
            let after = Steering {
                share: share.or(kept.share),
                max_rows: max_rows.or(kept.max_rows),
                batch_time: batch_time.or(kept.batch_time),
                ..kept
            };
            let message = format!("the pace of the backfill was set: {after}");
            (after, "backfill_set", message)
        }
    }
}

fn nothing_to_steer(id: &MigrationId, state: State) -> Error {
    let error = Error::usage(format!("migration {id} has no backfill to steer: it is {state}"));
    error.hint(match state {
        State::Pending => "Run zdm expand first. Nothing was changed.",
        _ => "Its backfills are done. Nothing was changed.",
    })
}

/// The rows that backfills have left out: of one migration, or of all.
pub(crate) async fn parked_rows(job: &Job, name: Option<&str>) -> Result<Vec<Parked>, Error> {
    let wanted = name.map(|name| select::called(job, name)).transpose()?;
    let (mut conn, installed) = open::to_read(job).await?;
    if !installed {
        return Ok(Vec::new());
    }
    let found = parked(&mut conn).await;
    let mut rows = found.map_err(|error| failure::working("read the rows left out", error))?;
    conn.close().await;
    rows.retain(|row| wanted.is_none_or(|wanted| wanted.id.as_str() == row.migration));
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_stays() {
        let actor = Actor { name: "ann".to_owned(), host: "ops".to_owned() };
        let set = |share, max_rows, reset| Steer::Set { share, max_rows, batch_time: None, reset };
        let (one, ..) = steered(Steering::default(), set(Some(20), None, false), &actor);
        let (two, ..) = steered(one, Steer::Pause, &actor);
        let (three, kind, message) = steered(two, set(None, Some(500), false), &actor);
        assert_eq!(kind, "backfill_set");
        assert_eq!(
            message,
            "the pace of the backfill was set: 20 % of the time, at most 500 rows a batch"
        );
        assert_eq!((three.paused_by.as_deref(), three.share), (Some("ann@ops"), Some(20)));
        let (four, _, message) = steered(three, set(None, None, true), &actor);
        assert_eq!(four, Steering { paused_by: Some("ann@ops".to_owned()), ..Steering::default() });
        assert_eq!(message, "the pace of the backfill was set: as configured");
    }
}
