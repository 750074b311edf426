//! The arithmetic of leases, without a clock.
//!
//! A lease holds for its TTL from *before* the call was sent, on the instance's own clock; a gate waits for the TTL from
//! *after* its fence is committed. So an instance that a gate does not hear of has stopped before the gate acts,
//! whatever the clocks show. A deadline counted from the reply would not do (a model of it finds the violation).

use std::time::Duration;

/// A moment on the clock of this machine that never stops: the time since it was started, suspended or not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Moment(pub(crate) Duration);

impl Moment {
    /// The moment that is `after` later.
    pub(crate) fn plus(self, after: Duration) -> Self {
        Self(self.0.saturating_add(after))
    }

    /// How long it is from `now` to this moment; nothing when it has passed.
    pub(crate) fn from(self, now: Self) -> Duration {
        self.0.saturating_sub(now.0)
    }
}

/// The part of a lease that is left for what is under way when it ends: 5 s, or a twelfth of a shorter lease.
pub(crate) fn margin(ttl: Duration) -> Duration {
    (ttl / 12).min(Duration::from_secs(5))
}

/// Until when the instance may serve, or `None` when the reply came too late to be worth anything.
pub(crate) fn granted(sent: Moment, received: Moment, ttl: Duration) -> Option<Moment> {
    let deadline = sent.plus(ttl.saturating_sub(margin(ttl)));
    (received < deadline).then_some(deadline)
}

/// When to renew next: a quarter of the TTL after the last call, a fifth of that sooner at most.
///
/// `jitter` is from 0 to 1. It keeps instances that were started together from renewing together.
pub(crate) fn renewal(sent: Moment, ttl: Duration, jitter: f64) -> Moment {
    sent.plus((ttl / 4).mul_f64(1.0 - 0.2 * jitter.clamp(0.0, 1.0)))
}

/// How long to wait before asking again while a gate is deciding, or something is missing: a second, or a quarter of a
/// shorter lease.
pub(crate) fn knock(ttl: Duration) -> Duration {
    (ttl / 4).min(Duration::from_secs(1))
}

/// How long one call may take before its connection is given up: a quarter of the TTL, from half a second to 10 s.
pub(crate) fn patience(ttl: Duration) -> Duration {
    (ttl / 4).clamp(Duration::from_millis(500), Duration::from_secs(10))
}

/// How long to wait after `failures` failures in a row: anything up to 200 ms, 400 ms, 800 ms, ... and at most
/// [`patience`]. `jitter` is from 0 to 1.
pub(crate) fn back_off(failures: u32, ttl: Duration, jitter: f64) -> Duration {
    let longest = Duration::from_millis(100)
        .saturating_mul(2_u32.saturating_pow(failures.min(16)))
        .min(patience(ttl));
    // Never nothing at all: a server that comes back must not be met by all of a fleet in a busy loop.
    longest.mul_f64(jitter.clamp(0.05, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn at(seconds: f64) -> Moment {
        Moment(Duration::from_secs_f64(seconds))
    }

    #[test]
    fn a_minute_is_held_for_55_seconds_from_before_the_call() {
        assert_eq!(granted(at(100.0), at(103.0), MINUTE), Some(at(155.0)));
        assert_eq!(margin(Duration::from_millis(1200)), Duration::from_millis(100));
        assert_eq!(margin(Duration::from_hours(1)), Duration::from_secs(5));
    }

    #[test]
    fn a_reply_after_its_own_deadline_is_ignored() {
        assert_eq!(granted(at(100.0), at(154.9), MINUTE), Some(at(155.0)));
        assert_eq!(granted(at(100.0), at(155.0), MINUTE), None);
        assert_eq!(granted(at(100.0), at(900.0), MINUTE), None);
        assert_eq!(granted(at(100.0), at(100.0), Duration::ZERO), None);
    }

    #[test]
    fn a_gate_that_hears_nothing_waits_longer_than_any_grant() {
        // Sent before the fence was committed, in the worst case at the same moment.
        for milliseconds in [1, 10, 100, 999, 2000, 60_000, 3_600_000] {
            let ttl = Duration::from_millis(milliseconds);
            let fence = at(1000.0);
            let acts = fence.plus(ttl.mul_f64(1.05));
            let deadline = granted(fence, fence, ttl).unwrap();
            assert!(deadline.plus(margin(ttl)) < acts, "{ttl:?}");
        }
    }

    #[test]
    fn renewals_come_at_least_three_times_before_the_deadline() {
        for jitter in [0.0, 0.5, 1.0, 7.0] {
            let mut sent = at(0.0);
            for _ in 0..3 {
                sent = renewal(sent, MINUTE, jitter);
            }
            assert!(sent <= at(45.0) && sent >= at(36.0), "{sent:?}");
        }
    }

    #[test]
    fn pauses_grow_with_failures_and_stay_bounded() {
        assert_eq!(back_off(1, MINUTE, 1.0), Duration::from_millis(200));
        assert_eq!(back_off(3, MINUTE, 0.5), Duration::from_millis(400));
        assert_eq!(back_off(u32::MAX, MINUTE, 1.0), Duration::from_secs(10));
        assert!(back_off(5, MINUTE, 0.0) > Duration::ZERO);
        assert_eq!(knock(MINUTE), Duration::from_secs(1));
        assert_eq!(knock(Duration::from_secs(2)), Duration::from_millis(500));
        assert_eq!(patience(Duration::from_secs(1)), Duration::from_millis(500));
    }
}
