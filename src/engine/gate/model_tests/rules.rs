//! What the protocol does, and what may happen to it: a case is a line of this data.

use crate::plan::gate::GateKind;

/// What the world does to the protocol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Hazard {
    /// The first instance's clock runs slower than true, by this many percent.
    SlowClock(u8),
    /// The database's clock is set forward by almost a TTL, and back.
    ClockSteps,
    /// A process stops between the check of its deadline and its statement, for as long as it likes.
    Pauses,
    /// A second gate takes the run lock over while the first one still acts.
    TwoGates,
    /// A gate dies at any point.
    GatesDie,
    /// Whoever meets a provisional fence takes its gate for dead, rightly or not: its run lock has expired.
    TakenForDead,
    /// DDL commits by itself: the fence becomes final after the old structure is out of sight.
    DdlCommits,
    /// The contract is undone, or what was rolled back is gone for good.
    WayBack,
    /// The first instance's lease only reports: nothing in it looks at a deadline.
    Reports,
    /// The first instance tolerates what is decided, and reads the old structure until it hears that the new one is filled,
    /// which it is not when the model begins.
    Switches,
    /// The second instance never starts: leaves room for more hazards at once.
    Alone,
}

/// What an unsafe relative of the protocol leaves out, or does otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Change {
    /// There is no fence, only the look at leases.
    NoFence,
    /// A join reads the fence and writes its lease without a lock on the gate's row.
    JoinWithoutLock,
    /// An instance does not stop at its deadline.
    NoWatchdog,
    /// The deadline counts from when the reply came.
    DeadlineFromReply,
    /// Nothing is waited for behind the fence.
    NoWait,
    /// The wait ends with the TTL, without a margin.
    WaitWithoutMargin,
    /// A gate that gives up takes away whatever fence is there.
    LiftsAnyFence,
    /// A gate that goes on asks neither whose fence is there, nor for the epoch.
    NoEpochCheck,
    /// A gate that goes on does not ask whether it still has the run lock.
    NoRunCheck,
    /// A renewal beats and is granted whatever fence is there, and tells no gate.
    BeatWithoutKnock,
    /// Whether the new structure is filled is asked at a join alone.
    AsksOnce,
    /// A renewal that is granted counts although its answer about the new structure was lost.
    GrantsUnasked,
    /// A gate fences what is not filled.
    FencesUnfilled,
    /// The silence of a lease that only reports means "gone".
    ReportsExpire,
    /// A number is compared: who tolerates 0006 is taken to tolerate 0005.
    NumberForSet,
    /// Whoever a provisional fence turns away is not written down.
    NoKnock,
    /// A provisional fence stops whoever it turns away, as a final one does.
    ProvisionalStops,
    /// A gate looks for signs of life only when its wait is over.
    LooksOnlyAtTheEnd,
    /// The fence of a gate that died half-way through its DDL is lifted.
    LiftsHalfHidden,
    /// The fence of a gate that died stays until the next run.
    DeadFencesStay,
    /// Logins are taken away and sessions ended before the old structure goes. (To end sessions alone would change
    /// nothing: a process that wakes makes a new one.)
    HardFence,
}

/// What a case is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Rules {
    /// In words.
    pub(super) name: &'static str,
    /// What must hold.
    pub(super) promise: Promise,
    /// What is decided.
    pub(super) kind: GateKind,
    /// What the world does.
    pub(super) hazards: &'static [Hazard],
    /// How this protocol differs from zdm's.
    pub(super) changes: &'static [Change],
    /// What the model must find.
    pub(super) expected: Expected,
}

/// What must hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Promise {
    /// Once the old structure is gone, no old instance acts. Calls take any time, and may be lost.
    Safety,
    /// A healthy instance, which calls in time and is answered at once, is never stopped, and starts soon.
    Availability,
}

/// What the model must find.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Expected {
    /// In no state is the property violated.
    Holds,
    /// There is a way to violate it.
    Fails,
}

impl Rules {
    /// Whether the world does this.
    pub(super) fn may(&self, hazard: Hazard) -> bool {
        self.hazards.contains(&hazard)
    }

    /// Whether the protocol differs so.
    pub(super) fn has(&self, change: Change) -> bool {
        self.changes.contains(&change)
    }

    /// How many old instances there may be.
    pub(super) fn instances(&self) -> usize {
        if self.may(Hazard::Alone) { 1 } else { 2 }
    }

    /// By how many percent an instance's clock is slow.
    pub(super) fn slowness(&self, app: usize) -> u64 {
        let slow = self.hazards.iter().find_map(|hazard| match hazard {
            Hazard::SlowClock(percent) => Some(u64::from(*percent)),
            _ => None,
        });
        slow.filter(|_| app == 0).unwrap_or(0)
    }
}
