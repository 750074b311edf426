//! Findings, plans, states and events as text for people and as JSON.
//!
//! Invariant: nothing here decides or asks; data goes in, text comes out. The JSON structs live here alone, so that a
//! rename in another layer does not break a user's pipeline.

pub(crate) mod human;
pub(crate) mod json;
pub(crate) mod linted;
pub(crate) mod progress;
