//! What can happen next, for the model checker.

use stateright::{Model, Property};

use super::rules::{Change, Hazard, Promise, Rules};
use super::world::{Answer, App, Ask, Call, Process, Stage, TTL, World, only_reports, switches};
use super::{gate, healthy, state};
use crate::plan::gate::GateKind;

/// Instances call at these distances, in units. Whatever a gate waits for, and a call's way, may end in between.
const CALL_EVERY: u8 = 10;
/// When the model ends, in units: two leases and a half.
const HORIZON: u8 = 50;

/// A step. A number is an instance's, or a gate's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Action {
    /// Time passes, up to the next moment at which something may be due.
    Tick,
    /// The database's clock is set forward, or back.
    StepClock,
    /// The new structure is filled.
    Fill,
    /// The new build runs for a moment.
    NewBuild,
    /// A contract is undone, or what was rolled back is gone for good.
    WayBack,
    Send(usize),
    Execute(usize),
    /// The database takes a call up, and the fence's gate for dead.
    LiftAndExecute(usize),
    Write(usize),
    Reply(usize),
    LoseReply(usize),
    /// Of the answer only the grant arrives.
    HearHalf(usize),
    Leave(usize),
    Pause(usize),
    Wake(usize),
    Begin(usize),
    Confirm(usize),
    Hide(usize),
    MakeFinal(usize),
    GiveUp(usize),
    Lift(usize),
    Die(usize),
    /// A healthy instance starts, or calls as it has to.
    Call(usize),
    /// A healthy gate looks for signs of life.
    Poll(usize),
}

impl Model for Rules {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::initial(self)]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        if is_over(self, world) {
            return;
        }
        match self.promise {
            Promise::Safety => {
                actions.push(Action::Tick);
                (0..self.instances()).for_each(|app| calls(self, world, app, actions));
            }
            Promise::Availability => healthy::actions(self, world, actions),
        }
        around(self, world, actions);
        (0..2).for_each(|gate| steps(self, world, gate, actions));
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let mut next = *world;
        match action {
            Action::Tick => return tick(self, world),
            Action::StepClock => next.step_clock(),
            Action::Fill => next.database.filled = true,
            Action::NewBuild => next.database.newest = None,
            Action::WayBack => way_back(self, &mut next),
            Action::Send(app) => {
                let ask = next.ask(self, app);
                next.apps[app].called = true;
                next.apps[app].call = Call::Sent { at: next.now, ask };
            }
            Action::Execute(app) => execute(self, &mut next, app),
            Action::LiftAndExecute(app) => {
                state::lift(&mut next);
                execute(self, &mut next, app);
            }
            Action::Write(app) => {
                let Call::Looked { at, ask } = next.apps[app].call else { return None };
                let answer = state::write(&mut next, app, ask);
                next.apps[app].call = Call::Answered { at, answer };
            }
            Action::Reply(app) => reply(self, &mut next, app),
            Action::LoseReply(app) => next.apps[app].call = Call::None,
            Action::HearHalf(app) => {
                if let Call::Answered { answer: Answer::Granted { filled }, .. } =
                    &mut next.apps[app].call
                {
                    *filled = false;
                }
                reply(self, &mut next, app);
            }
            Action::Leave(app) => {
                next.apps[app] = App { called: true, ..App::default() };
                state::leave(&mut next, app);
            }
            Action::Pause(app) => next.apps[app].process = Process::Paused,
            Action::Wake(app) => next.apps[app].process = Process::Runs,
            Action::Begin(gate) => gate::begin(&mut next, self, gate),
            Action::Confirm(gate) => gate::confirm(&mut next, self, gate),
            Action::Hide(gate) => gate::hide(&mut next, self, gate),
            Action::MakeFinal(gate) => gate::make_final(&mut next, gate),
            Action::GiveUp(gate) => next.gates[gate].stage = Stage::GivingUp,
            Action::Lift(gate) => gate::lift(&mut next, self, gate),
            Action::Die(gate) => gate::die(&mut next, gate),
            Action::Call(app) => healthy::call(self, &mut next, app),
            Action::Poll(gate) => healthy::poll(self, &mut next, gate),
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let promise = match self.promise {
            Promise::Safety => Property::always(PROMISE, |rules: &Rules, world: &World| {
                !world.database.hidden || (0..2).all(|app| !world.may_act(rules, app))
            }),
            Promise::Availability => Property::always(PROMISE, healthy::is_undisturbed),
        };
        // What is safe because nothing happens proves nothing.
        let passes = Property::sometimes(PASSES, |_, world: &World| world.database.hidden);
        let refuses = Property::sometimes(REFUSES, |_, world: &World| {
            world.gates.iter().any(|gate| gate.stage == Stage::GivingUp)
        });
        vec![promise, passes, refuses]
    }
}

