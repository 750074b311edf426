//! `zdm expand`: adds the new structure. The whole plan is judged before anything is changed.

use super::advance::{self, Ground};
use super::select;
use crate::engine::failure;
use crate::engine::job::Job;
use crate::engine::open;
use crate::engine::outcome::Outcome;
use crate::engine::overrides;
use crate::engine::run::Run;
use crate::engine::steps::keyset::Keyset;
use crate::error::{Error, ErrorKind};
use crate::lint::finding::Severity;
use crate::model::phase::Phase;
use crate::model::state::State;
use crate::model::step::Action;
use crate::operation::Refusal;
use crate::plan::build;
use crate::plan::migration::Migration;
use crate::plan::steps;
use crate::plan::view::{PlannedMigration, PlannedStatement};

/// Takes every pending migration to expanded.
pub(crate) async fn expand(job: &Job) -> Result<Outcome, Error> {
    overrides::check(job)?;
    let mut outcome = Outcome::default();
    open::with_run(job, async |run| {
        outcome.begin();
        let ground = Ground::read(run).await?;
        let chosen = select::chosen(job, &ground, Phase::Expand, &mut outcome)?;
        judge(run, &ground, &chosen, &mut outcome)?;
        for migration in chosen {
            // Again, on the tables as the one before it has left them.
            let ground = Ground::read(run).await?;
            let mut refusals = refusals(run, &ground, migration);
            refusals.extend(hidden_rows(run, &ground, migration).await?);
            if !refusals.is_empty() {
                return Err(advance::refused(migration, refusals));
            }
            advance::advance(run, migration, Phase::Expand, &mut outcome).await?;
        }
        advance::pass_left(run, Phase::Expand, &mut outcome).await?;
        advance::finish(run, &mut outcome).await?;
        Ok(outcome.clone())
    })
    .await
}

/// Looks at everything that would run, as the tables would be by then.
fn judge(
    run: &Run<'_>,
    ground: &Ground,
    chosen: &[&Migration],
    outcome: &mut Outcome,
) -> Result<(), Error> {
    let project = &run.job.project;
    let plan = build::plan(project, ground.server, Some(&ground.now), &ground.history);
    let mut findings = Vec::new();
    for migration in chosen {
        let planned = plan.migrations.iter().find(|planned| planned.id == migration.id);
        let Some(planned) = planned else { continue };
        let refusals = planned.refusals.iter().cloned();
        let mut refusals: Vec<_> =
            refusals.map(|(message, help)| Refusal { message, help }).collect();
        refusals.extend(without_key(run, ground, migration));
        if !refusals.is_empty() {
            return Err(advance::refused(migration, refusals));
        }
        outcome.notes.extend(planned.notes.iter().cloned());
        findings.extend(forbidden(planned));
    }
    if findings.is_empty() {
        return Ok(());
    }
    let count = findings.len();
    let are = if count == 1 { "statement is" } else { "statements are" };
    let message = format!("{count} {are} not safe while old builds run");
    let error = findings.into_iter().fold(Error::new(ErrorKind::Findings, message), Error::detail);
    Err(error.hint(
        "zdm plan shows them with what to write instead. To let one through: -- zdm:allow(rule) reason, above the statement. Nothing was changed.",
    ))
}

/// What the rules forbid in a migration, one line each.
fn forbidden(planned: &PlannedMigration) -> Vec<String> {
    let statements =
        planned.phases.iter().flat_map(|phase| &phase.steps).flat_map(|step| &step.statements);
    let line = |statement: &PlannedStatement| -> Vec<String> {
        let errors = statement.findings.iter().filter(|f| f.severity == Severity::Error);
        let place = statement.place.as_ref();
        let at = |finding: &crate::lint::finding::Finding| match place {
            Some((file, _)) => format!("{file}:{}: ", finding.span.line),
            None => String::new(),
        };
        errors.map(|f| format!("{}{}: {}", at(f), f.rule, f.message)).collect()
    };
    statements.flat_map(line).collect()
}

/// What makes a migration impossible on the tables as they are.
pub(super) fn refusals(run: &Run<'_>, ground: &Ground, migration: &Migration) -> Vec<Refusal> {
    if ground.history.state(&migration.id) != State::Pending {
        return Vec::new();
    }
    let mut refusals = ground.asked(run, migration, |cx| steps::refusals(migration, cx));
    refusals.extend(without_key(run, ground, migration));
    refusals
}

/// Tables of which row security hides rows from this role: a backfill would leave them as they are, in silence.
async fn hidden_rows(
    run: &mut Run<'_>,
    ground: &Ground,
    migration: &Migration,
) -> Result<Vec<Refusal>, Error> {
    let migrate = ground.asked(run, migration, |cx| steps::steps(migration, Phase::Migrate, cx));
    let mut refusals = Vec::new();
    for step in migrate.unwrap_or_default() {
        let Action::Backfill(backfill) = &step.action else { continue };
        let hides = run.work.conn().hides_rows(&backfill.table).await;
        if hides.map_err(|error| failure::working("ask for row security", error))? {
            let message = format!(
                "row security of table \"{}\" hides rows from this role, so that a backfill would not see them",
                backfill.table
            );
            let help = "let zdm work as a role with BYPASSRLS, or as the owner of a table without FORCE ROW LEVEL SECURITY";
            refusals.push(Refusal { message, help: help.to_owned() });
        }
    }
    Ok(refusals)
}

/// Tables that are to be filled and cannot be gone through in batches. One that is not there yet is looked at later.
fn without_key(run: &Run<'_>, ground: &Ground, migration: &Migration) -> Vec<Refusal> {
    let migrate = ground.asked(run, migration, |cx| steps::steps(migration, Phase::Migrate, cx));
    let mut refusals: Vec<Refusal> = Vec::new();
    for step in migrate.unwrap_or_default() {
        let name = match &step.action {
            Action::Backfill(backfill) => &backfill.table,
            Action::Verify(verify) => &verify.table,
            Action::Statements(_) | Action::Alone(_) => continue,
        };
        let found = ground.now.tables.get(name);
        let keyset = found.map(|table| Keyset::new(ground.server.engine, name, table));
        if let Some(Err(none)) = keyset {
            let help = "give the table a primary key in a migration of its own".to_owned();
            let refusal = Refusal { message: none.to_string(), help };
            if !refusals.contains(&refusal) {
                refusals.push(refusal);
            }
        }
    }
    refusals
}
