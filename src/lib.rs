//! zdm: zero-downtime schema migrations for PostgreSQL, MySQL and MariaDB.

pub mod app;
#[cfg(all(feature = "cli", feature = "postgres", feature = "mysql"))]
#[doc(hidden)]
pub mod cli;
#[cfg(feature = "engine")]
pub mod config;
#[cfg_attr(
    not(feature = "engine"),
    expect(dead_code, reason = "the application library uses a part of what the engine uses")
)]
mod database;
#[cfg(feature = "engine")]
mod engine;
#[cfg(feature = "engine")]
mod error;
#[cfg(feature = "engine")]
mod lint;
#[cfg_attr(
    not(feature = "engine"),
    expect(dead_code, reason = "the application library uses a part of what the engine uses")
)]
mod model;
#[cfg(feature = "engine")]
mod operation;
#[cfg(feature = "engine")]
mod plan;
#[cfg(all(feature = "cli", feature = "postgres", feature = "mysql"))]
mod report;
#[cfg(feature = "engine")]
mod sql;

pub use app::Instance;
/// Throwaway servers, for the tests of this crate.
#[cfg(feature = "engine")]
#[doc(hidden)]
pub use engine::scratch;
#[cfg(feature = "engine")]
pub use error::{Error, ErrorKind};
/// What `fuzz/` calls.
#[cfg(feature = "fuzz")]
#[doc(hidden)]
pub use lint::fuzz::fuzz_lint;

// The database layer is private, and its tests want real servers, too.
#[cfg(all(test, feature = "cli", feature = "postgres", feature = "mysql"))]
extern crate self as zdm;
#[cfg(all(test, feature = "cli", feature = "postgres", feature = "mysql"))]
#[path = "../tests/support/mod.rs"]
#[expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::print_stderr,
    dead_code,
    unused_imports,
    reason = "helpers of tests do not count as tests for clippy"
)]
mod support;
