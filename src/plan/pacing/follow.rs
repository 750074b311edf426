//! How far behind a follower is, in time, when only positions can be seen.

use std::collections::VecDeque;
use std::time::Duration;

/// So many positions are kept: what is older than the oldest is only known to be that old.
const KEPT: usize = 1000;

/// The positions that a leader had, and when. Positions never fall.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Track {
    seen: VecDeque<(Duration, u64)>,
}

impl Track {
    /// The leader is at a position now.
    pub(crate) fn note(&mut self, now: Duration, position: u64) {
        if self.seen.back().is_some_and(|(_, last)| *last >= position) {
            return;
        }
        self.seen.push_back((now, position));
        if self.seen.len() > KEPT {
            self.seen.pop_front();
        }
    }

    /// For how long at least a follower at a position has lacked something.
    pub(crate) fn lag(&self, now: Duration, position: u64) -> Duration {
        let missed = self.seen.iter().find(|(_, leader)| *leader > position);
        missed.map_or(Duration::ZERO, |(since, _)| now.saturating_sub(*since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_follower_that_has_stopped_falls_behind_with_the_time() {
        let mut track = Track::default();
        for second in 0..30 {
            track.note(at(second), 100 * second);
        }
        assert_eq!(track.lag(at(29), 2900), Duration::ZERO);
        assert_eq!(track.lag(at(29), 2899), Duration::ZERO);
        assert_eq!(track.lag(at(29), 1000), at(18));
        assert_eq!(track.lag(at(60), 1000), at(49));
    }

    #[test]
    fn a_leader_that_rests_leaves_nobody_behind_who_has_everything() {
        let mut track = Track::default();
        track.note(at(0), 7);
        track.note(at(50), 7);
        assert_eq!(track.lag(at(99), 7), Duration::ZERO);
        assert_eq!(track.lag(at(99), 6), at(99));
    }

    #[test]
    fn what_is_kept_does_not_grow() {
        let mut track = Track::default();
        for second in 0..5000 {
            track.note(at(second), second);
        }
        assert_eq!(track.seen.len(), KEPT);
        assert_eq!(track.lag(at(5000), 10), at(KEPT as u64));
    }
}
