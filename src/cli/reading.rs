//! Commands that only look at a database: nothing is made in it.

use crate::database::connection::Connection;
use crate::database::state::install::open_for_reading;
use crate::database::target::Target;
use crate::engine::failure;
use crate::error::Error;

/// A database that is looked at.
pub(crate) struct Reading {
    /// The connection.
    pub(crate) conn: Connection,
    /// Whether there is a state in it; if not, nothing has ever run there.
    pub(crate) has_state: bool,
}

impl Reading {
    /// Connects, and checks that the state in it is this database's own.
    pub(crate) async fn open(target: &Target, environment: Option<&str>) -> Result<Self, Error> {
        let opened = Connection::open(target).await;
        let mut conn = opened.map_err(|error| failure::connecting(target, error))?;
        let has_state = open_for_reading(&mut conn, environment).await?;
        Ok(Self { conn, has_state })
    }
}
