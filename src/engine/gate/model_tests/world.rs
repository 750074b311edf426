//! What there is at one moment: small, so that every reachable one can be visited.

use super::rules::{Change, Hazard, Rules};
use crate::app::deadline::{Moment, granted};
use std::time::Duration;

/// A twentieth of a lease's time: the unit of all moments here.
pub(super) const UNIT: Duration = Duration::from_millis(100);
/// For how long a lease is granted, in units.
pub(super) const TTL: u8 = 20;
/// By how much a stepped clock is ahead, in units.
const STEP: u8 = TTL + 5;

/// Two old instances, what the database holds, and two gates. The new build is only there in that it can join.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct World {
    /// The true time, in units.
    pub(super) now: u8,
    /// The state that zdm keeps, and whether the old structure is out of sight.
    pub(super) database: Database,
    /// The old instances: they tolerate what is decided in no case but that of a build which switches.
    pub(super) apps: [App; 2],
    /// Runs of zdm.
    pub(super) gates: [Gate; 2],
}

/// The database.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Database {
    /// How much its clock is ahead of the true time.
    pub(super) ahead: u8,
    /// How often it will still be stepped.
    pub(super) steps: u8,
    /// The one fence.
    pub(super) fence: Option<Fence>,
    /// The last lease of each instance.
    pub(super) leases: [Option<Lease>; 2],
    /// Who joined last; none: the new build, which has left since.
    pub(super) newest: Option<u8>,
    /// The gate that has the run lock.
    pub(super) run: Option<u8>,
    /// The gate whose transaction has locked the gate's row.
    pub(super) locked_by: Option<u8>,
    /// Whether the new structure is filled.
    pub(super) filled: bool,
    /// Whether the old structure is out of sight.
    pub(super) hidden: bool,
}

/// A fence.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Fence {
    /// The gate that made it; none: a process that is dead.
    pub(super) owner: Option<u8>,
    /// Whether it is final.
    pub(super) is_final: bool,
    /// Whether somebody was turned away at a join.
    pub(super) knocked: bool,
}

/// A lease as the database holds it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Lease {
    /// When it was last renewed, on the database's clock.
    pub(super) seen: u8,
    /// Whether the instance has left.
    pub(super) left: bool,
    /// Whether the fence that is there turned it away.
    pub(super) knocked: bool,
}

/// An instance: a process of an old build, or nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct App {
    /// From when its deadline counts.
    pub(super) granted: Option<u8>,
    /// Whether it reads the new structure, and so needs the old one no more.
    pub(super) reads_new: bool,
    /// Whether it has a lease to renew.
    pub(super) knows: bool,
    /// The call that is under way.
    pub(super) call: Call,
    /// Whether it has called since the last tick.
    pub(super) called: bool,
    /// Since when it has been turned away.
    pub(super) asking: Option<u8>,
    /// What its process does.
    pub(super) process: Process,
}

/// What an instance's process does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(super) enum Process {
    #[default]
    Runs,
    /// It stands still, right before a statement.
    Paused,
    /// It was told to stop while it served, and was healthy.
    Stopped,
}

/// What an instance asks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Ask {
    Join,
    Renew,
}

/// What it is answered, when that makes a difference to it. One that is turned away asks again, like one whose call was
/// lost.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Answer {
    /// `filled`: whether the new structure was, when the database was asked.
    Granted {
        filled: bool,
    },
    TurnedAway,
    Fenced,
    Gone,
}

/// Where a call is. `at` is when it was sent.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(super) enum Call {
    #[default]
    None,
    /// On its way to the database.
    Sent { at: u8, ask: Ask },
    /// The database has looked, and has not written yet.
    Looked { at: u8, ask: Ask },
    /// On its way back.
    Answered { at: u8, answer: Answer },
}

/// A run of zdm.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Gate {
    /// Where it is.
    pub(super) stage: Stage,
    /// How many more tries it has.
    pub(super) tries: u8,
    /// Whether the epoch is still that of its fence.
    pub(super) is_current: bool,
    /// Whose lease has changed since its fence was made.
    pub(super) moved: [bool; 2],
    /// Whether it has looked at this moment.
    pub(super) looked: bool,
}

