//! The handle that an application holds.

use std::fmt;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::builder::{Checked, InstanceBuilder};
use super::error::{JoinError, Readiness, StopReason, UnknownMigration};
use super::keeper::{Keeper, Wishes};
use super::link::Link;
use super::phase::{Phase, Phases};
use super::shared::Shared;
use super::watchdog::{self, OnChange};

/// A running copy of an application, with a lease on the database.
///
/// Clones share the lease. Keep one for as long as the process uses the database: when the last one is dropped, the
/// lease is renewed no more and expires.
#[derive(Clone)]
#[must_use = "dropping it gives the lease up"]
pub struct Instance {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    wishes: Wishes,
    /// Cancelled when the keeper's thread has ended, however it did.
    ended: CancellationToken,
    watchdog: JoinHandle<()>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.wishes.abandon.cancel();
    }
}

impl Instance {
    /// Begins to describe an instance of `service`, by the name that it has in `zdm.toml`.
    pub fn builder(service: impl Into<String>) -> InstanceBuilder {
        InstanceBuilder::new(service.into())
    }

    /// Starts the threads and waits for the first lease. Needs no runtime of its own: any executor will do.
    pub(super) async fn start(checked: Checked) -> Result<Self, JoinError> {
        let Checked { report, target, join_timeout, on_change } = checked;
        let shared = Arc::new(Shared::new(Phases::of(&report.service, &report.needs)));
        let wishes = Wishes::default();
        let ended = CancellationToken::new();
        // The join may be given up from outside, by dropping this future.
        let given_up = wishes.abandon.clone().drop_guard();

        let (joined, heard) = oneshot::channel();
        let mut keeper =
            Keeper::new(Link::new(target), report, Arc::clone(&shared), wishes.clone());
        let end = ended.clone().drop_guard();
        let keep = move || {
            let _end = end;
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(joined.send(Err(JoinError::Threads(error)))),
            };
            runtime.block_on(async {
                let result = keeper.join(join_timeout).await;
                let goes_on = result.is_ok();
                // When nobody listens any more, `abandon` is raised, too.
                drop(joined.send(result));
                if goes_on {
                    keeper.keep().await;
                }
            });
        };
        Builder::new().name("zdm-lease".to_owned()).spawn(keep).map_err(JoinError::Threads)?;
        match heard.await {
            Ok(result) => result?,
            Err(_ended) => {
                return Err(JoinError::Database("the thread of the lease ended".to_owned()));
            }
        }
        let watchdog =
            watchdog::start(Arc::clone(&shared), on_change).map_err(JoinError::Threads)?;
        // From here on the handle says when it is over.
        drop(given_up.disarm());
        Ok(Self { inner: Arc::new(Inner { shared, wishes, ended, watchdog }) })
    }

    /// An instance that nobody grants anything, and that serves until it leaves.
    pub(super) fn without_lease(on_change: Option<OnChange>) -> Result<Self, JoinError> {
        tracing::warn!("ZDM_APP=off: there is no lease, and no gate sees this instance");
        let shared = Arc::new(Shared::new(Phases::Unasked));
        let wishes = Wishes::default();
        let ended = CancellationToken::new();
        shared.grant_for_ever();
        let (watched, wanted, end) = (Arc::clone(&shared), wishes.clone(), ended.clone());
        let keep = move || {
            let _end = end.drop_guard();
            let runtime = tokio::runtime::Builder::new_current_thread().build();
            let Ok(runtime) = runtime else { return watched.stop(StopReason::Left) };
            runtime.block_on(async {
                tokio::select! {
                    () = wanted.leave.cancelled() => {}
                    () = wanted.abandon.cancelled() => {}
                }
            });
            watched.stop(StopReason::Left);
        };
        Builder::new().name("zdm-lease".to_owned()).spawn(keep).map_err(JoinError::Threads)?;
        let watchdog =
            watchdog::start(Arc::clone(&shared), on_change).map_err(JoinError::Threads)?;
        Ok(Self { inner: Arc::new(Inner { shared, wishes, ended, watchdog }) })
    }

    /// Whether the instance may use the database at this very moment: for the readiness probe, and before work begins.
    pub fn ready(&self) -> bool {
        self.readiness() == Readiness::Serving
    }

    /// Whether the instance may use the database at this very moment, and if not, whether it may come back.
    pub fn readiness(&self) -> Readiness {
        self.inner.shared.readiness()
    }

    /// For the liveness probe: false only when zdm's own threads have died. It does not depend on the database, and neither
    /// should the probe: restarting applications does not bring a database back.
    pub fn live(&self) -> bool {
        let ended = self.inner.ended.is_cancelled() || self.inner.watchdog.is_finished();
        !ended || self.inner.shared.is_stopped()
    }

    /// Where a migration stands, by its name or number, for a build that may start once it is expanded (`deploy_after =
    /// "expand"`): `instance.phase("0002")?.reads_new()` says which structure to read. The answer is at most one renewal
    /// old, and no contract takes the old structure away before everybody who serves has heard of it.
    ///
    /// # Errors
    ///
    /// [`UnknownMigration`]: the build does not say that it needs it.
    pub fn phase(&self, migration: &str) -> Result<Phase, UnknownMigration> {
        self.inner.shared.phases.find(migration)
    }

    /// Waits until the instance has to stop for good: finish what is under way, then exit.
    pub async fn stopped(&self) -> StopReason {
        self.inner.shared.stopped().await
    }

    /// Begins the end: from now on [`ready`](Self::ready) is false, so that no new work arrives; the lease is renewed, so that
    /// what is under way may be finished. Then call [`leave`](Self::leave).
    pub fn drain(&self) {
        self.inner.shared.drain();
    }

    /// Ends the lease, so that nobody waits for it to expire. Call it when the last statement is done. It takes about two
    /// seconds at most; when the database cannot be told, the lease expires by itself.
    pub async fn leave(&self) {
        self.inner.wishes.leave.cancel();
        self.inner.ended.cancelled().await;
    }

    /// What the lease was last granted for.
    #[cfg(feature = "engine")]
    pub(crate) fn ttl(&self) -> std::time::Duration {
        self.inner.shared.ttl()
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance").field("readiness", &self.readiness()).finish_non_exhaustive()
    }
}
