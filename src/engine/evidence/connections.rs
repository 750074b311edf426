//! The connections of leases, by the session locks that they hold.

use async_trait::async_trait;

use super::Evidence;
use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::plan::gate::{Facts, Question};

/// Asks which leases have their connection open.
pub(super) struct Connections;

#[async_trait]
impl Evidence for Connections {
    async fn fetch(
        &self,
        conn: &mut Connection,
        _question: &Question,
        facts: &mut Facts,
    ) -> Result<(), DbError> {
        facts.connected = conn.connected_leases().await?;
        Ok(())
    }
}
