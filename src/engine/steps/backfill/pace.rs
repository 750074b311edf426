//! When the next batch may run, and how large it is: what `plan::pacing` decides is waited for here.

use std::future::Future;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::database::state::checkpoints::{Checkpoint, save_wait};
use crate::database::state::steering::steering;
use crate::engine::event::Event;
use crate::engine::failure::is_lost;
use crate::engine::retry;
use crate::engine::run::Run;
use crate::engine::signals::{Signals, When};
use crate::engine::steps::Task;
use crate::engine::stop;
use crate::error::Error;
use crate::plan::pacing::{self, Action, Batch, Limits, Load, Observation, Speed, State, Steering};

/// A reason to wait is told again when it has lasted for so long.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// The pace of a backfill.
pub(super) struct Pace<'a> {
    task: &'a Task<'a>,
    configured: Limits,
    steering: Steering,
    state: State,
    signals: Signals,
    look_every: Duration,
    looked: Option<Instant>,
    told: Option<Told>,
}

/// Why it waits, as it was told last.
struct Told {
    what: Vec<&'static str>,
    at: Instant,
}

impl<'a> Pace<'a> {
    /// Goes on as fast as a checkpoint says.
    pub(super) fn begin(run: &mut Run<'_>, task: &'a Task<'a>, at: &Checkpoint) -> Self {
        let engine = run.work.conn().engine();
        let config = &run.job.project.config.backfill;
        let speed = if run.job.full_speed { Speed::Full } else { Speed::BesideTraffic };
        let mut pace = config.pace.clone();
        if run.job.full_speed {
            pace.share = None;
        }
        let configured = Limits::of(engine, speed).steered(&pace);
        let rows = u32::try_from(at.batch_size).unwrap_or(u32::MAX);
        Self {
            task,
            configured,
            steering: Steering::default(),
            state: State::resume(&configured, rows),
            signals: Signals::of(run.job, engine),
            look_every: config.look_every,
            looked: None,
            told: None,
        }
    }

    /// Whether the last batches failed.
    pub(super) fn is_failing(&self) -> bool {
        self.state.is_failing()
    }

    /// Waits until a batch may run, and says how many rows it has.
    pub(super) async fn next(&mut self, run: &mut Run<'_>, last: Batch) -> Result<u32, Error> {
        let mut batch = last;
        loop {
            stop::check(&run.job.interrupt)?;
            self.look(run).await?;
            let limits = self.configured.steered(&self.steering);
            let load = Load::of(&self.signals.readings());
            let paused = self.steering.paused_by.is_some();
            let (state, action) =
                pacing::step(&limits, self.state, Observation { batch, load, paused });
            (self.state, batch) = (state, Batch::None);
            match action {
                Action::Run { rows } => {
                    self.go_on(run).await;
                    return Ok(rows);
                }
                Action::Rest(rest) => retry::wait(&run.job.interrupt, rest).await?,
                Action::Stay => {
                    self.stay(run).await;
                    retry::wait(&run.job.interrupt, self.look_every).await?;
                    self.looked = None;
                }
            }
        }
    }

    /// Lets a batch run, and looks at what only it shows.
    pub(super) async fn watching<T>(&mut self, worker: i64, batch: impl Future<Output = T>) -> T {
        let ended = CancellationToken::new();
        let batch = async {
            let outcome = batch.await;
            ended.cancel();
            outcome
        };
        let every = self.configured.steered(&self.steering).target / 2;
        let look = self.signals.look_during(worker, every, &ended);
        tokio::join!(batch, look).0
    }

    /// Says goodbye to the server.
    pub(super) async fn end(self) {
        self.signals.close().await;
    }

    /// Reads the signals, and what somebody has asked for, unless that was done just now.
    async fn look(&mut self, run: &mut Run<'_>) -> Result<(), Error> {
        if self.looked.is_some_and(|looked| looked.elapsed() < self.look_every) {
            return Ok(());
        }
        let when = if self.looked.is_some() { When::BetweenBatches } else { When::Staying };
        loop {
            match steering(run.work.conn(), self.task.migration).await {
                Ok(found) => break self.steering = found,
                Err(error) if is_lost(error.kind) => run.work.reconnect(run.job).await?,
                Err(error) => return Err(super::super::failed(self.task, error)),
            }
        }
        let worker = run.work.conn().backend();
        self.signals.look(worker, when).await;
        self.looked = Some(Instant::now());
        Ok(())
    }

    /// Tells why no batch runs, here and in the state.
    async fn stay(&mut self, run: &mut Run<'_>) {
        let (mut what, mut reasons) = (Vec::new(), Vec::new());
        if let Some(who) = &self.steering.paused_by {
            what.push("paused");
            let id = self.task.migration;
            reasons.push(format!("paused by {who}; zdm backfill resume {id} lets it go on"));
        }
        for reading in self.signals.readings().iter().filter(|reading| !reading.is_calm()) {
            what.push(reading.signal);
            reasons.push(reading.to_string());
        }
        if reasons.is_empty() {
            // It is told already why it had stopped; it goes on when that has lasted.
            return;
        }
        let is_new = |told: &Told| told.what != what || told.at.elapsed() >= TELL_EVERY;
        if self.told.as_ref().is_none_or(is_new) {
            let reason = reasons.join("; ");
            self.write(run, Some(&reason)).await;
            let title = self.task.step.title.clone();
            run.job.listener.hear(&Event::BackfillStays { title, reason });
            self.told = Some(Told { what, at: Instant::now() });
        }
    }

    async fn go_on(&mut self, run: &mut Run<'_>) {
        if self.told.take().is_some() {
            self.write(run, None).await;
            run.job.listener.hear(&Event::BackfillGoesOn);
        }
    }

    /// For `zdm status`: nothing is decided by it, so nothing fails with it.
    async fn write(&self, run: &mut Run<'_>, reason: Option<&str>) {
        let place = (self.task.migration, self.task.step.name.as_str());
        if let Err(error) = save_wait(run.work.conn(), place, reason).await {
            tracing::debug!(%error, "could not write why the backfill waits");
        }
    }
}
