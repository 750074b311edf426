//! What every test can use: real servers, and a database of its own for each test.

pub(crate) mod clock;
pub(crate) mod own;
mod pooler;
mod proxy;
mod replica;
pub(crate) mod servers;
mod session;
pub(crate) mod standby;

pub(crate) use pooler::pooler;
pub(crate) use proxy::{Network, Proxy};
pub(crate) use replica::pair;
pub(crate) use servers::{Db, Engine, each, mariadb, postgres};
pub(crate) use session::{Pending, Session};
pub(crate) use standby::{primary, standby};
