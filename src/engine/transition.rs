//! A change of a migration's state, written in the transaction of the step that brings it.

use super::gate;
use crate::database::connection::Connection;
use crate::database::error::{DbError, DbErrorKind};
use crate::database::state::checkpoints::forget_checkpoints;
use crate::database::state::events::{Actor, NewEvent, append_event};
use crate::database::state::journal::{forget_steps, save_base, set_state};
use crate::model::name::MigrationId;
use crate::model::phase::Phase;
use crate::model::state::State;
use crate::plan::gate::GateKind;

/// A change of a migration's state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Transition {
    /// The state before; an error if it is another one by then.
    pub(crate) from: State,
    /// The state after.
    pub(crate) to: State,
    /// The tables as they are before expand, to be kept in the journal.
    pub(crate) base: Option<String>,
}

impl Transition {
    /// From one state to the next.
    pub(crate) fn new(from: State, to: State) -> Self {
        Self { from, to, base: None }
    }

    /// Writes it, with its event. The caller's transaction has checked the run lock.
    pub(crate) async fn write(
        &self,
        conn: &mut Connection,
        id: &MigrationId,
        actor: &Actor,
    ) -> Result<(), DbError> {
        if !self.from.may_become(self.to) {
            let message = format!("{id} cannot go from {} to {}", self.from, self.to);
            return Err(DbError::new(DbErrorKind::Other, message));
        }
        // The gate's row is locked before the others.
        match (self.from, self.to) {
            (State::RollingBack, State::Pending) => {
                gate::remove(conn, id, GateKind::Rollback).await?;
            }
            (State::Revealing, State::Migrated) => {
                gate::remove(conn, id, GateKind::Contract).await?;
            }
            _ => {}
        }
        set_state(conn, id, self.from, self.to).await?;
        if self.base.is_some() {
            save_base(conn, id, self.base.as_deref()).await?;
        }
        match (self.from, self.to) {
            // Back at the beginning: everything may run again.
            (State::RollingBack, State::Pending) => {
                forget_steps(conn, id, &Phase::ALL).await?;
                forget_checkpoints(conn, id).await?;
                save_base(conn, id, None).await?;
            }
            (State::Revealing, State::Migrated) => {
                forget_steps(conn, id, &[Phase::Contract, Phase::Reveal]).await?;
            }
            _ => {}
        }
        let message = format!("{id} went from {} to {}", self.from, self.to);
        let kind = "state_changed";
        let event = NewEvent { migration: Some(id), kind, message: &message, detail: None };
        append_event(conn, actor, &event).await
    }
}
