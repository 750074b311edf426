//! Findings, plans, states and events as text for people, as JSON, and in the formats of other programs.
//!
//! Invariant: nothing here decides or asks; data goes in, text comes out. The JSON structs live here alone, so that a
//! rename in another layer does not break a user's pipeline.

pub(crate) mod check;
mod facts;
mod fingerprint;
pub(crate) mod formats;
pub(crate) mod human;
pub(crate) mod json;
pub(crate) mod linted;
pub(crate) mod place;
pub(crate) mod progress;
pub(crate) mod since;
mod words;
