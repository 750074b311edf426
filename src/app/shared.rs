//! What the handle, the keeper of the lease and the watchdog share.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::clock;
use super::deadline::Moment;
use super::error::{Readiness, StopReason};
use super::phase::Phases;

/// No deadline: nothing is granted.
const NONE: u64 = 0;

/// The one place that says until when the instance may serve.
pub(super) struct Shared {
    /// Nanoseconds on the boot clock.
    deadline: AtomicU64,
    /// What the lease was last granted for, in nanoseconds.
    ttl: AtomicU64,
    /// Set once, for good: nothing new is begun.
    draining: AtomicBool,
    /// Set once, for good.
    stop: watch::Sender<Option<StopReason>>,
    /// What is known of the migrations that the build needs.
    pub(super) phases: Phases,
    /// Wakes the watchdog; the mutex holds nothing.
    bell: (Mutex<()>, Condvar),
}

impl Shared {
    /// Nothing granted yet.
    pub(super) fn new(phases: Phases) -> Self {
        Self {
            deadline: AtomicU64::new(NONE),
            ttl: AtomicU64::new(0),
            draining: AtomicBool::new(false),
            stop: watch::Sender::new(None),
            phases,
            bell: (Mutex::new(()), Condvar::new()),
        }
    }

    /// The instance may serve until `deadline`.
    pub(super) fn grant(&self, deadline: Moment, ttl: Duration) {
        self.ttl.store(nanoseconds(ttl), Ordering::SeqCst);
        if !self.is_stopped() {
            self.deadline.store(nanoseconds(deadline.0), Ordering::SeqCst);
        }
        self.ring();
    }

    /// The instance begins nothing new; its lease is renewed all the same.
    pub(super) fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
        self.ring();
    }

    /// The instance may serve for ever: nobody keeps a lease for it.
    pub(super) fn grant_for_ever(&self) {
        self.grant(Moment(Duration::from_nanos(u64::MAX)), Duration::ZERO);
    }

    /// The instance must not serve again. The first reason counts.
    pub(super) fn stop(&self, reason: StopReason) {
        self.stop.send_if_modified(|stop| {
            let first = stop.is_none();
            if first {
                *stop = Some(reason);
            }
            first
        });
        // After the reason: a grant looks at it.
        self.deadline.store(NONE, Ordering::SeqCst);
        self.ring();
    }

    /// Whether the instance has to stop for good.
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.borrow().is_some()
    }

    /// Waits until the instance has to stop for good.
    pub(super) async fn stopped(&self) -> StopReason {
        let mut heard = self.stop.subscribe();
        let reason = heard.wait_for(Option::is_some).await;
        // The sender cannot be gone: it is in `self`.
        reason.ok().and_then(|reason| reason.clone()).unwrap_or(StopReason::Left)
    }

    /// Whether the instance may use the database at this very moment.
    pub(super) fn readiness(&self) -> Readiness {
        if self.is_stopped() {
            Readiness::Stopped
        } else if self.remaining().is_zero() {
            Readiness::Suspended
        } else if self.draining.load(Ordering::SeqCst) {
            Readiness::Draining
        } else {
            Readiness::Serving
        }
    }

    /// How long the instance may still serve.
    pub(super) fn remaining(&self) -> Duration {
        let deadline = Moment(Duration::from_nanos(self.deadline.load(Ordering::SeqCst)));
        deadline.from(clock::now())
    }

    /// What the lease was last granted for; zero before the first one.
    pub(super) fn ttl(&self) -> Duration {
        Duration::from_nanos(self.ttl.load(Ordering::SeqCst))
    }

    /// Sleeps until something is granted or stopped, or `limit` has passed. For the watchdog's thread.
    pub(super) fn listen(&self, limit: Duration) {
        let (mutex, bell) = &self.bell;
        let guard = mutex.lock().unwrap_or_else(PoisonError::into_inner);
        let heard = bell.wait_timeout(guard, limit).unwrap_or_else(PoisonError::into_inner);
        drop(heard);
    }

    fn ring(&self) {
        let (mutex, bell) = &self.bell;
        drop(mutex.lock().unwrap_or_else(PoisonError::into_inner));
        bell.notify_all();
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
