//! `zdm baseline ID`: the schema that is there is what the migrations up to ID make. They are recorded as done, and not
//! run.

use super::advance::Ground;
use super::select;
use crate::database::error::DbError;
use crate::database::state::events::{NewEvent, append_event};
use crate::database::state::journal::set_state;
use crate::database::state::run_lock::check_run;
use crate::engine::commit::{Commit, commit_or_roll_back};
use crate::engine::failure;
use crate::engine::job::Job;
use crate::engine::open;
use crate::engine::run::Run;
use crate::error::{Error, ErrorKind};
use crate::model::name::MigrationId;
use crate::model::server::Server;
use crate::model::state::State;
use crate::plan::baseline::{self, Standing};
use crate::plan::history::History;
use crate::sql::catalog::Catalog;

/// Lets a baseline pass although tables are not there.
const SCHEMA: &str = "schema";

/// What is asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Wish<'a> {
    /// The last migration that is in the schema: its name or number.
    pub(crate) last: &'a str,
    /// Why, for the events.
    pub(crate) reason: &'a str,
    /// Whether anything is written.
    pub(crate) write: Write,
}

/// Whether anything is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Write {
    /// Into the state.
    Record,
    /// Nothing: only look.
    DryRun,
}

/// What came out of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Baselined {
    /// Whether it was written.
    pub(crate) write: Write,
    /// Up to and with this one.
    pub(crate) last: MigrationId,
    /// What is recorded as done now, or would be.
    pub(crate) recorded: Vec<MigrationId>,
    /// What had been done before.
    pub(crate) done_before: Vec<MigrationId>,
    /// The next command to type, when there is one.
    pub(crate) next: Option<String>,
}

/// Records them. Refused when one has begun, or when a table that they make is not there.
pub(crate) async fn baseline(job: &Job, wish: &Wish<'_>) -> Result<Baselined, Error> {
    check_overrides(job)?;
    let last = select::called(job, wish.last)?.id.clone();
    match wish.write {
        Write::Record => {
            open::with_run(job, async |run| {
                let ground = Ground::read(run).await?;
                let found = (&ground.history, &ground.now, ground.server);
                let mut baselined = look(job, wish, last.clone(), found)?;
                let written = record(run, &baselined.recorded, wish.reason).await;
                written.map_err(|error| failure::working("record the baseline", error))?;
                baselined.next = select::next_command(job, &open::history(run.work.conn()).await?);
                Ok(baselined)
            })
            .await
        }
        Write::DryRun => {
            let (mut conn, installed) = open::to_read(job).await?;
            let history =
                if installed { open::history(&mut conn).await? } else { History::default() };
            let now = conn.catalog(None).await;
            let now = now.map_err(|error| failure::working("read the catalog", error))?;
            let server = conn.server();
            conn.close().await;
            look(job, wish, last, (&history, &now, server))
        }
    }
}

fn check_overrides(job: &Job) -> Result<(), Error> {
    match job.overrides.iter().find(|(name, _)| name != SCHEMA) {
        None => Ok(()),
        Some((name, _)) => Err(Error::usage(format!("cannot override \"{name}\""))
            .hint(format!("What can be overridden: {SCHEMA}. Nothing was changed."))),
    }
}

/// What would be recorded.
fn look(
    job: &Job,
    wish: &Wish<'_>,
    last: MigrationId,
    (history, now, server): (&History, &Catalog, Server),
) -> Result<Baselined, Error> {
    let Standing { pending, under_way, done } = baseline::standing(&job.project, history, &last);
    if let Some((id, state)) = under_way.first() {
        let message =
            format!("migration {id} is {state}: it was run here, and cannot be recorded as done");
        return Err(Error::usage(message).hint(
            "Bring it to its end with zdm migrate, contract and purge; or take it back with zdm rollback. Nothing was changed.",
        ));
    }
    let missing = baseline::missing_tables(&job.project, &pending, now, server);
    let forgiven = job.overrides.iter().any(|(name, _)| name == SCHEMA);
    if !missing.is_empty() && !forgiven {
        let message = format!("the schema is not what the migrations up to {last} make");
        let error = Error::new(ErrorKind::Drift, message).hint(
            "Name the last migration that is in this schema; or, if the difference is meant: --override schema. Nothing was changed.",
        );
        return Err(missing.into_iter().fold(error, |error, (migration, table)| {
            error.detail(format!("table {table}, which {migration} makes, is not there"))
        }));
    }
    Ok(Baselined { write: wish.write, last, recorded: pending, done_before: done, next: None })
}

/// All of them in one transaction.
async fn record(run: &mut Run<'_>, ids: &[MigrationId], reason: &str) -> Result<(), DbError> {
    if ids.is_empty() {
        return Ok(());
    }
    let (conn, token, actor) = (run.work.conn(), &run.token, &run.actor);
    conn.begin().await?;
    let written = async {
        check_run(conn, token).await?;
        for id in ids {
            set_state(conn, id, State::Pending, State::Purged).await?;
            let message = format!("{id} was recorded as done, and not run: {reason}");
            let (migration, kind) = (Some(id), "baselined");
            let event = NewEvent { migration, kind, message: &message, detail: None };
            append_event(conn, actor, &event).await?;
        }
        Ok(())
    }
    .await;
    commit_or_roll_back(run.work.conn(), Commit::Baseline, written).await
}
