//! The cases, one line each.

use super::rules::Change::{self, *};
use super::rules::Expected::{self, *};
use super::rules::Hazard::{self, *};
use super::rules::{Promise, Rules};
use crate::plan::gate::GateKind::{self, *};

const fn case(
    name: &'static str,
    (promise, kind): (Promise, GateKind),
    hazards: &'static [Hazard],
    changes: &'static [Change],
    expected: Expected,
) -> Rules {
    Rules { name, promise, kind, hazards, changes, expected }
}

const CONTRACT: (Promise, GateKind) = (Promise::Safety, Contract);
const ROLLBACK: (Promise, GateKind) = (Promise::Safety, Rollback);
const HEALTHY: (Promise, GateKind) = (Promise::Availability, Contract);
const SLOW: Hazard = SlowClock(10);

/// The protocol of zdm, under everything that it promises to bear.
pub(super) const SAFE: &[Rules] = &[
    case("zdm", CONTRACT, &[], &[], Holds),
    case("zdm, slow clock", CONTRACT, &[SLOW], &[], Holds),
    case("zdm, clock steps", CONTRACT, &[SLOW, ClockSteps, Alone], &[], Holds),
    case("zdm, two gates", CONTRACT, &[SLOW, TwoGates, Alone], &[], Holds),
    case("zdm, two gates, clock steps", CONTRACT, &[SLOW, TwoGates, ClockSteps, Alone], &[], Holds),
    case("zdm, gates die", CONTRACT, &[SLOW, GatesDie, Alone], &[], Holds),
    case("zdm, two gates die", CONTRACT, &[SLOW, TwoGates, GatesDie, WayBack, Alone], &[], Holds),
    case(
        "zdm, DDL commits, gates die",
        CONTRACT,
        &[SLOW, DdlCommits, GatesDie, WayBack, Alone],
        &[],
        Holds,
    ),
    case(
        "zdm, live gates taken for dead",
        CONTRACT,
        &[SLOW, TakenForDead, DdlCommits, GatesDie, Alone],
        &[],
        Holds,
    ),
    case(
        "zdm, two gates, taken for dead",
        CONTRACT,
        &[SLOW, TakenForDead, TwoGates, WayBack, Alone],
        &[],
        Holds,
    ),
    case("zdm, one only reports", CONTRACT, &[Reports, Alone], &[], Holds),
    case("zdm, a build that switches", CONTRACT, &[SLOW, Switches, Alone], &[], Holds),
    case(
        "zdm, it switches, clock steps",
        CONTRACT,
        &[SLOW, Switches, ClockSteps, Alone],
        &[],
        Holds,
    ),
    case("zdm, it switches, gates die", CONTRACT, &[SLOW, Switches, GatesDie, Alone], &[], Holds),
    // Against a second run either check is enough.
    case("two gates, no epoch check", CONTRACT, &[SLOW, TwoGates, Alone], &[NoEpochCheck], Holds),
    case("two gates, no run check", CONTRACT, &[SLOW, TwoGates, Alone], &[NoRunCheck], Holds),
    case("zdm, rollback", ROLLBACK, &[SLOW, WayBack, GatesDie, Alone], &[], Holds),
    case("zdm, pauses, hard fence", CONTRACT, &[SLOW, Pauses, Alone], &[HardFence], Holds),
];

/// Its relatives, each with a way to break what the old structure's owner was promised.
pub(super) const UNSAFE: &[Rules] = &[
    case("no fence", CONTRACT, &[], &[NoFence], Fails),
    case("join without lock", CONTRACT, &[], &[JoinWithoutLock], Fails),
    case("no watchdog", CONTRACT, &[Alone], &[NoWatchdog], Fails),
    case("deadline from the reply", CONTRACT, &[Alone], &[DeadlineFromReply], Fails),
    case("no wait, slow clock", CONTRACT, &[SLOW, Alone], &[NoWait], Fails),
    case("no wait, clock steps", CONTRACT, &[ClockSteps], &[NoWait], Fails),
    case("no margin", CONTRACT, &[SLOW, ClockSteps], &[WaitWithoutMargin], Fails),
    case("a clock slower than borne", CONTRACT, &[SlowClock(15), ClockSteps], &[], Fails),
    case("lifts another's fence", CONTRACT, &[TwoGates, Alone], &[LiftsAnyFence], Fails),
    case("no epoch check", CONTRACT, &[TakenForDead, Alone], &[NoEpochCheck], Fails),
    case(
        "no run, no epoch check",
        CONTRACT,
        &[TwoGates, Alone],
        &[NoEpochCheck, NoRunCheck],
        Fails,
    ),
    case("beat without knock", CONTRACT, &[ClockSteps, Alone], &[BeatWithoutKnock], Fails),
    case("reports expire", CONTRACT, &[Reports, Alone], &[ReportsExpire], Fails),
    case("a number for a set", CONTRACT, &[], &[NumberForSet], Fails),
    case(
        "lifts the half hidden",
        CONTRACT,
        &[DdlCommits, GatesDie, Alone],
        &[LiftsHalfHidden],
        Fails,
    ),
    case(
        "a start lifts the half hidden",
        CONTRACT,
        &[TakenForDead, DdlCommits, GatesDie, Alone],
        &[LiftsHalfHidden],
        Fails,
    ),
    case("pauses", CONTRACT, &[Pauses, Alone], &[], Fails),
    case("switches, asks once", CONTRACT, &[Switches, Alone], &[AsksOnce], Fails),
    case("switches, grants unasked", CONTRACT, &[Switches, Alone], &[GrantsUnasked], Fails),
    case("switches, no wait", CONTRACT, &[Switches, Alone], &[NoWait], Fails),
    case("switches, fenced unfilled", CONTRACT, &[Switches, Alone], &[FencesUnfilled], Fails),
];

/// What happens to the healthy.
pub(super) const AVAILABILITY: &[Rules] = &[
    case("healthy", HEALTHY, &[], &[], Holds),
    case("healthy, clock steps", HEALTHY, &[ClockSteps], &[], Holds),
    case("healthy, two gates", HEALTHY, &[TwoGates], &[], Holds),
    case("healthy, gates die", HEALTHY, &[GatesDie], &[], Holds),
    case("dead fences stay", HEALTHY, &[GatesDie], &[DeadFencesStay], Fails),
    case("no knock", HEALTHY, &[ClockSteps], &[NoKnock], Fails),
    case("provisional stops", HEALTHY, &[ClockSteps], &[ProvisionalStops], Fails),
    case("looks only at the end", HEALTHY, &[ClockSteps], &[LooksOnlyAtTheEnd], Fails),
];
