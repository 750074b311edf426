//! A plan, for programs.

use schemars::JsonSchema;
use serde::Serialize;

use super::FORMAT;
use super::statement::{Parts, Statement};
use super::verified::Verification;
use crate::model::name::MigrationId;
use crate::model::phase::Phase;
use crate::model::server::Server;
use crate::model::step::Action;
use crate::plan::digest::{Digest, digest};
use crate::plan::verified::Verified;
use crate::plan::view;
use crate::report::since;

/// What `plan --format json` writes.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plan<'a> {
    /// Always 1.
    format: u32,
    /// The command's name.
    command: String,
    /// Whether it could run as it is.
    result: PlanResult,
    /// For which server.
    server: ServerWords,
    /// From which revision on changes are shown; null: everything is.
    since: Option<Since>,
    /// What a reviewer must know first.
    summary: Summary,
    /// In order.
    migrations: Vec<Migration<'a>>,
    /// What `--verify` saw; null: it was not asked for.
    verification: Option<Verification>,
    /// The next command to type.
    next: Option<String>,
}

/// Whether a plan could run as it is.
#[derive(Serialize, JsonSchema, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PlanResult {
    /// Yes.
    Done,
    /// No: findings are errors. Exit code 3.
    Findings,
    /// No: a migration is refused. Exit code 2.
    Refused,
    /// What ran on the scratch server is not what is foretold. Exit code 1.
    Differs,
}

/// A server.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServerWords {
    /// postgres, mysql or mariadb.
    engine: String,
    /// `15.0`, `10.11`.
    version: String,
}

/// What has not run yet, counted.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Summary {
    /// Steps to run.
    steps: usize,
    /// Findings that are errors.
    errors: usize,
    /// Findings that are warnings.
    warnings: usize,
    /// Findings that are remarks.
    infos: usize,
    /// Migrations that cannot run as they are.
    refused: Vec<String>,
    /// Statements during which writes, or reads and writes, wait for as long as a table is read or written anew.
    blocking: usize,
    /// Statements that are not understood: the worst case is assumed.
    not_understood: usize,
    /// Migrations whose contract has a gate.
    gated: Vec<String>,
    /// Migrations with a phase from which there is no way back.
    points_of_no_return: Vec<String>,
}

impl From<&Digest<'_>> for Summary {
    fn from(digest: &Digest<'_>) -> Self {
        let [errors, warnings, infos] = digest.findings;
        let names = |mut ids: Vec<&MigrationId>| {
            ids.dedup();
            ids.into_iter().map(ToString::to_string).collect()
        };
        Self {
            steps: digest.steps,
            errors,
            warnings,
            infos,
            refused: names(digest.refused.clone()),
            blocking: digest.long.len(),
            not_understood: digest.unknown,
            gated: names(digest.gates.iter().map(|(id, _)| *id).collect()),
            points_of_no_return: names(digest.finals.iter().map(|(id, _)| *id).collect()),
        }
    }
}

/// A revision of git.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Since {
    /// As it was typed.
    revision: String,
    /// The merge base with HEAD.
    base: String,
    /// Folders of migrations that were there and are not any more.
    gone: Vec<String>,
}

impl From<&since::Since> for Since {
    fn from(since: &since::Since) -> Self {
        Self {
            revision: since.revision.clone(),
            base: since.base.clone(),
            gone: since.gone.clone(),
        }
    }
}

/// A migration.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Migration<'a> {
    /// Its name.
    id: String,
    /// For people.
    description: Option<String>,
    /// Where it stands; pending when no database was asked.
    state: String,
    /// The phases that have steps.
    phases: Vec<PhasePlan<'a>>,
    /// What the rules report beside the steps: lines of migration.toml, with what is said of the migration as a whole, and
    /// statements of rollback.sql. None when only one phase was asked for.
    beside: Vec<Statement<'a>>,
    /// Why it cannot run.
    refusals: Vec<Refusal>,
    /// What people should know.
    notes: Vec<String>,
}

/// Why a migration cannot run.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refusal {
    /// What is in the way.
    message: String,
    /// What to do instead.
    help: String,
}

