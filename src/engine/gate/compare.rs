//! The comparison of filled rows around the fence: all of them before it, and as many as there is time for behind it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::super::{failure, stop};
use super::passed::Passed;
use super::wait::{Beside, End, wait};
use super::{Job, Looking, fence_kind, tell};
use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::database::state::fences::fence;
use crate::engine::evidence::verification::Rows;
use crate::error::Error;
use crate::model::fence::FenceStatus;
use crate::plan::gate::verification::{Compared, Verification, time_behind_fence};
use crate::plan::gate::{self, GateKind};

/// The name of the source.
const SOURCE: &str = "verification";

/// What there is to compare; none: nothing.
async fn rows(conn: &mut Connection, looking: Looking<'_>) -> Result<Option<Rows>, Error> {
    if looking.question.kind == GateKind::Rollback {
        Ok(None)
    } else {
        Rows::of(conn, looking).await
    }
}

fn is_overridden(job: &Job) -> bool {
    job.overrides.iter().any(|(source, _)| source == SOURCE)
}

/// What a short look at the rows shows.
pub(super) async fn for_advice(
    conn: &mut Connection,
    looking: Looking<'_>,
) -> Result<Option<Verification>, Error> {
    let Some(mut rows) = rows(conn, looking).await? else { return Ok(None) };
    let is_wanted = !is_overridden(looking.job);
    let seen = if is_wanted { rows.some().await } else { Ok(rows.unknown()) };
    rows.close().await;
    seen.map(Some).map_err(could_not_compare)
}

/// Compares all rows, holding nothing but the run lock: nobody is held up by it.
pub(super) async fn before_fence(
    conn: &mut Connection,
    looking: Looking<'_>,
) -> Result<Option<Verification>, Error> {
    let job = looking.job;
    let kind = fence_kind(looking.question.kind);
    let found = fence(conn, &looking.migration.id, kind).await.map_err(could_not_compare)?;
    // An earlier run has passed, and may have taken out of sight what would be compared.
    if found.is_some_and(|found| found.status == FenceStatus::Final) {
        return Ok(None);
    }
    let Some(mut rows) = rows(conn, looking).await? else { return Ok(None) };
    if is_overridden(job) {
        let unknown = rows.unknown();
        rows.close().await;
        return Ok(Some(unknown));
    }
    let go_on = || job.interrupt.raised().is_none();
    let seen = rows.all(&go_on).await;
    rows.close().await;
    stop::check(&job.interrupt)?;
    let seen = seen.map_err(could_not_compare)?;
    record(conn, looking, &seen).await.map_err(could_not_compare)?;
    Ok(Some(seen))
}

/// Waits behind the fence, and compares again meanwhile what was compared before.
pub(super) async fn behind_fence(
    conn: &mut Connection,
    looking: Looking<'_>,
    passed: &mut Passed,
) -> Result<(), End> {
    let job = looking.job;
    let before = passed.then.slow.verification.clone();
    let before = before.filter(|seen| matches!(seen.compared, Compared::BeforeFence(_)));
    let Some(before) = before else {
        return wait(job, conn, passed, &Beside::default()).await;
    };
    let Some(mut rows) = rows(conn, looking).await.map_err(End::Stopped)? else {
        return wait(job, conn, passed, &Beside::default()).await;
    };
    let time = time_behind_fence(gate::wait(&passed.question, &passed.then));
    let beside = Beside { is_comparing: true.into(), ..Beside::default() };
    let is_waiting = AtomicBool::new(true);
    let go_on = || is_waiting.load(Ordering::SeqCst);
    let compare = async {
        let seen = rows.again(&before, Instant::now() + time, &go_on).await;
        let differ = seen.as_ref().is_ok_and(Verification::has_differences);
        beside.has_differences.store(differ, Ordering::SeqCst);
        beside.is_comparing.store(false, Ordering::SeqCst);
        seen
    };
    let wait = async {
        let waited = wait(job, conn, passed, &beside).await;
        is_waiting.store(false, Ordering::SeqCst);
        waited
    };
    let (seen, waited) = tokio::join!(compare, wait);
    rows.close().await;
    waited?;
    let seen = seen.map_err(End::Database)?;
    record(conn, looking, &seen).await.map_err(End::Database)?;
    passed.then.slow.verification = Some(seen);
    Ok(())
}

/// Who looked at the rows, when, and what was seen.
async fn record(
    conn: &mut Connection,
    looking: Looking<'_>,
    seen: &Verification,
) -> Result<(), DbError> {
    let kind = if seen.has_differences() { "rows_differ" } else { "rows_compared" };
    tell(conn, &looking.migration.id, kind, &seen.summary()).await
}

/// A refusal because of wrong rows: no retry helps, somebody must decide which side is right.
pub(super) fn until_corrected(error: Error, seen: Option<&Verification>) -> Error {
    match seen.filter(|seen| seen.has_differences()) {
        None => error,
        Some(seen) => error.until_somebody_acts().hint(seen.ways_out().join(" ")),
    }
}

fn could_not_compare(error: DbError) -> Error {
    failure::working("compare the rows that were filled", error)
}