/// Where a gate is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Stage {
    Idle,
    /// Behind its fence, at least until then.
    Waiting {
        until: u8,
    },
    /// Confirmed: its transaction is open.
    Confirmed,
    /// The old structure is out of sight, the fence is not final yet.
    HalfHidden,
    /// It has given up, and is about to lift its fence.
    GivingUp,
}

impl World {
    /// The first instance serves, the second is not there, and a new one has run after the first joined.
    pub(super) fn initial(rules: &Rules) -> Self {
        let gate = |tries| Gate {
            stage: Stage::Idle,
            tries,
            is_current: false,
            moved: [false; 2],
            looked: false,
        };
        let serving = App { granted: Some(0), knows: true, ..App::default() };
        let lease = Lease { seen: 0, left: false, knocked: false };
        // A second run comes after the first, or at the same time.
        let gates = match (rules.may(Hazard::TwoGates), rules.may(Hazard::GatesDie)) {
            (true, _) => [1, 1],
            (false, true) => [2, 0],
            (false, false) => [1, 0],
        };
        Self {
            now: 0,
            database: Database {
                ahead: 0,
                steps: if rules.may(Hazard::ClockSteps) { 2 } else { 0 },
                fence: None,
                leases: [Some(lease), None],
                newest: None,
                run: None,
                locked_by: None,
                filled: !rules.may(Hazard::Switches),
                hidden: false,
            },
            apps: [serving, App::default()],
            gates: gates.map(gate),
        }
    }

    /// Whether an instance's own clock and deadline let it serve.
    pub(super) fn serves(&self, rules: &Rules, app: usize) -> bool {
        self.apps[app].granted.is_some_and(|from| self.holds(rules, app, from))
    }

    /// Whether what was granted for a call that was sent then would still hold.
    pub(super) fn holds(&self, rules: &Rules, app: usize, from: u8) -> bool {
        let is_bound = !rules.has(Change::NoWatchdog) && !only_reports(rules, app);
        let (sent, now) = (local(rules, app, from), local(rules, app, self.now));
        !is_bound || granted(sent, now, UNIT * u32::from(TTL)).is_some()
    }

    /// What an instance calls for: it renews while it may serve, and joins otherwise.
    pub(super) fn ask(&self, rules: &Rules, app: usize) -> Ask {
        if self.apps[app].knows && self.serves(rules, app) { Ask::Renew } else { Ask::Join }
    }

    /// Whether an instance may send a statement on the old structure at this moment.
    pub(super) fn may_act(&self, rules: &Rules, app: usize) -> bool {
        // Without a right to log in, a process that wakes has no session and gets none.
        let paused = self.apps[app].process == Process::Paused && !rules.has(Change::HardFence);
        (paused || self.serves(rules, app)) && !self.apps[app].reads_new
    }

    /// The database's clock, in units.
    pub(super) fn database_now(&self) -> u8 {
        self.now + self.database.ahead
    }

    /// Sets the database's clock forward, or back.
    pub(super) fn step_clock(&mut self) {
        self.database.ahead = STEP - self.database.ahead;
        self.database.steps -= 1;
    }

    /// A gate's epoch is not that of the state any more.
    pub(super) fn raise_epoch(&mut self) {
        self.gates.iter_mut().for_each(|gate| gate.is_current = false);
    }
}

/// Whether an instance is of a build that tolerates what is decided, and reads the old structure for a while.
pub(super) fn switches(rules: &Rules, app: usize) -> bool {
    app == 0 && rules.may(Hazard::Switches)
}

/// Whether an instance's lease only reports.
pub(super) fn only_reports(rules: &Rules, app: usize) -> bool {
    app == 0 && rules.may(Hazard::Reports)
}

/// A moment on an instance's own clock.
fn local(rules: &Rules, app: usize, at: u8) -> Moment {
    let unit = u64::try_from(UNIT.as_micros()).unwrap_or(u64::MAX);
    let rate = 100 - rules.slowness(app);
    // No machine was started at this very moment.
    Moment(Duration::from_micros(unit * u64::from(at) * rate / 100 + 1))
}
