//! The gate's protocol, model-checked: every state that a small world can come to is visited.
//!
//! Decisions are those of the product: `plan::gate::{decide, watch, wait}` and `app::deadline::granted`. The rest, what
//! the SQL of the functions and the steps of `engine::gate` do, is said again here, in the terms of a small world.
//! docs/gate.md says what that shows, and what not.

mod cases;
mod gate;
mod healthy;
mod model;
mod rules;
mod state;
mod world;

use std::time::Instant;

use stateright::{Checker as _, HasDiscoveries, Model as _};

use model::{PASSES, PROMISE, REFUSES};
use rules::{Expected, Rules};

/// Visits every state of a case, or all up to a violation; says what is wrong.
fn check(case: &Rules) -> Option<String> {
    let began = Instant::now();
    let checker = case.checker().threads(2).finish_when(HasDiscoveries::AnyFailures);
    let checker = checker.spawn_bfs().join();
    let found = checker.discoveries();
    let (states, took) = (checker.unique_state_count(), began.elapsed());
    let broken = found.get(PROMISE);
    let steps = broken.map(|path| path.clone().into_actions().len());
    println!("{:32} {states:8} states {took:8.1?} violated after {steps:?} steps", case.name);
    match (case.expected, broken) {
        (Expected::Fails, Some(path)) => {
            println!("    {:?}", path.clone().into_actions());
            None
        }
        (Expected::Fails, None) => Some(format!("{}: no way to violate it was found", case.name)),
        (Expected::Holds, Some(path)) => {
            Some(format!("{}: {:#?}", case.name, path.clone().into_actions()))
        }
        (Expected::Holds, None) => {
            let missing: Vec<_> =
                [PASSES, REFUSES].into_iter().filter(|name| !found.contains_key(name)).collect();
            (!missing.is_empty()).then(|| format!("{}: never: {missing:?}", case.name))
        }
    }
}

fn check_all(cases: &[Rules]) {
    let wrong: Vec<_> = cases.iter().filter_map(check).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_old_instance_acts_once_the_old_structure_is_gone() {
    check_all(cases::SAFE);
}

#[test]
fn every_part_of_the_protocol_is_needed() {
    check_all(cases::UNSAFE);
}

#[test]
fn no_healthy_instance_is_stopped_by_a_gate() {
    check_all(cases::AVAILABILITY);
}
