//! How long to wait between tries. Pure, but for the one function that waits.

use std::time::Duration;

use super::interrupt::Interrupt;
use super::stop;
use crate::error::Error;

/// Pauses between tries: fully jittered, growing, capped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Pauses {
    /// The longest pause that may follow the first try.
    pub(crate) first: Duration,
    /// No pause is longer.
    pub(crate) longest: Duration,
}

/// Between tries for a lock (measured; 0.25 s doubling up to 30 s).
pub(crate) const LOCK: Pauses =
    Pauses { first: Duration::from_millis(250), longest: Duration::from_secs(30) };

/// Between tries to connect again.
pub(crate) const RECONNECT: Pauses =
    Pauses { first: Duration::from_millis(200), longest: Duration::from_secs(5) };

impl Pauses {
    /// The pause after try number `attempt` (from 1), for a `random` in 0..1: anything up to the limit of that try,
    /// so that two runs that failed together do not try again together.
    pub(crate) fn after(self, attempt: u32, random: f64) -> Duration {
        let doublings = attempt.saturating_sub(1).min(20);
        let limit = self.first.saturating_mul(1 << doublings).min(self.longest);
        limit.mul_f64(random.clamp(0.0, 1.0))
    }
}

/// Waits for a jittered pause, or until the run is asked to stop, which is the error.
pub(crate) async fn pause(
    interrupt: &Interrupt,
    pauses: Pauses,
    attempt: u32,
) -> Result<(), Error> {
    wait(interrupt, pauses.after(attempt, rand::random())).await
}

/// Waits for a time, or until the run is asked to stop, which is the error.
pub(crate) async fn wait(interrupt: &Interrupt, time: Duration) -> Result<(), Error> {
    tokio::select! {
        () = interrupt.wait() => {}
        () = tokio::time::sleep(time) => {}
    }
    stop::check(interrupt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_the_longest() {
        let limits: Vec<_> = (1..=9).map(|attempt| LOCK.after(attempt, 1.0).as_millis()).collect();
        assert_eq!(limits, [250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000]);
        assert_eq!(LOCK.after(u32::MAX, 1.0), LOCK.longest);
    }

    #[test]
    fn a_pause_can_be_any_part_of_its_limit() {
        assert_eq!(LOCK.after(3, 0.0), Duration::ZERO);
        assert_eq!(LOCK.after(3, 0.5), Duration::from_millis(500));
    }
}
