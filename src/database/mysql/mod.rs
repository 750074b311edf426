//! The adapter for MySQL and MariaDB.

#[cfg(feature = "engine")]
mod blockers;
#[cfg(feature = "engine")]
mod catalog;
#[cfg(feature = "mysql")]
mod connect;
#[cfg(feature = "mysql")]
mod errors;
#[cfg(feature = "mysql")]
mod session;
#[cfg(feature = "engine")]
mod sizes;
#[cfg(feature = "mysql")]
mod tls;
#[cfg(feature = "mysql")]
mod value;

#[cfg(feature = "engine")]
pub(crate) use blockers::{blind_spots, blocking, holders};
#[cfg(feature = "engine")]
pub(crate) use catalog::catalog;
#[cfg(feature = "mysql")]
pub(crate) use connect::open;
#[cfg(feature = "engine")]
pub(crate) use sizes::{sizes, writes};
