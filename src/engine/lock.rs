//! First look, then lock: a strong lock is asked for only when nobody old stands in its way.
//!
//! Why, with figures: a statement that waits for a strong lock holds up everyone who comes after it. So the wait is
//! done while holding nothing, and a try lasts 100 ms at most.

use std::time::{Duration, Instant};

use super::event::Event;
use super::failure::Halt;
use super::gate::Passed;
use super::job::Job;
use super::retry;
use super::session::Worker;
use crate::database::blockers::{Blocker, BlockerKind};
use crate::database::connection::LockLimit;
use crate::database::error::DbErrorKind;
use crate::error::{Error, ErrorKind};
use crate::model::name::TableName;

/// A transaction younger than this is not waited for: it will be gone before a try ends.
const OLD: Duration = Duration::from_millis(100);

/// After so much looking in vain, timed tries go on all the same.
const LOOK_FOR: Duration = Duration::from_secs(30);

/// So often a step may lose its connection and try again.
const RECONNECTS: u32 = 5;

/// How often to look.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// After so much looking in vain at what may stand in the way, or not.
const LOOK_FOR_POSSIBLE: Duration = Duration::from_secs(1);

/// How often to ask whether a gate still holds.
const GATE_EVERY: Duration = Duration::from_secs(1);

/// How often to tell that a lock is waited for.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// How one step's wait for its locks is going.
#[derive(Debug)]
pub(crate) struct Patience<'a> {
    title: &'a str,
    tables: &'a [TableName],
    until: Instant,
    looked: Duration,
    attempt: u32,
    lost: u32,
    told: Option<Instant>,
    blockers: Vec<String>,
    gate: Option<&'a Passed>,
    gate_seen: Instant,
}

impl<'a> Patience<'a> {
    /// The wait of a step for strong locks on `tables` begins.
    pub(crate) fn new(title: &'a str, tables: &'a [TableName], job: &Job) -> Self {
        let until = Instant::now() + job.lock_wait;
        let (looked, attempt, lost, told) = (Duration::ZERO, 0, 0, None);
        Self {
            title,
            tables,
            until,
            looked,
            attempt,
            lost,
            told,
            blockers: Vec::new(),
            gate: None,
            gate_seen: Instant::now(),
        }
    }

    /// The wait is behind a gate: it ends when the gate no longer holds.
    pub(crate) fn behind(mut self, gate: Option<&'a Passed>) -> Self {
        self.gate = gate;
        self
    }

    /// A part of the old structure is out of sight: there is no way back for old instances, whatever the gate says.
    pub(crate) fn past_the_gate(&mut self) {
        self.gate = None;
    }

    /// While a contract waits for a lock, an old instance must not run into its deadline.
    async fn look_at_gate(&mut self, work: &mut Worker) -> Result<(), Halt> {
        if let Some(gate) = self.gate
            && self.gate_seen.elapsed() >= GATE_EVERY
        {
            self.gate_seen = Instant::now();
            gate.still_holds(work.conn()).await?;
        }
        Ok(())
    }

    /// Waits, holding nothing, until no old transaction holds a lock that conflicts.
    pub(crate) async fn look(&mut self, work: &mut Worker, job: &Job) -> Result<(), Halt> {
        if self.tables.is_empty() {
            return Ok(());
        }
        let began = Instant::now();
        loop {
            self.look_at_gate(work).await?;
            let found = work.conn().blockers(self.tables, OLD).await?;
            let looked = self.looked + began.elapsed();
            // Where the server does not tell who holds what, a try is the only way to know.
            let is_vague = found.iter().all(|blocker| blocker.kind == BlockerKind::Possible);
            let enough = if is_vague { LOOK_FOR_POSSIBLE } else { LOOK_FOR };
            if found.is_empty() || looked >= enough {
                self.looked += began.elapsed();
                return Ok(());
            }
            self.note(&found, job);
            if Instant::now() >= self.until {
                return Err(self.busy(work).await.into());
            }
            if found.iter().all(|blocker| blocker.kind == BlockerKind::Autovacuum) {
                self.displace_autovacuum(work).await?;
                continue;
            }
            retry::wait(&job.interrupt, LOOK_EVERY).await?;
        }
    }