/// Nobody old acts once the old structure is gone; or nobody healthy is stopped.
pub(super) const PROMISE: &str = "the promise";
/// A gate can be passed.
pub(super) const PASSES: &str = "a gate is passed";
/// A gate can give up behind its fence.
pub(super) const REFUSES: &str = "a gate gives up";

/// No gate acts, and none will: nothing more can be taken away, and nobody disturbed.
fn is_over(rules: &Rules, world: &World) -> bool {
    let is_done = world.gates.iter().all(|gate| gate.stage == Stage::Idle && gate.tries == 0);
    is_done && (!world.database.hidden || rules.promise == Promise::Availability)
}

/// What an instance may do.
fn calls(rules: &Rules, world: &World, app: usize, actions: &mut Vec<Action>) {
    let own = &world.apps[app];
    let serves = world.serves(rules, app);
    let is_paused = own.process == Process::Paused;
    if is_paused {
        actions.push(Action::Wake(app));
    } else if serves && rules.may(Hazard::Pauses) {
        actions.push(Action::Pause(app));
    }
    let is_free = world.database.locked_by.is_none();
    match own.call {
        Call::None if is_paused => {}
        Call::None => {
            if !own.called && is_regular(world) {
                actions.push(Action::Send(app));
                if own.knows && serves {
                    actions.push(Action::Leave(app));
                }
            }
        }
        // Whoever joins locks the gate's row in share mode.
        Call::Sent { ask: Ask::Join, .. } if !is_free => {}
        Call::Sent { .. } => {
            actions.push(Action::Execute(app));
            if rules.may(Hazard::TakenForDead) && state::may_lift(world, rules) {
                actions.push(Action::LiftAndExecute(app));
            }
        }
        Call::Looked { .. } => actions.push(Action::Write(app)),
        Call::Answered { .. } if is_paused => {}
        Call::Answered { .. } => {
            actions.extend([Action::Reply(app), Action::LoseReply(app)]);
            if rules.has(Change::GrantsUnasked) {
                actions.push(Action::HearHalf(app));
            }
        }
    }
}

/// Whether calls and gates may begin at this moment: at others only what is under way goes on.
fn is_regular(world: &World) -> bool {
    world.now.is_multiple_of(CALL_EVERY)
}

/// What happens around instances and gates.
fn around(rules: &Rules, world: &World, actions: &mut Vec<Action>) {
    let is_free = world.database.locked_by.is_none();
    if world.database.steps > 0 && (is_regular(world) || rules.promise == Promise::Availability) {
        actions.push(Action::StepClock);
    }
    if !world.database.filled && world.database.run.is_none() {
        actions.push(Action::Fill);
    }
    if world.database.newest.is_some() && is_free {
        actions.push(Action::NewBuild);
    }
    let is_final = world.database.fence.is_some_and(|fence| fence.is_final);
    let may_run = world.database.run.is_none() || rules.may(Hazard::TwoGates);
    if rules.may(Hazard::WayBack) && is_final && is_free && may_run {
        actions.push(Action::WayBack);
    }
}

/// What a run of zdm may do.
fn steps(rules: &Rules, world: &World, gate: usize, actions: &mut Vec<Action>) {
    let own = &world.gates[gate];
    let is_free = world.database.locked_by.is_none();
    let may_run = world.database.run.is_none() || rules.may(Hazard::TwoGates);
    match own.stage {
        Stage::Idle => {
            let is_next = gate == 0 || world.gates[0].tries == 0;
            if own.tries > 0 && is_next && may_run && is_free && is_regular(world) {
                actions.push(Action::Begin(gate));
            }
            return;
        }
        Stage::Waiting { until } => {
            if world.now >= until && is_free {
                actions.push(Action::Confirm(gate));
            }
            actions.push(Action::GiveUp(gate));
        }
        Stage::Confirmed => actions.push(Action::Hide(gate)),
        Stage::HalfHidden => actions.push(Action::MakeFinal(gate)),
        Stage::GivingUp if is_free => actions.push(Action::Lift(gate)),
        Stage::GivingUp => {}
    }
    if rules.may(Hazard::GatesDie) {
        actions.push(Action::Die(gate));
    }
}

