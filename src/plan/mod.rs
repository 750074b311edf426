//! Plans: migrations, state, catalog and configuration to steps, effects and findings; gate verdicts; pacing.
//!
//! Invariant: pure. No IO, no clock, no async: what is not an argument is not known.

pub(crate) mod baseline;
pub(crate) mod build;
pub(crate) mod digest;
mod fillable;
pub(crate) mod gate;
mod hand;
pub(crate) mod health;
pub(crate) mod history;
pub(crate) mod manifest;
pub(crate) mod migration;
pub(crate) mod order;
pub(crate) mod pacing;
pub(crate) mod project;
pub(crate) mod steps;
pub(crate) mod up;
pub(crate) mod verified;
pub(crate) mod view;

pub(crate) use hand::bare;
