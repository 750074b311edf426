//! `zdm doctor`: explains a state that people made, and says the way out; does something about it only when told to.

use super::verify;
use crate::database::connection::Connection;
use crate::database::error::{DbError, DbErrorKind};
use crate::database::identity::ServerIdentity;
use crate::database::observe::Presence;
use crate::database::state::error::StateError;
use crate::database::state::events::{Actor, NewEvent, append_event};
use crate::database::state::install::{Installed, installed};
use crate::database::state::run_lock::run_owner;
use crate::database::state::services::missing_rights;
use crate::database::state::{identity, parts};
use crate::engine::failure;
use crate::engine::health::{Ground, cure};
use crate::engine::job::Job;
use crate::engine::open;
use crate::error::{Error, ErrorKind};
use crate::model::server::Server;
use crate::plan::gate::hard_fence::Obstacle;
use crate::plan::health::finding::{Finding, Kind, Remedy};
use crate::plan::health::rights::{self, MissingRight};
use crate::plan::health::state;

/// What `--apply` names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cure {
    /// Take a copy for a database of its own.
    Adopt,
    /// Make functions, triggers and lock rows of the state again.
    State,
    /// Make triggers as they must be.
    Triggers,
    /// Drop indexes that interrupted builds have left.
    Indexes,
}

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Diagnosis {
    /// The server.
    pub(crate) server: Server,
    /// Which database.
    pub(crate) identity: ServerIdentity,
    /// Whether zdm has ever written to it.
    pub(crate) installed: bool,
    /// What is wrong by now.
    pub(crate) findings: Vec<Finding>,
    /// What was done about it.
    pub(crate) applied: Vec<String>,
}

/// Looks; does what was asked for; looks again.
pub(crate) async fn doctor(job: &Job, cures: &[Cure]) -> Result<Diagnosis, Error> {
    let mut diagnosis = look(job).await?;
    let mut applied = Vec::new();
    for cure in cures {
        let wanted = diagnosis.findings.iter().filter_map(|finding| finding.remedy.clone());
        let wanted: Vec<_> = wanted.filter(|remedy| is_meant(*cure, remedy)).collect();
        if wanted.is_empty() {
            continue;
        }
        applied.extend(apply(job, *cure, wanted).await?);
        diagnosis = look(job).await?;
    }
    Ok(Diagnosis { applied, ..diagnosis })
}

fn is_meant(cure: Cure, remedy: &Remedy) -> bool {
    matches!(
        (cure, remedy),
        (Cure::Adopt, Remedy::Adopt)
            | (Cure::State, Remedy::State { .. })
            | (Cure::Triggers, Remedy::Triggers { .. })
            | (Cure::Indexes, Remedy::Index { .. })
    )
}

/// From the ground up: what lies on something that is broken is not looked at.
async fn look(job: &Job) -> Result<Diagnosis, Error> {
    let failed = |error| failure::working("look at the database", error);
    let opened = Connection::open(&job.target).await;
    let mut conn = opened.map_err(|error| failure::connecting(&job.target, error))?;
    let (server, own) = (conn.server(), conn.identity().await.map_err(failed)?);
    let there = installed(&mut conn).await.map_err(failed)?;
    let mut diagnosis = Diagnosis {
        server,
        identity: own,
        installed: there != Installed::No,
        findings: Vec::new(),
        applied: Vec::new(),
    };
    if let Installed::Newer { newest } = there {
        return Err(StateError::Newer { newest }.into());
    }
    if there != Installed::No {
        diagnosis.findings = findings(job, &mut conn).await?;
    }
    conn.close().await;
    Ok(diagnosis)
}

async fn findings(job: &Job, conn: &mut Connection) -> Result<Vec<Finding>, Error> {
    let failed = |error| failure::working("look at the database", error);
    let mut findings = state::parts(&parts::parts(conn).await.map_err(failed)?);
    let is_broken = |finding: &Finding| finding.kind == Kind::State && finding.remedy.is_none();
    if findings.iter().any(is_broken) {
        return Ok(findings);
    }
    match identity::check(conn, job.project.config.environment.as_deref()).await {
        Ok(()) => {}
        Err(StateError::Copy { differences }) => findings.push(state::copy(&differences)),
        Err(error) => return Err(error.into()),
    }
    if let Some(owner) = run_owner(conn).await.map_err(failed)?.filter(|owner| owner.expired) {
        findings.push(state::dead_run(&owner.to_string()));
    }
    findings.extend(Ground::read(conn).await?.findings(&job.project));
    let services = &job.project.config.services;
    for ungranted in missing_rights(conn, services).await.map_err(failed)? {
        findings.push(verify::unable(&ungranted));
    }
    Ok(findings)
}

