//! Refusals in words: what is in the way, what could not be seen, and what to do.

use super::super::event::Event;
use super::super::failure;
use super::super::job::Job;
use super::{is_source, tell};
use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::error::{Error, ErrorKind};
use crate::model::name::MigrationId;
use crate::plan::gate::{GateKind, Verdict, source_names};

/// The error for a verdict that is not CLEAR.
pub(super) fn unless_clear(
    kind: GateKind,
    migration: &MigrationId,
    verdict: &Verdict,
) -> Result<(), Error> {
    match verdict {
        Verdict::Clear => Ok(()),
        Verdict::Blocked { .. } | Verdict::Unknown { .. } => Err(refused(kind, migration, verdict)),
    }
}

/// Records a refusal as an event and returns its error.
pub(super) async fn refuse<T>(
    conn: &mut Connection,
    kind: GateKind,
    migration: &MigrationId,
    verdict: &Verdict,
) -> Result<T, Error> {
    let error = without_fence(refused(kind, migration, verdict));
    let message = format!("{error}: {}", error.detail.join("; "));
    if let Err(second) = tell(conn, migration, "gate_refused", &message).await {
        // The refusal counts; that it could not be recorded does not change it.
        tracing::warn!(error = %second, "could not record the gate's refusal");
    }
    Err(error)
}

/// What an error says when there is no fence, or none any more.
pub(super) fn without_fence(mut error: Error) -> Error {
    error.not_done.push("no fence is left".to_owned());
    error
}

/// The error for a verdict.
pub(super) fn refused(kind: GateKind, migration: &MigrationId, verdict: &Verdict) -> Error {
    let (doing, done, verb) = match kind {
        GateKind::Contract => ("contract", "contracted", "tolerate"),
        GateKind::Rollback => ("roll back", "rolled back", "do not need"),
    };
    let mut error = match verdict {
        Verdict::Unknown { reasons } => {
            let message = format!("could not see who would break, so {migration} is not {done}");
            let mut error = Error::new(ErrorKind::Unknown, message).hint(format!(
                "A retry cannot help. Make it visible, or answer for it yourself: --override SOURCE --reason \"...\" \
                 (sources: {}).",
                source_names().join(", ")
            ));
            error.detail.clone_from(reasons);
            error
        }
        Verdict::Blocked { reasons, retry_after } => {
            let message = format!("could not {doing} {migration}: its gate is blocked");
            let mut error = Error::new(ErrorKind::Blocked, message).hint(format!(
                "Stop what is named, or deploy builds that {verb} {migration}; then run the same command again, or let \
                 it wait with --wait 2h. zdm instances shows who is there."
            ));
            error.detail.clone_from(reasons);
            error.retry_after = *retry_after;
            error
        }
        Verdict::Clear => Error::new(ErrorKind::Failed, format!("could not {doing} {migration}")),
    };
    error.not_done.push(format!("{migration} is not {done}; nothing was changed"));
    error
}

/// Names of sources that are none.
pub(super) fn check_overrides(overrides: &[(String, String)]) -> Result<(), Error> {
    match overrides.iter().find(|(name, _)| !is_source(name)) {
        None => Ok(()),
        Some((name, _)) => {
            Err(Error::usage(format!("cannot override \"{name}\": no source has that name"))
                .hint(format!("The sources are {}.", source_names().join(", "))))
        }
    }
}

/// The database said no while the gate looked.
pub(super) fn could_not_look(error: DbError) -> Error {
    failure::working("look at the gate's evidence", error)
}

/// Roles have their login back.
pub(crate) fn note_logins(job: &Job, roles: &[String]) {
    if !roles.is_empty() {
        note(job, format!("may log in again: {}", roles.join(", ")));
    }
}

/// Something that people should know.
pub(super) fn note(job: &Job, message: String) {
    job.listener.hear(&Event::Note { message });
}