/// A phase.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct PhasePlan<'a> {
    /// expand, migrate, contract, purge, rollback or reveal.
    phase: String,
    /// The gate in front of it, in words.
    gate: Option<String>,
    /// Whether there is no way back once it has begun.
    point_of_no_return: bool,
    /// In order.
    steps: Vec<Step<'a>>,
}

/// A step.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step<'a> {
    /// Unique within its migration and phase.
    name: String,
    /// What it does.
    title: String,
    /// How it runs: `statements` (one transaction where the database can), `alone`, `backfill` or `verify`.
    kind: String,
    /// Whether it has run.
    done: bool,
    /// The tables on which it needs a strong lock.
    tables: Vec<String>,
    /// Its statements.
    statements: Vec<Statement<'a>>,
}

/// The plan, with the command that comes next.
pub(crate) fn plan<'p>(
    plan: &'p view::Plan,
    result: PlanResult,
    (next, since, only): (Option<&str>, Option<&since::Since>, Option<Phase>),
    verified: Option<&Verified>,
) -> Plan<'p> {
    Plan {
        format: FORMAT,
        command: "plan".to_owned(),
        result,
        server: server(plan.server),
        since: since.map(Since::from),
        summary: (&digest(plan, only)).into(),
        migrations: plan.migrations.iter().map(|one| migration(one, only)).collect(),
        verification: verified.map(Verification::from),
        next: next.map(str::to_owned),
    }
}

/// A server's words.
pub(crate) fn server(server: Server) -> ServerWords {
    let (major, minor) = server.version;
    ServerWords { engine: server.engine.as_str().to_owned(), version: format!("{major}.{minor}") }
}

fn migration(migration: &view::PlannedMigration, only: Option<Phase>) -> Migration<'_> {
    let refusal = |(message, help): &(String, String)| Refusal {
        message: message.clone(),
        help: help.clone(),
    };
    let said = |part: &&view::PlannedStatement| only.is_none() && !part.findings.is_empty();
    let beside = migration.beside.iter().filter(said);
    Migration {
        id: migration.id.to_string(),
        description: migration.description.clone(),
        state: migration.state.to_string(),
        phases: migration.phases.iter().map(phase).collect(),
        beside: beside.map(|part| statement(part, phase_of(part))).collect(),
        refusals: migration.refusals.iter().map(refusal).collect(),
        notes: migration.notes.clone(),
    }
}

fn phase(planned: &view::PlannedPhase) -> PhasePlan<'_> {
    PhasePlan {
        phase: planned.phase.to_string(),
        gate: planned.gate.as_ref().map(|gate| gate.words.clone()),
        point_of_no_return: planned.point_of_no_return,
        steps: planned.steps.iter().map(|step| self::step(step, planned.phase)).collect(),
    }
}

fn step(planned: &view::PlannedStep, phase: Phase) -> Step<'_> {
    let kind = match &planned.step.action {
        Action::Statements(_) => "statements",
        Action::Alone(_) => "alone",
        Action::Backfill(_) => "backfill",
        Action::Verify(_) => "verify",
    };
    Step {
        name: planned.step.name.clone(),
        title: planned.step.title.clone(),
        kind: kind.to_owned(),
        done: planned.done,
        tables: planned.step.tables.iter().map(ToString::to_string).collect(),
        statements: planned.statements.iter().map(|one| statement(one, phase)).collect(),
    }
}

fn statement(planned: &view::PlannedStatement, phase: Phase) -> Statement<'_> {
    Statement::from(Parts {
        place: planned.place.as_ref().map(|(path, span)| (path.as_str(), *span)),
        phase,
        sql: &planned.sql,
        changes: planned.changes.iter().map(|located| (&located.change).into()).collect(),
        effect: &planned.effect,
        estimate: planned.estimate,
        findings: &planned.findings,
    })
}

/// The phase of what is judged beside the steps.
pub(crate) fn phase_of(part: &view::PlannedStatement) -> Phase {
    let is_rollback = part.place.as_ref().is_some_and(|(path, _)| path.ends_with("/rollback.sql"));
    if is_rollback { Phase::Rollback } else { Phase::Expand }
}
