//! `zdm plan --verify`: every statement of a plan runs on a scratch server, through all phases, and what it did is held
//! against what the plan foretells.
//!
//! The tables are empty but for what the migrations themselves insert: locks, algorithms and new files do not depend on
//! rows. Nothing is journalled, and no gate is passed: that is what `zdm up` on a test database is for.

mod ground;
mod mysql;
mod postgres;
mod schema;

use std::collections::BTreeSet;
use std::sync::Arc;

pub(crate) use schema::SchemaFile;

use self::ground::Ground;
use self::postgres::Judged;
use super::failure;
use super::interrupt::Interrupt;
use super::stop;
use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::database::footprint::Oid;
use crate::database::target::{DatabaseUrl, Target};
use crate::error::{Error, ErrorKind};
use crate::model::phase::Phase;
use crate::model::server::Engine;
use crate::model::step::Action;
use crate::plan::build;
use crate::plan::history::History;
use crate::plan::project::Project;
use crate::plan::verified::{Seen, Verified, VerifiedStatement};
use crate::plan::view::{Plan, PlannedMigration, PlannedPhase, PlannedStep};

/// What is verified, and where.
#[derive(Clone)]
pub(crate) struct Wish {
    /// The migrations.
    pub(crate) project: Arc<Project>,
    /// What has run, if the schema says so: it is not run again.
    pub(crate) history: History,
    /// The schema to start from; none: nothing.
    pub(crate) schema: Option<SchemaFile>,
    /// The server; none: zdm starts one.
    pub(crate) url: Option<DatabaseUrl>,
    /// Of which family that is.
    pub(crate) engine: Engine,
    /// Asks to stop.
    pub(crate) interrupt: Interrupt,
}

/// Runs the plan; returns it as it was foretold on that server, and what was seen.
pub(crate) async fn verify(wish: &Wish) -> Result<(Plan, Verified), Error> {
    let schemas = &wish.project.config.database.schemas;
    let mut ground = Ground::prepare(wish.url.as_ref(), wish.engine, schemas).await?;
    let ended = on(&mut ground, wish).await;
    // What went wrong before is the error that counts.
    let left = ground.leave().await;
    let verified = ended?;
    left?;
    Ok(verified)
}

async fn on(ground: &mut Ground, wish: &Wish) -> Result<(Plan, Verified), Error> {
    let mut stage = Stage::open(&ground.target.clone()).await?;
    let played = stage.play(ground, wish).await;
    stage.close().await;
    played
}

/// The connections: one that works, one that stands in its way, one that looks.
struct Stage {
    conn: Connection,
    other: Connection,
    watcher: Connection,
}

impl Stage {
    async fn open(target: &Target) -> Result<Self, Error> {
        let open = async || {
            let opened = Connection::open(target).await;
            opened.map_err(|error| failure::connecting(target, error))
        };
        let mut conn = open().await?;
        let made = schema::search_path(&mut conn, &target.schemas).await;
        made.map_err(|error| failure::working("make the schemas of the search path", error))?;
        Ok(Self { conn, other: open().await?, watcher: open().await? })
    }

    async fn close(self) {
        self.conn.close().await;
        self.other.close().await;
        self.watcher.close().await;
    }

    async fn play(&mut self, ground: &mut Ground, wish: &Wish) -> Result<(Plan, Verified), Error> {
        let mut notes = Vec::new();
        if let Some(file) = &wish.schema {
            let passed_over = schema::load(&mut self.conn, file).await?;
            if passed_over > 0 {
                notes.push(format!(
                    "{passed_over} statements of {} name roles that the scratch server does not have, and were passed over",
                    file.path
                ));
            }
        }
        let made = schema::own(&mut self.conn).await;
        made.map_err(|error| failure::working("make the schema zdm", error))?;
        let base = self.conn.catalog(None).await;
        let base = base.map_err(|error| failure::working("read the schema", error))?;
        let server = self.conn.server();
        let plan = build::plan(&wish.project, server, Some(&base), &wish.history);
        refuse(&plan)?;
        let mut statements = Vec::new();
        // As in life: contract waits for old builds, expand does not.
        for migration in &plan.migrations {
            let old = self.tables().await?;
            for phase in migration.phases.iter().filter(|phase| !is_late(phase.phase)) {
                statements.extend(self.phase(ground, wish, (migration, phase), &old).await?);
            }
        }
        for migration in &plan.migrations {
            for phase in migration.phases.iter().filter(|phase| is_late(phase.phase)) {
                let old = self.tables().await?;
                statements.extend(self.phase(ground, wish, (migration, phase), &old).await?);
            }
        }
        Ok((plan, Verified { server, statements, notes }))
    }

