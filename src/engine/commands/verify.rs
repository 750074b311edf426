//! `zdm verify`: what the journal says against the catalog, the rows, the triggers and the rights. Changes nothing.

use std::time::{Duration, Instant};

use crate::database::connection::Connection;
use crate::database::error::{DbError, DbErrorKind};
use crate::database::identity::ServerIdentity;
use crate::database::state::run_lock::run_owner;
use crate::database::state::services::{Ungranted, missing_rights};
use crate::engine::failure;
use crate::engine::health::smoke::{self, Tried};
use crate::engine::health::{Ground, rows};
use crate::engine::job::Job;
use crate::engine::open;
use crate::error::Error;
use crate::model::server::Server;
use crate::operation::Sync;
use crate::plan::health::data::{self, Counted};
use crate::plan::health::finding::{Finding, Kind};
use crate::plan::health::triggers;
use crate::plan::steps::schema;
use crate::sql::quote::ident;

/// What came out of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Checkup {
    /// The server.
    pub(crate) server: Server,
    /// Which database.
    pub(crate) identity: ServerIdentity,
    /// Whether zdm has ever written to it.
    pub(crate) installed: bool,
    /// What is wrong.
    pub(crate) findings: Vec<Finding>,
    /// How many traces of done steps were looked for.
    pub(crate) traces: usize,
    /// The conditions on rows that were counted.
    pub(crate) counted: Vec<Counted>,
    /// What was tried in a transaction that was rolled back, and works.
    pub(crate) tried: Vec<String>,
    /// What was not looked at, or not to its end, and why.
    pub(crate) not_reached: Vec<String>,
    /// How long it took.
    pub(crate) took: Duration,
}

/// Looks at everything, for `within` at most.
pub(crate) async fn verify(job: &Job, within: Duration) -> Result<Checkup, Error> {
    let began = Instant::now();
    let until = began + within;
    let (mut conn, installed) = open::to_read(job).await?;
    let failed = |error| failure::working("verify the database", error);
    let identity = conn.identity().await.map_err(failed)?;
    let mut checkup = Checkup {
        server: conn.server(),
        identity,
        installed,
        findings: Vec::new(),
        traces: 0,
        counted: Vec::new(),
        tried: Vec::new(),
        not_reached: Vec::new(),
        took: Duration::ZERO,
    };
    if installed {
        let ground = Ground::read(&mut conn).await?;
        checkup.traces = ground.traces(&job.project).len();
        checkup.findings = ground.findings(&job.project);
        let owner = run_owner(&mut conn).await.map_err(failed)?;
        if let Some(owner) = owner.filter(|owner| !owner.expired) {
            let note = format!(
                "a run is at work ({owner}): what it changes meanwhile may look like a difference"
            );
            checkup.not_reached.push(note);
        }
        let mut look = Look { job, conn: &mut conn, ground: &ground, until, checkup: &mut checkup };
        let looked = look.beyond_the_catalog().await;
        looked.map_err(failed)?;
    }
    conn.close().await;
    checkup.took = began.elapsed();
    Ok(checkup)
}

/// One look.
struct Look<'a> {
    job: &'a Job,
    conn: &'a mut Connection,
    ground: &'a Ground,
    until: Instant,
    checkup: &'a mut Checkup,
}

