//! The adapter for MySQL and MariaDB.

#[cfg(feature = "mysql")]
mod connect;
#[cfg(feature = "mysql")]
mod errors;
#[cfg(feature = "mysql")]
mod session;
#[cfg(feature = "mysql")]
mod tls;
#[cfg(feature = "mysql")]
mod value;

#[cfg(feature = "mysql")]
pub(crate) use connect::open;
