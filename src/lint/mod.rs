//! Rules over changes, effects, catalog and phase.
//!
//! Invariant: a rule never sees a parser's tree. One Rust file a rule in `rules/`, one data file a rule in `lints/`,
//! one line in the registry.

pub(crate) mod finding;
