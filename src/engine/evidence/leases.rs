//! The leases that instances left in the state.

use async_trait::async_trait;

use super::Evidence;
use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::database::state;
use crate::plan::gate::{Facts, Question};

/// Reads every lease, and the clock by which they expire.
pub(super) struct Leases;

#[async_trait]
impl Evidence for Leases {
    async fn fetch(
        &self,
        conn: &mut Connection,
        _question: &Question,
        facts: &mut Facts,
    ) -> Result<(), DbError> {
        let view = state::leases::leases(conn).await?;
        facts.now = view.now;
        facts.leases = view.leases;
        Ok(())
    }
}
