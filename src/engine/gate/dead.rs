//! What gates leave behind: provisional fences of runs that died, and fences whose reason has gone.

use std::collections::BTreeSet;
use std::fmt;

use super::super::commit::{Commit, commit};
use super::super::failure;
use super::{fence_kind, roll_back, tell};
use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::database::state::fences::{
    delete_fence, fence, fences, lock_gate, make_final, raise_epoch,
};
use crate::database::state::run_lock::{RunToken, check_run};
use crate::error::Error;
use crate::model::fence::{Fence, FenceKind, FenceStatus};
use crate::model::name::MigrationId;
use crate::plan::gate::GateKind;

/// What became of a fence whose gate had died.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Lifted {
    /// It is gone: old instances join again.
    Lifted(MigrationId),
    /// It is final: the gate had died after it took the old structure away.
    MadeFinal(MigrationId),
}

impl fmt::Display for Lifted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lifted(id) => {
                write!(f, "lifted the fence for {id} that an earlier run had left when it died")
            }
            Self::MadeFinal(id) => {
                write!(f, "completed the fence for {id}: an earlier run had died just before")
            }
        }
    }
}

/// Ends the provisional fences of runs that died. Whoever calls it has the run lock, so every other run is dead.
///
/// `hidden`: migrations whose old structure is out of sight already (on MySQL and MariaDB a gate can die between that and
/// its final fence): their fences become final.
pub(crate) async fn lift_dead(
    conn: &mut Connection,
    token: &RunToken,
    hidden: &BTreeSet<MigrationId>,
) -> Result<Vec<Lifted>, Error> {
    let failed = |error| failure::working("lift the fence of a gate that died", error);
    let is_dead =
        |fence: &Fence| fence.status == FenceStatus::Provisional && fence.run_token != token.0;
    if !fences(conn).await.map_err(failed)?.iter().any(is_dead) {
        return Ok(Vec::new());
    }
    match try_lift_dead(conn, token, hidden).await {
        Ok(lifted) => Ok(lifted),
        Err(error) => Err(failed(roll_back(conn, error).await)),
    }
}

async fn try_lift_dead(
    conn: &mut Connection,
    token: &RunToken,
    hidden: &BTreeSet<MigrationId>,
) -> Result<Vec<Lifted>, DbError> {
    let mut ended = Vec::new();
    conn.begin().await?;
    check_run(conn, token).await?;
    lock_gate(conn).await?;
    for Fence { migration, kind, status, epoch, run_token, .. } in fences(conn).await? {
        if status != FenceStatus::Provisional || run_token == token.0 {
            continue;
        }
        if kind == FenceKind::Tolerate && hidden.contains(&migration) {
            make_final(conn, &migration, kind, epoch).await?;
            let message =
                format!("fence of epoch {epoch} is final: its gate had died after the hide");
            tell(conn, &migration, "gate_final", &message).await?;
            ended.push(Lifted::MadeFinal(migration));
        } else {
            delete_fence(conn, &migration, kind, epoch).await?;
            raise_epoch(conn).await?;
            let message = format!("fence of epoch {epoch} lifted: its gate had died");
            tell(conn, &migration, "gate_lifted", &message).await?;
            ended.push(Lifted::Lifted(migration));
        }
    }
    commit(conn, Commit::DeadFences).await?;
    Ok(ended)
}

/// Takes a migration's fence away, when there is one: its reason has gone (contract was undone, a rollback is done).
///
/// Inside the caller's transaction, which has checked the run lock.
pub(crate) async fn remove(
    conn: &mut Connection,
    id: &MigrationId,
    kind: GateKind,
) -> Result<(), DbError> {
    let kind = fence_kind(kind);
    lock_gate(conn).await?;
    if let Some(found) = fence(conn, id, kind).await? {
        delete_fence(conn, id, kind, found.epoch).await?;
        raise_epoch(conn).await?;
        let message = format!("fence of epoch {} removed", found.epoch);
        tell(conn, id, "gate_lifted", &message).await?;
    }
    Ok(())
}
