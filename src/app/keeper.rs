//! Keeps the lease: joins, renews, joins again, leaves. Runs on a thread of its own, with a runtime of its own, so that
//! a busy application does not lose its lease.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::clock;
use super::deadline::{self, Moment};
use super::error::{JoinError, Refusal, StopReason};
use super::link::Link;
use super::shared::Shared;
use crate::database::lease::{Joined, LeaseError, Renewed, Report};
use crate::model::lease::Need;

/// How long one call may take while no lease says how much time there is.
const FIRST_PATIENCE: Duration = Duration::from_secs(10);
/// How often an instance that must wait asks again.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// How long leaving may take: after that the lease is left to expire.
const LEAVE_PATIENCE: Duration = Duration::from_secs(2);

/// What the handle asks for.
#[derive(Clone, Debug, Default)]
pub(super) struct Wishes {
    /// Leave, and end.
    pub(super) leave: CancellationToken,
    /// End without leaving: the handle is gone.
    pub(super) abandon: CancellationToken,
}

/// The lease's keeper.
pub(super) struct Keeper {
    link: Link,
    report: Report,
    shared: Arc<Shared>,
    wishes: Wishes,
    /// The lease that it holds, or held last.
    lease: Option<i64>,
    /// Failures in a row.
    failures: u32,
}

/// What was heard of a migration that is migrated.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    /// It stays so as long as the lease holds.
    Stays,
    /// Without a lease it may have been taken back.
    MayBeOld,
}

/// What came of one call, for the pace of the next.
enum Turn {
    /// Granted: renew in time.
    Granted { sent: Moment },
    /// Turned away for now: ask again soon.
    Wait,
    /// Ask again at once.
    Again,
    /// It failed.
    Failed,
    /// Refused for good.
    Refused(Refusal),
}

impl Keeper {
    /// A keeper without a lease.
    pub(super) fn new(link: Link, report: Report, shared: Arc<Shared>, wishes: Wishes) -> Self {
        Self { link, report, shared, wishes, lease: None, failures: 0 }
    }

    /// Joins for the first time, and waits up to `timeout` for what the build needs.
    pub(super) async fn join(&mut self, timeout: Duration) -> Result<(), JoinError> {
        let began = clock::now();
        let end = began.plus(timeout);
        loop {
            let sent = clock::now();
            let limit = FIRST_PATIENCE.min(end.from(sent)).max(ASK_AGAIN);
            let joined = self.ask_to_join(limit).await;
            let reason = match joined {
                Ok(Joined::Lease { id, ttl }) if self.accept(id, sent, ttl) => return Ok(()),
                Ok(Joined::Lease { .. }) => {
                    Waiting::Failed("the database answered after the lease had expired".to_owned())
                }
                Ok(Joined::Fenced(obstacle)) => {
                    return Err(JoinError::Fenced(Refusal::new(&self.report.service, obstacle)));
                }
                Ok(Joined::Fencing(obstacle)) => {
                    Waiting::Deciding(Refusal::new(&self.report.service, obstacle))
                }
                Ok(Joined::Missing(needs)) => Waiting::Missing(needs),
                Err(error) => Waiting::after(&error)?,
            };
            let now = clock::now();
            if end <= now.plus(ASK_AGAIN) {
                return Err(reason.over(now.0.saturating_sub(began.0)));
            }
            tracing::info!(service = self.report.service, "cannot join yet: {reason}");
            tokio::select! {
                () = tokio::time::sleep(ASK_AGAIN.mul_f64(0.8 + 0.2 * jitter())) => {}
                () = self.wishes.abandon.cancelled() => return Err(reason.over(now.0.saturating_sub(began.0))),
            }
        }
    }

    /// Keeps the lease until the handle wants no more of it, or a final fence refuses the instance.
    pub(super) async fn keep(mut self) {
        let mut pause = self.pause(&Turn::Granted { sent: clock::now() });
        let wishes = self.wishes.clone();
        loop {
            let turn = async {
                tokio::time::sleep(pause).await;
                self.turn().await
            };
            let turn = tokio::select! {
                biased;
                () = wishes.leave.cancelled() => return self.leave().await,
                () = wishes.abandon.cancelled() => {
                    tracing::warn!("the instance is dropped without leave: its lease will expire");
                    return self.shared.stop(StopReason::Left);
                }
                turn = turn => turn,
            };
            if let Turn::Refused(refusal) = &turn {
                tracing::error!(service = self.report.service, "{refusal}");
                return self.shared.stop(StopReason::Fenced(refusal.clone()));
            }
            pause = self.pause(&turn);
        }
    }

    /// One call: a renewal, or a join when there is nothing (left) to renew.
    async fn turn(&mut self) -> Turn {
        let sent = clock::now();
        let limit = deadline::patience(self.shared.ttl());
        let result = match self.lease.filter(|_| !self.shared.remaining().is_zero()) {
            Some(lease) => self.renew(lease, sent, limit).await,
            None => self.join_again(sent, limit).await,
        };
        match result {
            Ok(turn) => {
                self.failures = 0;
                turn
            }
            Err(error) => {
                tracing::warn!(service = self.report.service, "could not renew the lease: {error}");
                self.failures = self.failures.saturating_add(1);
                Turn::Failed
            }
        }
    }

