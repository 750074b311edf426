//! Every integration test, in one binary: one link, one server of each family.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "helpers of tests do not count as tests for clippy"
)]

#[path = "../support/mod.rs"]
mod support;

mod app;
mod baseline;
mod ci;
mod cli;
mod crash;
mod delegate;
mod demo;
mod doctor;
mod drill;
mod engine;
mod evidence;
mod examples;
mod faults_of_peers;
mod gate;
mod gate_faults;
mod ground;
mod health;
mod lint;
mod operations;
mod protocol;
mod readme;
mod repository;
mod search_path;
mod servers;
mod snapshot;
mod state;
mod up;
mod verify;
