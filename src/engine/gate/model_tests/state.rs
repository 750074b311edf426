//! What the functions for applications do, `join_v1`, `renew_v1` and `leave_v1`: the model's word for their SQL.
//!
//! A renewal looks and writes at two moments, as it takes no lock on the gate's row. That a join is one moment is what
//! `engine::gate::race_tests` tries on real servers.

use super::rules::{Change, Rules};
use super::world::{Answer, Ask, Lease, TTL, World, only_reports, switches};
use crate::plan::gate::GateKind;

/// The first half of a call. An answer ends it; without one it is about to be granted.
pub(super) fn look(world: &mut World, rules: &Rules, app: usize, ask: Ask) -> Option<Answer> {
    if ask == Ask::Renew && !is_renewable(world, rules, app) {
        return Some(Answer::Gone);
    }
    if is_asked(rules, app, ask)
        && let Some(fence) = &mut world.database.fence
    {
        if fence.is_final {
            return Some(Answer::Fenced);
        }
        if !rules.has(Change::NoKnock) {
            fence.knocked = true;
            if let (Ask::Renew, Some(lease)) = (ask, &mut world.database.leases[app]) {
                lease.knocked = true;
            }
        }
        return Some(Answer::TurnedAway);
    }
    // What a build needs is not there.
    let is_missing = rules.kind == GateKind::Rollback && world.database.hidden;
    (ask == Ask::Join && is_missing).then_some(Answer::TurnedAway)
}

/// Whether a fence may be lifted by whoever meets it, when the run lock of its gate has expired. Not once the contract has
/// begun: the old structure may be half gone.
pub(super) fn may_lift(world: &World, rules: &Rules) -> bool {
    let is_provisional = world.database.fence.is_some_and(|fence| !fence.is_final);
    let has_begun = world.database.hidden && !rules.has(Change::LiftsHalfHidden);
    is_provisional && !has_begun && world.database.locked_by.is_none()
}

/// Lifts the fence, as the next run would. It locks the gate's row alone.
pub(super) fn lift(world: &mut World) {
    world.database.fence = None;
    world.raise_epoch();
}

/// The second half of a call.
pub(super) fn write(world: &mut World, app: usize, ask: Ask) -> Answer {
    let seen = world.database_now();
    let lease = &mut world.database.leases[app];
    match (ask, lease) {
        (Ask::Renew, Some(lease)) if !lease.left => lease.seen = seen,
        (Ask::Renew, _) => return Answer::Gone,
        (Ask::Join, lease) => {
            *lease = Some(Lease { seen, left: false, knocked: false });
            world.database.newest = u8::try_from(app).ok();
        }
    }
    world.gates.iter_mut().for_each(|gate| gate.moved[app] = true);
    // The product asks after this, and may hear more.
    Answer::Granted { filled: world.database.filled }
}

/// An instance that has stopped says so.
pub(super) fn leave(world: &mut World, app: usize) {
    if let Some(lease) = &mut world.database.leases[app] {
        lease.left = true;
    }
}

/// A lease that suspends and has expired is taken for gone: only a join brings it back.
fn is_renewable(world: &World, rules: &Rules, app: usize) -> bool {
    let now = world.database_now();
    let is_live = |lease: &Lease| only_reports(rules, app) || lease.seen + TTL > now;
    world.database.leases[app].is_some_and(|lease| !lease.left && is_live(&lease))
}

/// Whether the fence's question is put to an instance at all.
fn is_asked(rules: &Rules, app: usize, ask: Ask) -> bool {
    let passes_by_number = rules.has(Change::NumberForSet) && app == 1;
    let tolerates = switches(rules, app) && rules.kind == GateKind::Contract;
    let beats = rules.has(Change::BeatWithoutKnock) && ask == Ask::Renew;
    !passes_by_number && !tolerates && !beats
}