    /// An autovacuum gives way after a second, which is longer than anybody may wait behind a strong lock.
    async fn displace_autovacuum(&self, work: &mut Worker) -> Result<(), Halt> {
        // The worker sets the limit anew before its next try.
        work.limit(LockLimit::CLOSING).await?;
        match work.conn().displace_autovacuum(self.tables).await {
            // Somebody else has come: the next look names them.
            Err(error) if error.kind == DbErrorKind::LockTimeout => Ok(()),
            done => Ok(done?),
        }
    }

    /// A try failed because others were in the way: a pause, or the end of patience.
    pub(crate) async fn pause(&mut self, work: &mut Worker, job: &Job) -> Result<(), Halt> {
        self.attempt += 1;
        let found = work.conn().blockers(self.tables, Duration::ZERO).await?;
        self.note(&found, job);
        if self.is_over() {
            return Err(self.busy(work).await.into());
        }
        let random = rand::random();
        let pause = retry::LOCK.after(self.attempt, random);
        let left = self.until.saturating_duration_since(Instant::now());
        let until = Instant::now() + pause.min(left);
        loop {
            let rest = until.saturating_duration_since(Instant::now());
            retry::wait(&job.interrupt, rest.min(GATE_EVERY)).await?;
            if Instant::now() >= until {
                return Ok(());
            }
            self.look_at_gate(work).await?;
        }
    }

    /// Another try is about to be made: tells who is in the way, and ends when patience does.
    pub(crate) async fn note_now(&mut self, work: &mut Worker, job: &Job) -> Result<(), Halt> {
        self.attempt += 1;
        let found = work.conn().blockers(self.tables, Duration::ZERO).await?;
        self.note(&found, job);
        if self.is_over() { Err(self.busy(work).await.into()) } else { Ok(()) }
    }

    /// Whether a lost connection may be made again: not for ever, as the statement itself may end it.
    pub(crate) fn may_reconnect(&mut self) -> bool {
        self.lost += 1;
        self.lost <= RECONNECTS
    }

    /// Whether the patience of `--lock-wait` is at its end.
    pub(crate) fn is_over(&self) -> bool {
        Instant::now() >= self.until
    }

    /// Remembers who is in the way, and tells it, but not too often.
    pub(crate) fn note(&mut self, found: &[Blocker], job: &Job) {
        if !found.is_empty() {
            self.blockers = found.iter().map(ToString::to_string).collect();
        }
        if self.told.is_none_or(|told| told.elapsed() >= TELL_EVERY) {
            self.told = Some(Instant::now());
            job.listener.hear(&Event::WaitsForLock {
                title: self.title.to_owned(),
                blockers: self.blockers.clone(),
                attempt: self.attempt,
            });
        }
    }

    /// The end of patience, with those in the way by name, and with what cannot be seen of them.
    pub(crate) async fn busy(&self, work: &mut Worker) -> Error {
        let tables: Vec<_> = self.tables.iter().map(|table| format!("table \"{table}\"")).collect();
        let on =
            if tables.is_empty() { String::new() } else { format!(" on {}", tables.join(", ")) };
        let mut error =
            Error::new(ErrorKind::Busy, format!("could not get a lock{on} to {}", self.title));
        for blocker in &self.blockers {
            error = error.detail(blocker.clone());
        }
        // Advice only: a server that cannot even say this changes nothing.
        for line in work.conn().blind_spots().await.unwrap_or_default() {
            error = error.detail(line);
        }
        error.hint(
            "Wait for the end of these transactions, or end them, then run the same command again; --lock-wait sets how long zdm waits.",
        )
    }
}