    /// The tables that are there.
    async fn tables(&mut self) -> Result<BTreeSet<Oid>, Error> {
        if self.conn.engine().is_mysql_family() {
            return Ok(BTreeSet::new());
        }
        let tables = self.conn.table_files().await;
        let tables = tables.map_err(|error| failure::working("read the tables", error))?;
        Ok(tables.into_keys().collect())
    }

    async fn phase(
        &mut self,
        ground: &mut Ground,
        wish: &Wish,
        (migration, phase): (&PlannedMigration, &PlannedPhase),
        old: &BTreeSet<Oid>,
    ) -> Result<Vec<VerifiedStatement>, Error> {
        let mut verified = Vec::new();
        for step in phase.steps.iter().filter(|step| !step.done) {
            stop::check(&wish.interrupt)?;
            let judged = self.patiently(ground, step, old).await;
            let judged = judged.map_err(|error| failed(migration, phase.phase, step, error))?;
            for (statement, (seen, differences)) in step.statements.iter().zip(judged) {
                verified.push(VerifiedStatement {
                    migration: migration.id.clone(),
                    phase: phase.phase,
                    step: step.step.name.clone(),
                    sql: statement.sql.clone(),
                    place: statement.place.clone(),
                    foretold: statement.effect.clone(),
                    seen,
                    differences,
                });
            }
        }
        Ok(verified)
    }

    /// Runs a step; on zdm's own server, roles that it names are made, and it runs again.
    async fn patiently(
        &mut self,
        ground: &mut Ground,
        step: &PlannedStep,
        old: &BTreeSet<Oid>,
    ) -> Result<Vec<Judged>, DbError> {
        loop {
            let error = match self.step(step, old).await {
                Ok(judged) => return Ok(judged),
                Err(error) => error,
            };
            match missing_role(&error).filter(|_| ground.is_own_server()) {
                Some(role) if ground.make_role(&role).await => {}
                _ => return Err(error),
            }
        }
    }

    async fn step(
        &mut self,
        step: &PlannedStep,
        old: &BTreeSet<Oid>,
    ) -> Result<Vec<Judged>, DbError> {
        let is_alone = matches!(step.step.action, Action::Alone(_));
        if self.conn.engine().is_mysql_family() {
            let mut judged = Vec::new();
            for statement in &step.statements {
                judged.push(match step.step.action {
                    // Rows are none of its business.
                    Action::Backfill(_) | Action::Verify(_) => {
                        self.conn.run(&statement.sql).await?;
                        (Seen::Nothing, Vec::new())
                    }
                    Action::Statements(_) | Action::Alone(_) => {
                        mysql::one(&mut self.conn, statement).await?
                    }
                });
            }
            return Ok(judged);
        }
        match step.statements.first() {
            Some(statement) if is_alone => {
                let stage = (&mut self.conn, &mut self.other, &mut self.watcher);
                Ok(vec![postgres::alone(stage, statement, old).await?])
            }
            _ => postgres::together(&mut self.conn, &step.statements, old).await,
        }
    }
}

fn is_late(phase: Phase) -> bool {
    match phase {
        Phase::Contract | Phase::Purge | Phase::Reveal => true,
        Phase::Expand | Phase::Migrate | Phase::Rollback => false,
    }
}

/// What is refused cannot be run.
fn refuse(plan: &Plan) -> Result<(), Error> {
    let refused = plan.migrations.iter().find(|migration| !migration.refusals.is_empty());
    let Some(refused) = refused else { return Ok(()) };
    let error =
        Error::usage(format!("migration {} is refused, and cannot be verified", refused.id));
    let help = refused.refusals.first().map(|(_, help)| help.clone()).unwrap_or_default();
    let lines = refused.refusals.iter().map(|(message, _)| message.clone());
    Err(lines.fold(error, Error::detail).hint(help))
}

/// The role that a statement names and the server does not have.
fn missing_role(error: &DbError) -> Option<String> {
    if error.code.as_deref() != Some("42704") {
        return None;
    }
    let (_, rest) = error.message.split_once("role \"")?;
    rest.split_once('"').map(|(name, _)| name.to_owned())
}

fn failed(migration: &PlannedMigration, phase: Phase, step: &PlannedStep, error: DbError) -> Error {
    let message = format!(
        "{} of {} does not run on the scratch server: {}",
        phase, migration.id, step.step.title
    );
    let mut failure = Error::new(ErrorKind::Failed, message);
    if let Some(origin) = &step.step.origin {
        failure = failure.detail(format!("in {}, line {}", origin.file, origin.line));
    }
    failure
        .hint("Without --schema FILE all migrations of the folder run from an empty database; with it, on that schema.")
        .caused_by(error)
}
