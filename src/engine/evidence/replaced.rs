//! Whether this server took the place of another one.

use async_trait::async_trait;

use super::{Looking, SlowEvidence};
use crate::database::connection::Connection;
use crate::database::state::promotion;
use crate::engine::failure;
use crate::error::Error;
use crate::plan::gate::SlowFacts;

/// Reads what runs have seen of it.
pub(super) struct Replaced;

#[async_trait]
impl SlowEvidence for Replaced {
    async fn fetch(
        &self,
        conn: &mut Connection,
        _looking: Looking<'_>,
        facts: &mut SlowFacts,
    ) -> Result<(), Error> {
        let last = promotion::last(conn).await;
        facts.replaced_at = last.map_err(|error| failure::working("read the events", error))?;
        Ok(())
    }
}