    async fn renew(
        &mut self,
        lease: i64,
        sent: Moment,
        limit: Duration,
    ) -> Result<Turn, LeaseError> {
        let renewed = self.link.renew(lease, limit).await?;
        if matches!(renewed, Renewed::Held { .. }) {
            self.look(Known::Stays, limit).await?;
        }
        Ok(match renewed {
            Renewed::Held { ttl } if self.accept(lease, sent, ttl) => Turn::Granted { sent },
            Renewed::Held { .. } => Turn::Again,
            Renewed::Fencing(obstacle) => {
                let id = &obstacle.migration;
                tracing::warn!(
                    "a gate is deciding about migration {id}: this instance is in its way"
                );
                Turn::Wait
            }
            Renewed::Fenced(obstacle) => {
                Turn::Refused(Refusal::new(&self.report.service, obstacle))
            }
            Renewed::Gone => {
                tracing::warn!("the database does not know the lease any more: joining again");
                self.lease = None;
                Turn::Again
            }
        })
    }

    async fn join_again(&mut self, sent: Moment, limit: Duration) -> Result<Turn, LeaseError> {
        let last = self.lease;
        Ok(match self.ask_to_join(limit).await? {
            Joined::Lease { id, ttl } if self.accept(id, sent, ttl) => {
                if let Some(last) = last {
                    // So that nobody takes the instance for two. If it fails, the old lease just expires.
                    let left = self.link.leave(last, limit).await;
                    tracing::debug!(?left, "left the lease that ran out");
                }
                Turn::Granted { sent }
            }
            Joined::Lease { .. } => Turn::Again,
            Joined::Fencing(_) => Turn::Wait,
            Joined::Fenced(obstacle) => Turn::Refused(Refusal::new(&self.report.service, obstacle)),
            Joined::Missing(needs) => {
                tracing::warn!("cannot join again: {}", Waiting::Missing(needs));
                Turn::Wait
            }
        })
    }

    async fn ask_to_join(&mut self, limit: Duration) -> Result<Joined, LeaseError> {
        let joined = self.link.join(&self.report, limit).await?;
        if matches!(joined, Joined::Lease { .. }) {
            self.look(Known::MayBeOld, limit).await?;
        }
        Ok(joined)
    }

    /// How far the migrations are that the build may read before they are migrated. Without the answer nothing is granted.
    async fn look(&mut self, known: Known, limit: Duration) -> Result<(), LeaseError> {
        let shared = Arc::clone(&self.shared);
        for switch in shared.phases.switches() {
            if known == Known::MayBeOld || !switch.is_migrated() {
                switch.set(self.link.reached(&switch.migration, limit).await?);
            }
        }
        Ok(())
    }

    /// Takes a grant, unless its reply came after its own deadline.
    fn accept(&mut self, lease: i64, sent: Moment, ttl: Duration) -> bool {
        let Some(deadline) = deadline::granted(sent, clock::now(), ttl) else { return false };
        self.lease = Some(lease);
        self.shared.grant(deadline, ttl);
        true
    }

    /// How long to wait before the next call.
    fn pause(&self, turn: &Turn) -> Duration {
        let ttl = self.shared.ttl();
        match turn {
            Turn::Granted { sent } => deadline::renewal(*sent, ttl, jitter()).from(clock::now()),
            Turn::Wait => deadline::knock(ttl),
            Turn::Again | Turn::Refused(_) => Duration::ZERO,
            Turn::Failed => deadline::back_off(self.failures, ttl, jitter()),
        }
    }

    async fn leave(mut self) {
        self.shared.stop(StopReason::Left);
        let Some(lease) = self.lease else { return };
        if let Err(error) = self.link.leave(lease, LEAVE_PATIENCE).await {
            tracing::warn!("could not leave, so the lease will expire: {error}");
        }
    }
}

/// Why a first join must wait.
enum Waiting {
    Deciding(Refusal),
    Missing(Vec<Need>),
    Failed(String),
}

impl Waiting {
    /// Whether an error may go away by itself: a server that starts, a fail-over, a lock.
    fn after(error: &LeaseError) -> Result<Self, JoinError> {
        match error {
            LeaseError::NotInstalled => Err(JoinError::NotInstalled),
            LeaseError::Database(said) if said.kind.may_pass() => {
                Ok(Self::Failed(error.to_string()))
            }
            LeaseError::Database(_) | LeaseError::NotAllowed(_) | LeaseError::Answer(_) => {
                Err(JoinError::Database(error.to_string()))
            }
        }
    }

    /// What it is when the time is over.
    fn over(self, waited: Duration) -> JoinError {
        match self {
            Self::Deciding(refusal) => JoinError::Deciding { refusal, waited },
            Self::Missing(needs) => JoinError::Missing { needs: words(&needs), waited },
            Self::Failed(message) => JoinError::Database(message),
        }
    }
}

impl std::fmt::Display for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Deciding(refusal) => {
                write!(
                    f,
                    "a {} of migration {} is being decided",
                    refusal.pending(),
                    refusal.migration()
                )
            }
            Self::Missing(needs) => write!(f, "it needs {}", words(needs).join(" and ")),
            Self::Failed(message) => f.write_str(message),
        }
    }
}

/// `0002_users_display_name migrated`, for each.
fn words(needs: &[Need]) -> Vec<String> {
    needs.iter().map(|(id, reached)| format!("{id} {}", reached.as_str())).collect()
}

/// From 0 to 1.
fn jitter() -> f64 {
    rand::random()
}
