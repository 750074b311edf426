//! Runs plans: journal, locks, retries, backfills, evidence. Tells what it does as typed events; prints nothing.
//!
//! Invariant: decisions are those of `plan`; this layer reads, waits and writes.
#![expect(
    clippy::disallowed_methods,
    reason = "this layer is IO: it waits, reads clocks and runs statements"
)]

pub(crate) mod commands;
mod commit;
pub(crate) mod event;
mod evidence;
pub(crate) mod failure;
mod fault;
pub(crate) mod gate;
pub(crate) mod health;
pub(crate) mod interrupt;
pub(crate) mod job;
mod lock;
pub(crate) mod open;
pub(crate) mod outcome;
mod overrides;
mod progress;
pub(crate) mod report_child;
mod retry;
mod run;
mod run_lock;
pub mod scratch;
mod session;
mod signals;
mod steps;
mod stop;
mod transition;
pub(crate) mod verify;