impl Look<'_> {
    async fn beyond_the_catalog(&mut self) -> Result<(), DbError> {
        let syncs = triggers::wanted(&self.job.project, &self.ground.history, self.ground.server);
        let syncs: Vec<Sync> = syncs.into_values().flatten().collect();
        if self.conn.is_read_only().await? {
            let why = "the server takes no writes: triggers and joins were not tried";
            self.checkup.not_reached.push(why.to_owned());
        } else {
            self.try_triggers(&syncs).await?;
            self.try_roles().await?;
        }
        self.rights(&syncs).await?;
        self.rows().await
    }

    fn is_over(&mut self, what: &str) -> bool {
        let over = Instant::now() >= self.until;
        if over {
            self.checkup.not_reached.push(format!("{what}: time was up"));
        }
        over
    }

    async fn limit(&mut self) -> Result<(), DbError> {
        rows::limit(self.conn, self.until.saturating_duration_since(Instant::now())).await
    }

    async fn try_triggers(&mut self, syncs: &[Sync]) -> Result<(), DbError> {
        for sync in syncs {
            let what = format!(
                "the triggers of table \"{}\" keep \"{}\" and \"{}\" alike",
                sync.table, sync.old, sync.new
            );
            let Some(table) = self.ground.now.tables.get(&sync.table) else { continue };
            // What the catalog shows to be broken needs no trial.
            let is_known = |finding: &Finding| {
                matches!(finding.kind, Kind::Trigger | Kind::Missing)
                    && finding.migration.as_ref() == Some(&sync.migration)
            };
            if self.checkup.findings.iter().any(is_known) || self.is_over(&what) {
                continue;
            }
            self.limit().await?;
            let tried = smoke::sync(self.conn, table, sync).await?;
            self.note(what, tried);
        }
        Ok(())
    }

    async fn try_roles(&mut self) -> Result<(), DbError> {
        for (service, config) in &self.job.project.config.services {
            for role in &config.roles {
                let what = format!("role \"{role}\" may report for service \"{service}\"");
                if !self.is_over(&what) {
                    self.limit().await?;
                    let tried = smoke::join(self.conn, service, role).await?;
                    self.note(what, tried);
                }
            }
        }
        Ok(())
    }

    fn note(&mut self, what: String, tried: Tried) {
        match tried {
            Tried::Works => self.checkup.tried.push(what),
            Tried::Fails(finding) => self.checkup.findings.push(*finding),
            Tried::Not(why) => self.checkup.not_reached.push(format!("{what}: {why}")),
        }
    }

    /// What the catalog says of rights, which needs no trial.
    async fn rights(&mut self, syncs: &[Sync]) -> Result<(), DbError> {
        let services = &self.job.project.config.services;
        for ungranted in missing_rights(self.conn, services).await? {
            self.add(unable(&ungranted));
        }
        let engine = self.conn.engine();
        for (role, sync) in services
            .values()
            .flat_map(|service| &service.roles)
            .flat_map(|role| syncs.iter().map(move |sync| (role, sync)))
        {
            for left in self.conn.rights_left_behind(sync, role).await? {
                let message = format!(
                    "{} may {} column \"{}\" of table \"{}\", and not \"{}\"",
                    left.role, left.right, sync.old, sync.table, sync.new
                );
                let (new, table) = (ident(engine, &sync.new), smoke::table_of(sync, engine));
                let way_out = format!(
                    "The new build would be refused. Run: GRANT {} ({new}) ON {table} TO {}",
                    left.right, left.role
                );
                self.add(Finding::new(Kind::Right, message, way_out).of(&sync.migration));
            }
        }
        Ok(())
    }

    fn add(&mut self, finding: Finding) {
        if !self.checkup.findings.contains(&finding) {
            self.checkup.findings.push(finding);
        }
    }

    /// Small tables first, so that most is known when time is up.
    async fn rows(&mut self) -> Result<(), DbError> {
        let server = self.ground.server;
        let mut checks = data::checks(&self.job.project, &self.ground.history, server);
        let size = |check: &data::Check| {
            self.ground.now.tables.get(&check.table).and_then(|table| table.estimated_rows)
        };
        checks.sort_by_key(|check| size(check));
        let schema = schema(&self.job.project.config, server.engine);
        for check in checks {
            let what = format!("the rows of table \"{}\" ({})", check.table, check.title);
            if self.is_over(&what) {
                continue;
            }
            let bounds = rows::Bounds::all(self.until);
            let counted = match rows::count(self.conn, &self.ground.now, check, bounds).await {
                Ok(counted) => counted,
                Err(error) if error.kind == DbErrorKind::Cancelled => {
                    self.checkup.not_reached.push(format!("{what}: {error}"));
                    continue;
                }
                Err(error) => return Err(error),
            };
            if let Some(why) = &counted.cut_short {
                self.checkup.not_reached.push(format!("{what}: {why}"));
            }
            if let Some(finding) = data::finding(&counted, schema) {
                self.add(finding);
            }
            self.checkup.counted.push(counted);
        }
        Ok(())
    }
}

/// A right on zdm's functions is missing.
pub(super) fn unable(ungranted: &Ungranted) -> Finding {
    let message = format!("a service cannot report: {}", ungranted.reason);
    let way_out = format!("Have somebody who may grant it run: {}", ungranted.statement);
    Finding::new(Kind::Right, message, way_out)
}
