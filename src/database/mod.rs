//! Databases behind one trait: a [`Session`] is one connection; each adapter speaks its own full dialect.
//!
//! Invariant: no decisions here. What is read is returned as the plain data of `model` and `sql::catalog`.
#![cfg_attr(
    feature = "engine",
    expect(
        clippy::disallowed_methods,
        reason = "this layer is IO: it reads clocks, files and the network"
    )
)]

mod address;
#[cfg(feature = "engine")]
pub(crate) mod blockers;
#[cfg(test)]
#[cfg(all(feature = "cli", feature = "postgres", feature = "mysql"))]
mod blockers_tests;
#[cfg(feature = "engine")]
mod catalog;
#[cfg(test)]
#[cfg(all(feature = "cli", feature = "postgres", feature = "mysql"))]
mod catalog_tests;
pub(crate) mod connection;
mod dialect;
pub(crate) mod error;
#[cfg(feature = "engine")]
pub(crate) mod footprint;
#[cfg(feature = "engine")]
mod health;
#[cfg(feature = "engine")]
pub(crate) mod identity;
pub(crate) mod lease;
#[cfg(feature = "engine")]
mod mentions;
mod mysql;
#[cfg(feature = "engine")]
mod objects;
#[cfg(feature = "engine")]
pub(crate) mod observe;
#[cfg(test)]
#[cfg(all(feature = "engine", feature = "postgres", feature = "mysql"))]
mod operation_tests;
mod postgres;
#[cfg(feature = "engine")]
mod probe;
#[cfg(feature = "engine")]
mod rights;
#[cfg(feature = "engine")]
pub(crate) mod roles;
#[cfg(test)]
#[cfg(all(feature = "cli", feature = "postgres", feature = "mysql"))]
mod server_tests;
pub(crate) mod session;
#[cfg(feature = "engine")]
pub(crate) mod sessions;
#[cfg(feature = "engine")]
pub(crate) mod sizes;
#[cfg(feature = "engine")]
pub(crate) mod snapshot;
#[cfg(feature = "engine")]
pub(crate) mod state;
#[cfg(feature = "engine")]
pub(crate) mod stored;
#[cfg(feature = "engine")]
mod stored_shape;
pub(crate) mod target;
#[cfg(test)]
#[cfg(all(feature = "cli", feature = "postgres-tls", feature = "mysql"))]
mod tls_tests;
