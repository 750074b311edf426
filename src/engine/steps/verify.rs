//! Counting rows that must not exist, in batches over the key; nothing is locked, nothing written but the result.

use std::time::Instant;

use super::backfill::prepared;
use super::keyset::{Key, Keyset};
use super::{Task, record};
use crate::database::error::DbError;
use crate::database::state::checkpoints::forget_checkpoint;
use crate::database::state::journal::forget_step;
use crate::database::state::run_lock::check_run;
use crate::engine::commit::{Commit, commit_or_roll_back};
use crate::engine::failure::is_lost;
use crate::engine::progress::Meter;
use crate::engine::run::Run;
use crate::engine::stop;
use crate::error::{Error, ErrorKind};
use crate::model::name::TableName;
use crate::model::step::{Action, Step, Verify};
use crate::plan::pacing::{self, Batch, Limits, Speed, State};

/// So many wrong rows are named.
const EXAMPLES: usize = 5;

/// Where a verification is.
#[derive(Default)]
struct Found {
    cursor: Option<Key>,
    visited: u64,
    wrong: u64,
    examples: Vec<Key>,
    done: bool,
}

/// Looks at every row up to the last one that is there when it begins. One wrong row fails the step.
pub(super) async fn run(run: &mut Run<'_>, task: &Task<'_>, verify: &Verify) -> Result<(), Error> {
    if task.earlier.is_none() {
        record::intent(run, task).await?;
    }
    let (keyset, table) = prepared(run, task, &verify.table).await?;
    let failed = |error| super::failed(task, error);
    let mut found = Found::default();
    let limits = Limits::of(run.work.conn().engine(), Speed::Full);
    let mut state = State::start(&limits);
    let mut meter = Meter::new(task.migration, &task.step.title, 0, table.estimated_rows);
    let mut upper = None;
    while !found.done {
        stop::check(&run.job.interrupt)?;
        let began = Instant::now();
        match batch(run, &keyset, verify, (&mut upper, &mut found), u64::from(state.rows())).await {
            Ok(rows) => {
                let seen = Batch::Done {
                    rows: u32::try_from(rows).unwrap_or(u32::MAX),
                    took: began.elapsed(),
                };
                (state, _) = pacing::step(&limits, state, seen.alone());
                meter.tell(found.visited, run.job);
            }
            Err(error) if is_lost(error.kind) => run.work.reconnect(run.job).await?,
            Err(error) => return Err(failed(error)),
        }
    }
    meter.end(found.visited, run.job);
    if found.wrong > 0 {
        let fills = refillable(task, &verify.table);
        forget(run, task, &fills).await.map_err(failed)?;
        let error = wrong_rows(verify, &keyset, &found);
        return Err(error.hint(if fills.is_empty() {
            "Correct the rows, then run the same command again: it verifies them anew."
        } else {
            "Rows that came, or changed, after the backfill are filled by running the same command again; others must be corrected first."
        }));
    }
    record::done(run, task).await
}

/// Looks at the next rows.
async fn batch(
    run: &mut Run<'_>,
    keyset: &Keyset,
    verify: &Verify,
    (upper, found): (&mut Option<Key>, &mut Found),
    rows: u64,
) -> Result<u64, DbError> {
    let conn = run.work.conn();
    if upper.is_none() {
        let last = conn.query(&keyset.last(), &[]).await?;
        *upper = last.first().map(|row| keyset.read(row)).transpose()?;
    }
    let Some(upper) = upper else {
        found.done = true;
        return Ok(0);
    };
    let bound = conn.query(&keyset.bound(found.cursor.as_deref(), upper, rows), &[]).await?;
    let bound = bound.first().map(|row| keyset.read(row)).transpose()?;
    let range = keyset.range(found.cursor.as_deref(), bound.as_ref().unwrap_or(upper));
    let counted = conn.query_one(&keyset.count(&range, &verify.wrong), &[]).await?;
    let (visited, wrong) = (counted.int(0)?.unsigned_abs(), counted.int(1)?.unsigned_abs());
    if wrong > 0 && found.examples.len() < EXAMPLES {
        let few = EXAMPLES - found.examples.len();
        for row in conn.query(&keyset.examples(&range, &verify.wrong, few), &[]).await? {
            found.examples.push(keyset.read(&row)?);
        }
    }
    found.visited += visited;
    found.wrong += wrong;
    found.done = bound.is_none();
    found.cursor = bound.or_else(|| found.cursor.take());
    Ok(visited.max(1))
}

fn wrong_rows(verify: &Verify, keyset: &Keyset, found: &Found) -> Error {
    let table = &verify.table;
    let rows = if found.wrong == 1 { "row is" } else { "rows are" };
    let message = format!("verification failed: {} {rows} wrong in table \"{table}\"", found.wrong);
    let mut error = Error::new(ErrorKind::Failed, message)
        .detail(format!("wrong is a row with {}", verify.wrong));
    for key in &found.examples {
        error = error.detail(format!("for example the row with {}", keyset.title(key)));
    }
    error
}

/// The backfills of the table that know which rows still need them: they may run again without doing a row twice.
fn refillable<'a>(task: &Task<'a>, table: &TableName) -> Vec<&'a Step> {
    let is_one = |step: &&Step| match &step.action {
        Action::Backfill(backfill) => backfill.table == *table && backfill.pending.is_some(),
        Action::Statements(_) | Action::Alone(_) | Action::Verify(_) => false,
    };
    task.phase_steps.iter().filter(is_one).collect()
}

async fn forget(run: &mut Run<'_>, task: &Task<'_>, steps: &[&Step]) -> Result<(), DbError> {
    let (conn, token) = (run.work.conn(), &run.token);
    conn.begin().await?;
    let written = async {
        check_run(conn, token).await?;
        for step in steps {
            forget_step(conn, task.migration, task.phase, &step.name).await?;
            forget_checkpoint(conn, task.migration, &step.name).await?;
        }
        Ok(())
    }
    .await;
    commit_or_roll_back(run.work.conn(), Commit::Refill, written).await
}