async fn apply(job: &Job, cure: Cure, wanted: Vec<Remedy>) -> Result<Vec<String>, Error> {
    match cure {
        Cure::Adopt => adopt(job).await.map(|words| vec![words]),
        Cure::State => make_again(job, &wanted).await,
        Cure::Triggers | Cure::Indexes => {
            open::with_run(job, async |run| {
                // Again, with nobody beside.
                let ground = Ground::read(run.work.conn()).await?;
                let found = ground.findings(&job.project).into_iter();
                let now: Vec<_> = found.filter_map(|finding| finding.remedy).collect();
                let mut done = Vec::new();
                for remedy in now.iter().filter(|remedy| is_meant(cure, remedy)) {
                    let words = cure::apply(run, remedy).await?;
                    // Both triggers of a table are made at once.
                    if !done.contains(&words) {
                        done.push(words);
                    }
                }
                Ok(done)
            })
            .await
        }
    }
}

/// The state becomes this database's own. Nothing that has run is forgotten, and leases stay as they are: whoever
/// reports here goes on, and what came with a copy ends by itself.
async fn adopt(job: &Job) -> Result<String, Error> {
    let failed = |error| failure::working("adopt the state", error);
    let opened = Connection::open(&job.target).await;
    let mut conn = opened.map_err(|error| failure::connecting(&job.target, error))?;
    if !conn.try_presence(Presence::Run).await.map_err(failed)? {
        return Err(Error::new(ErrorKind::Busy, "another run is at work in this database")
            .hint("Wait for its end, then give the same command again. Nothing was changed."));
    }
    let environment = job.project.config.environment.as_deref();
    let adopted = identity::adopt(&mut conn, environment, &Actor::here()).await;
    conn.close().await;
    adopted.map_err(failed)
}

/// What a run needs to begin may be among it: so without a run.
async fn make_again(job: &Job, wanted: &[Remedy]) -> Result<Vec<String>, Error> {
    let failed = |error| failure::working("make parts of the state again", error);
    let opened = Connection::open(&job.target).await;
    let mut conn = opened.map_err(|error| failure::connecting(&job.target, error))?;
    let mut done = Vec::new();
    for remedy in wanted {
        let Remedy::State { name, statements } = remedy else { continue };
        match parts::make(&mut conn, statements).await {
            // Somebody else was quicker.
            Ok(()) => {}
            Err(error) if error.kind == DbErrorKind::Duplicate => {}
            Err(error) => return Err(failed(error)),
        }
        done.push(format!("made {name} of zdm's state again"));
    }
    for message in &done {
        let event = NewEvent { migration: None, kind: "repaired", message, detail: None };
        append_event(&mut conn, &Actor::here(), &event).await.map_err(failed)?;
    }
    conn.close().await;
    Ok(done)
}

/// What `--privileges` found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Privileges {
    /// The server.
    pub(crate) server: Server,
    /// What is missing.
    pub(crate) missing: Vec<MissingRight>,
    /// What cannot be seen for lack of something else than rights.
    pub(crate) blind_spots: Vec<String>,
}

/// The rights that zdm's user, and the roles of services, lack.
pub(crate) async fn privileges(job: &Job) -> Result<Privileges, Error> {
    let opened = Connection::open(&job.target).await;
    let mut conn = opened.map_err(|error| failure::connecting(&job.target, error))?;
    let read = read_rights(job, &mut conn).await;
    let (missing, blind_spots) =
        read.map_err(|error| failure::working("look at the rights of zdm's user", error))?;
    let server = conn.server();
    conn.close().await;
    Ok(Privileges { server, missing, blind_spots })
}

async fn read_rights(
    job: &Job,
    conn: &mut Connection,
) -> Result<(Vec<MissingRight>, Vec<String>), DbError> {
    let mut missing = rights::missing(&conn.own_rights().await?);
    if installed(conn).await? != Installed::No {
        for ungranted in missing_rights(conn, &job.project.config.services).await? {
            let why = format!("a service reports through functions: {}", ungranted.reason);
            let statement = ungranted.statement;
            missing.push(MissingRight { why, statement, managed: None });
        }
        if job.project.config.services.values().any(|service| service.hard_fence) {
            for role in conn.roles_of_leases().await?.into_values() {
                if let Some(Obstacle { why, statement: Some(statement) }) = role.obstacle
                    && !missing.iter().any(|known| known.statement == statement)
                {
                    missing.push(MissingRight { why, statement, managed: None });
                }
            }
        }
    }
    Ok((missing, conn.blind_spots().await?))
}
