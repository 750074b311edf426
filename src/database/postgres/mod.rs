//! The PostgreSQL adapter.

#[cfg(feature = "engine")]
mod blockers;
#[cfg(feature = "engine")]
mod catalog;
#[cfg(feature = "postgres")]
mod connect;
#[cfg(feature = "engine")]
mod console;
#[cfg(feature = "postgres")]
mod errors;
#[cfg(feature = "postgres")]
mod placeholders;
#[cfg(feature = "postgres")]
mod session;
#[cfg(feature = "engine")]
mod sizes;
#[cfg(feature = "postgres")]
mod tls;
#[cfg(feature = "postgres")]
mod value;

#[cfg(feature = "engine")]
pub(crate) use blockers::{blind_spots, blocking, holders};
#[cfg(feature = "engine")]
pub(crate) use catalog::{beside, catalog};
#[cfg(feature = "postgres")]
pub(crate) use connect::open;
#[cfg(feature = "engine")]
pub(crate) use console::console;
#[cfg(feature = "engine")]
pub(crate) use sizes::{Exactness, sizes, writes};
