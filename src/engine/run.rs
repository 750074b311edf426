//! A run: it has the run lock and a work connection, and walks the steps of phases. How a step is run is `steps`'.

use std::time::Instant;

use super::commit::{Commit, commit_or_roll_back};
use super::event::Event;
use super::fault;
use super::gate::Passed;
use super::job::Job;
use super::session::Worker;
use super::steps::{self, Task};
use super::stop;
use super::transition::Transition;
use crate::database::error::DbError;
use crate::database::state::events::Actor;
use crate::database::state::run_lock::{RunToken, check_run};
use crate::error::Error;
use crate::model::journal::{MigrationRecord, Progress};
use crate::model::name::MigrationId;
use crate::model::phase::Phase;
use crate::model::state::State;
use crate::model::step::{Action, Step};

/// What a run holds.
pub(crate) struct Run<'a> {
    /// What is asked.
    pub(crate) job: &'a Job,
    /// The connection that works.
    pub(crate) work: Worker,
    /// The right to write to the state.
    pub(crate) token: RunToken,
    /// Who runs it.
    pub(crate) actor: Actor,
}

/// A phase of a migration, with all that is to be done in it.
#[derive(Debug)]
pub(crate) struct PhaseWork<'a> {
    /// Of which migration.
    pub(crate) migration: &'a MigrationId,
    /// Which.
    pub(crate) phase: Phase,
    /// In order.
    pub(crate) steps: &'a [Step],
    /// What the journal says of the migration; none: nothing.
    pub(crate) record: Option<&'a MigrationRecord>,
    /// The tables as they are, to be kept when expand begins.
    pub(crate) base: Option<String>,
    /// The gate that was passed, for the step that takes the old structure away.
    pub(crate) gate: Option<&'a Passed>,
}

impl PhaseWork<'_> {
    fn progress(&self, step: &Step) -> Option<Progress> {
        let mut steps = self.record.iter().flat_map(|record| &record.steps);
        let found = steps.find(|done| done.phase == self.phase && done.name == step.name);
        found.map(|step| step.progress)
    }
}

/// Walks the steps of a phase, from the first that is not done, and brings the migration into the state after it.
pub(crate) async fn phase(run: &mut Run<'_>, work: PhaseWork<'_>) -> Result<(), Error> {
    let (migration, phase) = (work.migration.clone(), work.phase);
    let (during, after) = State::during_and_after(phase);
    let state = work.record.map_or(State::Pending, |record| record.state);
    let mut enter = (state != during)
        .then(|| Transition { base: work.base.clone(), ..Transition::new(state, during) });
    run.job.listener.hear(&Event::PhaseBegan { migration: migration.clone(), phase });
    let last = work.steps.iter().rposition(|step| work.progress(step) != Some(Progress::Done));
    let gated = gated(&work);
    for (at, step) in work.steps.iter().enumerate() {
        stop::check(&run.job.interrupt)?;
        let earlier = work.progress(step);
        let (name, title) = (step.name.clone(), step.title.clone());
        let migration = migration.clone();
        if earlier == Some(Progress::Done) {
            run.job.listener.hear(&Event::StepSkipped { migration, phase, name, title });
            continue;
        }
        let leave = (Some(at) == last).then(|| Transition::new(during, after));
        let enter = enter.take();
        let gate = work.gate.filter(|_| Some(at) == gated);
        let (migration_, phase_steps) = (work.migration, work.steps);
        let task =
            Task { migration: migration_, phase, step, earlier, enter, leave, phase_steps, gate };
        let began = Instant::now();
        let (name_, title_) = (name.clone(), title.clone());
        run.job.listener.hear(&Event::StepBegan {
            migration: migration.clone(),
            phase,
            name: name_,
            title: title_,
        });
        steps::run(run, &task).await.map_err(|error| not_done(error, &work, at))?;
        let took = began.elapsed();
        run.job.listener.hear(&Event::StepDone { migration, phase, name, title, took });
    }
    if last.is_none() {
        let leave = Transition::new(during, after);
        pass(run, work.migration, enter.into_iter().chain([leave]).collect()).await?;
    }
    fault::point("phase-done");
    run.job.listener.hear(&Event::PhaseDone { migration, phase });
    Ok(())
}

/// The step before which the gate must have been passed: none when it is done.
pub(crate) fn gated(work: &PhaseWork<'_>) -> Option<usize> {
    let is_done = |step: &Step| work.progress(step) == Some(Progress::Done);
    let hides = |step: &Step| matches!(&step.action, Action::Statements(group) if group.hides);
    let mut steps = work.steps.iter();
    let at = steps.position(hides).unwrap_or(0);
    work.steps.get(at).is_some_and(|step| !is_done(step)).then_some(at)
}

/// Brings a migration through states in which there is nothing to do, all in one transaction.
pub(crate) async fn pass(
    run: &mut Run<'_>,
    migration: &MigrationId,
    transitions: Vec<Transition>,
) -> Result<(), Error> {
    let failed = |error| super::failure::working("record the state", error);
    loop {
        let written = write_all(run, migration, &transitions).await;
        match written {
            Ok(()) => return Ok(()),
            Err(error) if super::failure::is_lost(error.kind) => {
                run.work.reconnect(run.job).await?;
                // The commit whose answer was lost may have been one.
                let records = crate::database::state::journal::journal(run.work.conn()).await;
                let records = records.map_err(failed)?;
                let state = records.iter().find(|record| record.id == *migration).map(|r| r.state);
                if state == transitions.last().map(|transition| transition.to) {
                    return Ok(());
                }
            }
            Err(error) => return Err(failed(error)),
        }
    }
}

async fn write_all(
    run: &mut Run<'_>,
    migration: &MigrationId,
    transitions: &[Transition],
) -> Result<(), DbError> {
    let (conn, token, actor) = (run.work.conn(), &run.token, &run.actor);
    conn.begin().await?;
    let written = async {
        check_run(conn, token).await?;
        for transition in transitions {
            transition.write(conn, migration, actor).await?;
        }
        Ok(())
    }
    .await;
    commit_or_roll_back(run.work.conn(), Commit::State, written).await
}

/// The error of a step, with what was done of its phase and what was not.
fn not_done(mut error: Error, work: &PhaseWork<'_>, at: usize) -> Error {
    let line = |step: &Step| format!("{}: {}: {}", work.migration, work.phase, step.title);
    error.done.extend(work.steps.iter().take(at).map(line));
    error.not_done.extend(work.steps.iter().skip(at).map(line));
    error
}