/// Time passes.
fn tick(rules: &Rules, world: &World) -> Option<World> {
    let mut next = *world;
    let step = match rules.promise {
        Promise::Safety => CALL_EVERY,
        Promise::Availability => 1,
    };
    let untils = world.gates.iter().filter_map(|gate| match gate.stage {
        Stage::Waiting { until } => Some(until),
        _ => None,
    });
    let due = untils.filter(|until| *until > world.now).min();
    let regular = (world.now / step + 1) * step;
    next.now = due.unwrap_or(regular).min(regular);
    if next.now > HORIZON {
        return None;
    }
    for app in 0..2 {
        if next.now.is_multiple_of(step) {
            next.apps[app].called = false;
        }
        if rules.promise == Promise::Safety {
            forget_the_past(rules, &mut next, app);
        }
    }
    for lease in next.database.leases.iter_mut().flatten() {
        // When a lease ended makes no difference any more, so it is one state.
        if lease.seen + TTL <= next.now {
            lease.seen = 0;
        }
    }
    next.gates.iter_mut().for_each(|gate| gate.looked = false);
    Some(next)
}

/// What makes no difference any more is one state: a deadline that has passed, and a call whose answer would come after
/// its own deadline. (If the database takes such a call up all the same, a gate only gets more careful.)
fn forget_the_past(rules: &Rules, next: &mut World, app: usize) {
    if !next.serves(rules, app) {
        (next.apps[app].granted, next.apps[app].knows) = (None, false);
    }
    let sent = match next.apps[app].call {
        Call::None => return,
        Call::Sent { at, .. } | Call::Looked { at, .. } | Call::Answered { at, .. } => at,
    };
    if !next.holds(rules, app, sent) && !rules.has(Change::DeadlineFromReply) {
        next.apps[app].call = Call::None;
    }
}

/// The database takes a call up.
fn execute(rules: &Rules, next: &mut World, app: usize) {
    let Call::Sent { at, ask } = next.apps[app].call else { return };
    next.apps[app].call = match state::look(next, rules, app, ask) {
        // It asks again, like one whose call was lost.
        Some(Answer::TurnedAway) => Call::None,
        Some(answer) => Call::Answered { at, answer },
        None if ask == Ask::Renew || rules.has(Change::JoinWithoutLock) => Call::Looked { at, ask },
        None => Call::Answered { at, answer: state::write(next, app, ask) },
    };
}

/// An answer arrives.
pub(super) fn reply(rules: &Rules, next: &mut World, app: usize) {
    let Call::Answered { at, answer } = next.apps[app].call else { return };
    next.apps[app].call = Call::None;
    match answer {
        Answer::Granted { filled } => {
            let from = if rules.has(Change::DeadlineFromReply) { next.now } else { at };
            // One that comes after its own deadline is worth nothing.
            if next.holds(rules, app, from) {
                let own = &mut next.apps[app];
                let is_join = !own.knows;
                let hears = filled && (is_join || !rules.has(Change::AsksOnce));
                own.reads_new |= hears && switches(rules, app);
                (own.granted, own.knows, own.asking) = (Some(from), true, None);
            }
        }
        Answer::Gone => next.apps[app].knows = false,
        // Nothing stops an instance that only reports.
        Answer::Fenced if only_reports(rules, app) => {}
        Answer::Fenced => {
            let is_healthy = rules.promise == Promise::Availability;
            let was_serving = is_healthy && next.apps[app].granted.is_some();
            let process = if was_serving { Process::Stopped } else { Process::Runs };
            next.apps[app] = App { called: true, process, ..App::default() };
        }
        Answer::TurnedAway => {}
    }
}

fn way_back(rules: &Rules, next: &mut World) {
    next.database.fence = None;
    // What was rolled back is missing from here on; what was contracted is there again.
    next.database.hidden = rules.kind == GateKind::Rollback;
    // It was a run, too.
    next.database.run = None;
    next.raise_epoch();
}
