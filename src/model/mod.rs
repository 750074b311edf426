//! The words of the project as plain data: migrations, phases, states, steps, leases.
//!
//! Invariant: nothing here does IO, knows a database's dialect, or is serialisable.

pub(crate) mod fence;
#[cfg(feature = "engine")]
pub(crate) mod journal;
pub(crate) mod lease;
pub(crate) mod manifest;
pub(crate) mod name;
#[cfg(feature = "engine")]
pub(crate) mod phase;
pub(crate) mod server;
#[cfg(feature = "engine")]
pub(crate) mod state;
#[cfg(feature = "engine")]
pub(crate) mod step;
