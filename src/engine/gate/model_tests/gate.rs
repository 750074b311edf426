//! What a gate does, step by step. Whatever it decides is decided by the functions of the product.

use crate::plan::gate::hard_fence::Cut;
use std::sync::LazyLock;
use std::time::Duration;

use super::rules::{Change, Hazard, Rules};
use super::world::{self, Stage, TTL, UNIT, World, only_reports, switches};
use crate::config::ServiceEvidence;
use crate::model::fence::{self, FenceKind, FenceStatus};
use crate::model::lease::{Ending, Lease, Reached, parse_tolerates};
use crate::model::name::MigrationId;
use crate::plan::gate::{
    Builds, Facts, GateKind, Question, ServiceFacts, Verdict, Watch, decide, wait, watch,
};

/// The database's clock when the model begins: milliseconds since 1970.
const START: i64 = 1_800_000_000_000;
/// The epoch of whichever fence is the asking gate's own; any other fence has another one.
const EPOCH: i64 = 7;

/// Takes the run lock, ends what dead gates left, looks, and makes a fence if nobody is in the way.
pub(super) fn begin(world: &mut World, rules: &Rules, gate: usize) {
    world.gates[gate].tries -= 1;
    world.database.run = u8::try_from(gate).ok();
    end_dead(world, rules, gate);
    let facts = facts(world, rules, [false; 2]);
    let question = question(rules.kind);
    let is_early = !world.database.filled && !rules.has(Change::FencesUnfilled);
    if world.database.hidden
        || is_early
        || decide(question, &facts, &[]).verdict() != Verdict::Clear
    {
        return finish(world, gate);
    }
    world.raise_epoch();
    if !rules.has(Change::NoFence) {
        let owner = u8::try_from(gate).ok();
        world.database.fence = Some(world::Fence { owner, is_final: false, knocked: false });
    }
    // What knocked at an earlier fence has a lower epoch than this one.
    world.database.leases.iter_mut().flatten().for_each(|lease| lease.knocked = false);
    let until = world.now + units(rules, question, &facts);
    let own = &mut world.gates[gate];
    (own.stage, own.is_current, own.moved) = (Stage::Waiting { until }, true, [false; 2]);
}

/// In the transaction that takes the old structure away: may it go on?
pub(super) fn confirm(world: &mut World, rules: &Rules, gate: usize) {
    let has_run = world.database.run == u8::try_from(gate).ok() || rules.has(Change::NoRunCheck);
    let is_current = world.gates[gate].is_current || rules.has(Change::NoEpochCheck);
    world.gates[gate].stage = if has_run && is_current && still_holds(world, rules, gate) {
        world.database.locked_by = u8::try_from(gate).ok();
        Stage::Confirmed
    } else {
        Stage::GivingUp
    };
}

/// Whether nothing has happened behind the fence.
pub(super) fn still_holds(world: &World, rules: &Rules, gate: usize) -> bool {
    let owner = u8::try_from(gate).ok();
    let made = world::Fence { owner, is_final: false, knocked: false };
    let mut own = stored(rules, made, gate);
    let mut found = world.database.fence.map(|fence| stored(rules, fence, gate));
    if rules.has(Change::NoFence) {
        found = Some(own.clone());
    }
    if rules.has(Change::NoEpochCheck) {
        own = found.unwrap_or(own);
        own.status = FenceStatus::Provisional;
        found = Some(own.clone());
    }
    let then = facts(world, rules, world.gates[gate].moved);
    let now = facts(world, rules, [false; 2]);
    watch(question(rules.kind), &own, found.as_ref(), (&then, &now), &[]) == Watch::GoOn
}

/// Takes the old structure out of sight.
pub(super) fn hide(world: &mut World, rules: &Rules, gate: usize) {
    world.database.hidden = true;
    if rules.may(Hazard::DdlCommits) {
        world.gates[gate].stage = Stage::HalfHidden;
    } else {
        make_final(world, gate);
    }
}

/// Makes the fence final, and ends the transaction.
pub(super) fn make_final(world: &mut World, gate: usize) {
    if let Some(fence) = &mut world.database.fence {
        fence.is_final = true;
    }
    world.database.locked_by = None;
    finish(world, gate);
}

/// Lifts the gate's own fence, if it is there.
pub(super) fn lift(world: &mut World, rules: &Rules, gate: usize) {
    let is_own = |fence: &world::Fence| {
        let own = fence.owner.map(usize::from) == Some(gate) && !fence.is_final;
        own || rules.has(Change::LiftsAnyFence)
    };
    if world.database.fence.as_ref().is_some_and(is_own) {
        world.database.fence = None;
        world.raise_epoch();
    }
    finish(world, gate);
}

/// The process is killed: its transaction is rolled back, what was committed stays.
pub(super) fn die(world: &mut World, gate: usize) {
    let is_own = |owner: &Option<u8>| owner.map(usize::from) == Some(gate);
    if is_own(&world.database.locked_by) {
        world.database.locked_by = None;
    }
    if let Some(fence) = world.database.fence.as_mut().filter(|fence| is_own(&fence.owner)) {
        fence.owner = None;
    }
    finish(world, gate);
}

/// Gives the run lock back.
fn finish(world: &mut World, gate: usize) {
    if world.database.run.map(usize::from) == Some(gate) {
        world.database.run = None;
    }
    let own = &mut world.gates[gate];
    (own.stage, own.is_current, own.moved) = (Stage::Idle, false, [false; 2]);
}

