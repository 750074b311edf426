//! Rows that cannot be filled: named, left out, and tried again at the end.

use super::Filling;
use super::batch::past;
use crate::database::connection::LockLimit;
use crate::database::error::{DbError, DbErrorKind};
use crate::database::state::checkpoints::{Checkpoint, save_checkpoint};
use crate::database::state::parked::{Parked, park, park_again, parked_in, unpark};
use crate::database::state::run_lock::check_run;
use crate::engine::commit::{Commit, commit_or_roll_back};
use crate::engine::failure::is_lost;
use crate::engine::lock::Patience;
use crate::engine::run::Run;
use crate::engine::stop;
use crate::error::{Error, ErrorKind};

/// Beyond so many it is not the rows that are wrong.
const MOST: usize = 100;

/// So many are named.
const NAMED: usize = 10;

const HINT: &str = "Correct the rows, or what the backfill sets, then run the same command again: it tries these rows once more. \
    Contract waits until none is left.";

impl Filling<'_> {
    fn place(&self) -> (&crate::model::name::MigrationId, &str) {
        (self.task.migration, self.task.step.name.as_str())
    }

    /// Leaves the row behind the last good batch out, and goes on behind it.
    pub(super) async fn leave_out(
        &self,
        run: &mut Run<'_>,
        at: Checkpoint,
        said: DbError,
    ) -> Result<Checkpoint, Error> {
        let failed = |error| super::super::failed(self.task, error);
        let end = at.window.as_ref().map_or(&at.upper, |window| &window.to);
        let found = match self.bound(run.work.conn(), &at, end, 1).await {
            Ok(found) => found,
            // The next batch connects again, and comes to this row anew.
            Err(error) if is_lost(error.kind) => return Ok(at),
            Err(error) => return Err(failed(error)),
        };
        // Somebody has deleted it.
        let Some(key) = found else { return Ok(at) };
        let left = parked_in(run.work.conn(), self.place()).await.map_err(failed)?;
        if left.len() >= MOST {
            let message = format!(
                "more than {MOST} rows of table \"{}\" cannot be filled",
                self.backfill.table
            );
            return Err(self
                .named(Error::new(ErrorKind::Failed, message), &left)
                .hint(HINT)
                .caused_by(said));
        }
        let next = Checkpoint { rows_done: at.rows_done + 1, ..past(&at, &key) };
        let (place, token) = (self.place(), run.token.clone());
        let conn = run.work.conn();
        conn.begin().await.map_err(failed)?;
        let written = async {
            check_run(conn, &token).await?;
            park(conn, place, &key, &said.to_string()).await?;
            save_checkpoint(conn, place.0, place.1, &next).await
        }
        .await;
        match commit_or_roll_back(run.work.conn(), Commit::Batch, written).await {
            Ok(()) => Ok(next),
            // Whether it was written is asked by whoever connects again.
            Err(error) if is_lost(error.kind) => Ok(at),
            Err(error) => Err(failed(error)),
        }
    }

    /// Tries the rows that were left out once more. An error when some cannot be filled.
    pub(super) async fn once_more(&self, run: &mut Run<'_>) -> Result<(), Error> {
        let failed = |error| super::super::failed(self.task, error);
        let (title, tables) = (&self.task.step.title, std::slice::from_ref(&self.backfill.table));
        let mut patience = Patience::new(title, tables, run.job);
        let mut tried = 0;
        loop {
            stop::check(&run.job.interrupt)?;
            let left = match parked_in(run.work.conn(), self.place()).await {
                Ok(left) => left,
                Err(error) if is_lost(error.kind) => {
                    run.work.reconnect(run.job).await?;
                    continue;
                }
                Err(error) => return Err(failed(error)),
            };
            let Some(row) = left.iter().find(|row| row.id > tried) else {
                return self.all_filled(&left);
            };
            match self.try_again(run, row).await {
                Ok(()) => tried = row.id,
                Err(error) if is_lost(error.kind) => run.work.reconnect(run.job).await?,
                Err(error) => {
                    let mut at = Checkpoint {
                        upper: Vec::new(),
                        cursor: None,
                        rows_done: 0,
                        rows_estimate: None,
                        batch_size: 1,
                        done: true,
                        window: None,
                    };
                    self.obstacle(run, error, &mut patience, &mut at).await?;
                }
            }
        }
    }

    async fn try_again(&self, run: &mut Run<'_>, row: &Parked) -> Result<(), DbError> {
        run.work.limit(LockLimit::SHORT).await?;
        let token = run.token.clone();
        let conn = run.work.conn();
        conn.begin().await?;
        let written = async {
            check_run(conn, &token).await?;
            self.update(conn, &self.keyset.at(&row.key)).await?;
            unpark(conn, row.id).await
        }
        .await;
        match commit_or_roll_back(run.work.conn(), Commit::Batch, written).await {
            Err(error) if error.kind == DbErrorKind::Data => {
                park_again(run.work.conn(), row.id, &error.to_string()).await
            }
            other => other,
        }
    }

    fn all_filled(&self, left: &[Parked]) -> Result<(), Error> {
        if left.is_empty() {
            return Ok(());
        }
        let rows =
            if left.len() == 1 { "1 row".to_owned() } else { format!("{} rows", left.len()) };
        let message = format!(
            "could not fill {rows} of table \"{}\"; all others are filled",
            self.backfill.table
        );
        Err(self.named(Error::new(ErrorKind::Failed, message), left).hint(HINT))
    }

    fn named(&self, mut error: Error, left: &[Parked]) -> Error {
        for row in left.iter().take(NAMED) {
            error = error.detail(format!(
                "the row with {}: {}",
                self.keyset.title(&row.key),
                row.error
            ));
        }
        if left.len() > NAMED {
            error = error.detail(format!("and {} more: zdm backfill parked", left.len() - NAMED));
        }
        error
    }
}
