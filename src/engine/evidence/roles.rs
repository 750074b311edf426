//! The roles of leases, where a service has a hard fence.

use async_trait::async_trait;

use super::Evidence;
use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::plan::gate::{Facts, Question};

/// Asks what may be done with the roles under which leases were joined.
pub(super) struct Roles;

#[async_trait]
impl Evidence for Roles {
    async fn fetch(
        &self,
        conn: &mut Connection,
        question: &Question,
        facts: &mut Facts,
    ) -> Result<(), DbError> {
        if question.asks_roles() {
            facts.roles = conn.roles_of_leases().await?;
        }
        Ok(())
    }
}