/// Every other run is dead, or has lost its lock.
fn end_dead(world: &mut World, rules: &Rules, gate: usize) {
    let is_dead =
        |fence: &world::Fence| !fence.is_final && fence.owner.map(usize::from) != Some(gate);
    if let Some(fence) = world.database.fence.filter(is_dead) {
        if world.database.hidden && !rules.has(Change::LiftsHalfHidden) {
            world.database.fence = Some(world::Fence { is_final: true, ..fence });
        } else {
            world.database.fence = None;
            world.raise_epoch();
        }
    }
}

/// How long the gate waits, in units.
fn units(rules: &Rules, question: &Question, facts: &Facts) -> u8 {
    if rules.has(Change::NoWait) {
        return 0;
    }
    let wait = wait(question, facts);
    if rules.has(Change::WaitWithoutMargin) && !wait.is_zero() {
        return TTL;
    }
    u8::try_from(wait.as_millis().div_ceil(UNIT.as_millis())).unwrap_or(u8::MAX)
}

/// May `0005_k` be contracted, or rolled back, with `api` as the one service?
fn question(kind: GateKind) -> &'static Question {
    static CONTRACT: LazyLock<Question> = LazyLock::new(|| ask(GateKind::Contract));
    static ROLLBACK: LazyLock<Question> = LazyLock::new(|| ask(GateKind::Rollback));
    match kind {
        GateKind::Contract => &CONTRACT,
        GateKind::Rollback => &ROLLBACK,
    }
}

fn ask(kind: GateKind) -> Question {
    let facts = ServiceFacts {
        evidence: ServiceEvidence::Leases,
        roles: Vec::new(),
        applications: Vec::new(),
        pooled: false,
        hard_fence: false,
    };
    Question {
        kind,
        migration: id("0005_k"),
        services: [("api".to_owned(), facts)].into(),
        concerned: None,
        soak: Duration::ZERO,
        builds: Builds::MayRun,
        ignore_roles: Vec::new(),
        freeze: Vec::new(),
        checks: Vec::new(),
        longest_ttl: Duration::ZERO,
        cut: Cut::Coming,
    }
}

/// What the gate reads now, or has read when it made its fence: since then the leases that `moved` have beaten.
fn facts(world: &World, rules: &Rules, moved: [bool; 2]) -> Facts {
    let lease = |app: usize| {
        let found = world.database.leases[app]?;
        let is_last = world.database.newest.map(usize::from) == Some(app);
        let number = if is_last { LAST } else { i64::from(app == 1) };
        let seen_at = moment(found.seen);
        let left_at = found.left.then_some(seen_at);
        let knocked_epoch = found.knocked.then_some(EPOCH + 1);
        let beat = 1 - i64::from(moved[app]);
        Some(Lease { id: number, beat, seen_at, left_at, knocked_epoch, ..template(rules, app) })
    };
    let leases = [0, 1].into_iter().filter_map(lease);
    Facts {
        now: moment(world.database_now()),
        leases: leases.chain([NEW.clone()]).collect(),
        ..Facts::default()
    }
}

/// The number of the lease that joined last; the new build's is the one before.
const LAST: i64 = 9;

/// A lease of an old build that does not say how it is doing.
fn template(rules: &Rules, app: usize) -> Lease {
    // The second build has seen a later migration already, and not this one.
    let tolerates = match (app, rules.has(Change::NumberForSet)) {
        _ if switches(rules, app) => "0005_k",
        (0, _) => "0004_j",
        (_, false) => "0006_l",
        (_, true) => "0005_k,0006_l",
    };
    let is_silent = only_reports(rules, app) && !rules.has(Change::ReportsExpire);
    Lease {
        instance: format!("old-{app}"),
        tolerates: parse_tolerates(tolerates),
        needs: match rules.kind {
            GateKind::Contract if switches(rules, app) => {
                vec![(id("0005_k"), Reached::Expanded)]
            }
            GateKind::Contract => Vec::new(),
            GateKind::Rollback => vec![(id("0005_k"), Reached::Migrated)],
        },
        ending: if is_silent { Ending::Reports } else { Ending::Suspends },
        left_at: None,
        ..NEW.clone()
    }
}

/// A new build that ran, and left.
static NEW: LazyLock<Lease> = LazyLock::new(|| Lease {
    id: LAST - 1,
    service: "api".to_owned(),
    version: "42".to_owned(),
    instance: "new".to_owned(),
    tolerates: parse_tolerates("0005_k"),
    needs: Vec::new(),
    ending: Ending::Suspends,
    role: String::new(),
    ttl: UNIT * u32::from(TTL),
    beat: 1,
    joined_at: START,
    seen_at: START,
    left_at: Some(START),
    knocked_epoch: None,
});

/// A fence as the database gives it back.
fn stored(rules: &Rules, fence: world::Fence, gate: usize) -> fence::Fence {
    let is_own = fence.owner.map(usize::from) == Some(gate);
    fence::Fence {
        migration: id("0005_k"),
        kind: match rules.kind {
            GateKind::Contract => FenceKind::Tolerate,
            GateKind::Rollback => FenceKind::Withdraw,
        },
        services: None,
        status: if fence.is_final { FenceStatus::Final } else { FenceStatus::Provisional },
        epoch: if is_own { EPOCH } else { EPOCH + 1 },
        run_token: if is_own { "own" } else { "other" }.to_owned(),
        since: START,
        knocked_by: fence.knocked.then(|| "api old".to_owned()),
    }
}

fn id(name: &str) -> MigrationId {
    MigrationId::parse(name).unwrap()
}

/// On the database's clock, in milliseconds since 1970.
fn moment(units: u8) -> i64 {
    START + i64::from(units) * i64::try_from(UNIT.as_millis()).unwrap()
}
