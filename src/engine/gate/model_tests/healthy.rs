//! Instances and gates as they are when nothing is wrong with them: calls are answered at once, and are made in time.

use super::model::{Action, reply};
use super::rules::{Change, Hazard, Rules};
use super::world::{Answer, Call, Process, Stage, World};
use super::{gate, state};

/// How often an instance renews: a quarter of its lease.
const RENEW_EVERY: u8 = 5;
/// For how long a start may be held up, in units. The product asks every second, and a gate looks five times a second.
const START_WITHIN: u8 = 3;
/// How long the run lock of a gate that died lives on, in units.
const RUN_LOCK: u8 = 10;

/// Nobody who serves is stopped or suspended, and whoever starts is let in soon, unless it is too late for it.
pub(super) fn is_undisturbed(rules: &Rules, world: &World) -> bool {
    (0..2).all(|app| {
        let own = &world.apps[app];
        let serves = own.granted.is_none() || world.serves(rules, app);
        let held_up = own.asking.map_or(0, |since| world.now - since);
        let limit = START_WITHIN + if rules.may(Hazard::GatesDie) { RUN_LOCK } else { 0 };
        serves && own.process == Process::Runs && (held_up <= limit || world.database.hidden)
    })
}

/// Everything that is due at a moment is done before time passes.
pub(super) fn actions(rules: &Rules, world: &World, actions: &mut Vec<Action>) {
    let is_free = world.database.locked_by.is_none();
    let mut is_due = false;
    for app in 0..rules.instances() {
        let own = &world.apps[app];
        let must_call =
            own.asking.is_some() || own.granted.is_some_and(|from| world.now - from >= RENEW_EVERY);
        // The first instance drains when it likes, the second starts when it likes.
        let may_start = own.granted.is_none() && app == 1;
        if !own.called && own.process == Process::Runs && is_free && (must_call || may_start) {
            actions.push(Action::Call(app));
            is_due |= must_call;
        }
        if !own.called && own.knows && app == 0 {
            actions.push(Action::Leave(app));
        }
    }
    for (number, own) in world.gates.iter().enumerate() {
        match own.stage {
            Stage::Idle => {}
            Stage::Waiting { until } => {
                let is_blind = rules.has(Change::LooksOnlyAtTheEnd) && world.now < until;
                if !own.looked && !is_blind {
                    actions.push(Action::Poll(number));
                    is_due = true;
                }
            }
            Stage::Confirmed | Stage::HalfHidden | Stage::GivingUp => is_due = true,
        }
    }
    if !is_due {
        actions.push(Action::Tick);
    }
}

/// An instance calls, and is answered. One that is not known any more joins again at once.
pub(super) fn call(rules: &Rules, world: &mut World, app: usize) {
    world.apps[app].called = true;
    let ask = world.ask(rules, app);
    let waited = world.apps[app].asking.map_or(0, |since| world.now - since);
    let is_dead = world.database.fence.is_some_and(|fence| fence.owner.is_none());
    let may_lift = state::may_lift(world, rules) && !rules.has(Change::DeadFencesStay);
    if is_dead && waited >= RUN_LOCK && may_lift {
        state::lift(world);
    }
    let answer = match state::look(world, rules, app, ask) {
        Some(answer) => answer,
        None => state::write(world, app, ask),
    };
    world.apps[app].call = Call::Answered { at: world.now, answer };
    reply(rules, world, app);
    match answer {
        Answer::Gone => call(rules, world, app),
        Answer::TurnedAway => {
            let own = &mut world.apps[app];
            own.asking = own.asking.or(Some(world.now));
            if rules.has(Change::ProvisionalStops) && own.granted.is_some() {
                own.process = Process::Stopped;
            }
        }
        Answer::Granted { .. } | Answer::Fenced => {}
    }
}

/// A gate that waits looks for signs of life.
pub(super) fn poll(rules: &Rules, world: &mut World, number: usize) {
    world.gates[number].looked = true;
    if !gate::still_holds(world, rules, number) {
        world.gates[number].stage = Stage::GivingUp;
    }
}
