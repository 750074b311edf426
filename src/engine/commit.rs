//! The engine's transactions end here and nowhere else, so that each COMMIT has a name, and a fault point on either side.

use super::fault;
use crate::database::connection::Connection;
use crate::database::error::DbError;

/// What a COMMIT makes true.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Commit {
    /// A migration has another state, without a step.
    State,
    /// A step's statements ran, and it is done.
    Step,
    /// A step that cannot be undone together with its record is about to run.
    Intent,
    /// Such a step is done.
    Done,
    /// Such a step had no effect.
    Undone,
    /// A backfill knows its last row.
    Checkpoint,
    /// A batch of a backfill.
    Batch,
    /// Somebody steers a backfill.
    Steer,
    /// Backfills may run again, because rows were wrong.
    Refill,
    /// A provisional fence is up.
    Fence,
    /// It is final: MySQL and MariaDB, where the old structure went by statements that commit by themselves.
    FinalFence,
    /// It is gone: the gate gave up.
    LiftedFence,
    /// The fences of runs that died are gone, or final.
    DeadFences,
    /// It is written down which roles lose their login.
    TakenLogins,
    /// They have it back.
    GivenBackLogins,
    /// A rollback has begun behind its gate.
    Withdrawal,
    /// Migrations are recorded as done without having run.
    Baseline,
    /// The edit of a step was accepted.
    Accepted,
    /// A migration is about to be taken through all its phases at once.
    Up,
    /// What `zdm doctor` made again (PostgreSQL; MySQL and MariaDB commit each statement by itself).
    Repair,
}

impl Commit {
    /// The points before and after it.
    const fn points(self) -> [&'static str; 2] {
        match self {
            Self::State => ["state-before-commit", "state-after-commit"],
            Self::Step => ["step-before-commit", "step-after-commit"],
            Self::Intent => ["intent-before-commit", "intent-after-commit"],
            Self::Done => ["done-before-commit", "done-after-commit"],
            Self::Undone => ["undone-before-commit", "undone-after-commit"],
            Self::Checkpoint => ["checkpoint-before-commit", "checkpoint-after-commit"],
            Self::Batch => ["batch-before-commit", "batch-after-commit"],
            Self::Steer => ["steer-before-commit", "steer-after-commit"],
            Self::Refill => ["refill-before-commit", "refill-after-commit"],
            Self::Fence => ["fence-before-commit", "fence-after-commit"],
            Self::FinalFence => ["final-fence-before-commit", "final-fence-after-commit"],
            Self::LiftedFence => ["lifted-fence-before-commit", "lifted-fence-after-commit"],
            Self::DeadFences => ["dead-fences-before-commit", "dead-fences-after-commit"],
            Self::TakenLogins => ["taken-logins-before-commit", "taken-logins-after-commit"],
            Self::GivenBackLogins => {
                ["given-back-logins-before-commit", "given-back-logins-after-commit"]
            }
            Self::Withdrawal => ["withdrawal-before-commit", "withdrawal-after-commit"],
            Self::Baseline => ["baseline-before-commit", "baseline-after-commit"],
            Self::Accepted => ["accepted-before-commit", "accepted-after-commit"],
            Self::Up => ["up-before-commit", "up-after-commit"],
            Self::Repair => ["repair-before-commit", "repair-after-commit"],
        }
    }
}

/// Commits.
pub(crate) async fn commit(conn: &mut Connection, what: Commit) -> Result<(), DbError> {
    let [before, after] = what.points();
    fault::point(before);
    conn.commit().await?;
    fault::point(after);
    Ok(())
}

/// Commits what was written; rolls back after an error, which is the one that counts.
pub(crate) async fn commit_or_roll_back<T, E: From<DbError>>(
    conn: &mut Connection,
    what: Commit,
    written: Result<T, E>,
) -> Result<T, E> {
    match written {
        Ok(value) => {
            commit(conn, what).await?;
            Ok(value)
        }
        Err(error) => {
            if !conn.is_closed()
                && let Err(also) = conn.rollback().await
            {
                tracing::debug!(%also, "could not roll back");
            }
            Err(error)
        }
    }
}
