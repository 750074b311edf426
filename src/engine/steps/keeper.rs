//! MySQL and MariaDB: the second connection that holds the gate while the old structure is taken away, because that
//! commits by itself. As long as it holds, nobody joins.

use super::Halt;
use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::database::state::run_lock::{RunToken, check_run};
use crate::engine::commit::{Commit, commit};
use crate::engine::failure::{is_lost, working};
use crate::engine::gate::Passed;
use crate::engine::job::Job;
use crate::error::Error;

/// The connection that holds the gate.
pub(super) struct Keeper {
    conn: Option<Connection>,
    duty: Duty,
}

/// What it has to do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Duty {
    /// There is no gate, or its fence is final.
    Nothing,
    /// The gate is to be confirmed.
    Confirm,
    /// The gate is confirmed, and nobody joins.
    Hold,
}

impl Keeper {
    /// For a step with a gate, or without.
    pub(super) fn new(is_gated: bool) -> Self {
        Self { conn: None, duty: if is_gated { Duty::Confirm } else { Duty::Nothing } }
    }

    /// Confirms the gate in a transaction that stays open.
    pub(super) async fn hold(&mut self, job: &Job, gate: Option<&Passed>) -> Result<(), Halt> {
        let (Some(gate), Duty::Confirm) = (gate, self.duty) else { return Ok(()) };
        if self.conn.as_ref().is_none_or(Connection::is_closed) {
            self.conn = Some(Connection::open(&job.target).await?);
        }
        if let Some(conn) = &mut self.conn {
            conn.begin().await?;
            self.duty = Duty::Hold;
            gate.confirm(conn).await?;
        }
        Ok(())
    }

    /// A part of the structure turned out to be out of sight already: whatever the evidence says by now, the fence
    /// becomes final.
    pub(super) async fn decided(
        &mut self,
        job: &Job,
        gate: Option<&Passed>,
        token: &RunToken,
    ) -> Result<(), DbError> {
        let (Some(gate), Duty::Confirm) = (gate, self.duty) else { return Ok(()) };
        let mut conn = Connection::open(&job.target).await?;
        conn.begin().await?;
        check_run(&mut conn, token).await?;
        gate.make_final(&mut conn).await?;
        commit(&mut conn, Commit::FinalFence).await?;
        conn.close().await;
        self.duty = Duty::Nothing;
        Ok(())
    }

    /// The old structure is out of sight: the fence becomes final.
    pub(super) async fn settle(&mut self, gate: Option<&Passed>) -> Result<(), DbError> {
        let (Some(gate), Duty::Hold) = (gate, self.duty) else { return Ok(()) };
        // Should the connection be lost here, the next attempt makes it final on another one.
        self.duty = Duty::Confirm;
        if let Some(mut conn) = self.conn.take() {
            gate.make_final(&mut conn).await?;
            commit(&mut conn, Commit::FinalFence).await?;
            conn.close().await;
            self.duty = Duty::Nothing;
        }
        Ok(())
    }

    /// An attempt failed: nothing is held while the next one is waited for. When a part of the structure is out of
    /// sight already, there is no way back for old instances, and the fence becomes final.
    pub(super) async fn after_failure(
        &mut self,
        gate: Option<&Passed>,
        is_partly_hidden: bool,
    ) -> Result<(), Error> {
        if self.duty != Duty::Hold {
            return Ok(());
        }
        if is_partly_hidden {
            return match self.settle(gate).await {
                Err(error) if is_lost(error.kind) => Ok(()),
                settled => settled.map_err(|error| working("make the fence final", error)),
            };
        }
        self.duty = Duty::Confirm;
        if let Some(conn) = &mut self.conn
            && let Err(error) = conn.rollback().await
        {
            tracing::debug!(%error, "could not let go of the gate");
            self.conn = None;
        }
        Ok(())
    }
}
