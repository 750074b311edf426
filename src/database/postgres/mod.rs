//! The PostgreSQL adapter.

#[cfg(feature = "postgres")]
mod connect;
#[cfg(feature = "postgres")]
mod errors;
#[cfg(feature = "postgres")]
mod placeholders;
#[cfg(feature = "postgres")]
mod session;
#[cfg(feature = "postgres")]
mod tls;
#[cfg(feature = "postgres")]
mod value;

#[cfg(feature = "postgres")]
pub(crate) use connect::open;
