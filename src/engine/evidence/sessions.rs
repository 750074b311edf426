//! Who is connected to the server.

use async_trait::async_trait;

use super::Evidence;
use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::plan::gate::{Facts, Question};

/// Asks the server on which the gate stands.
pub(super) struct OnServer;

#[async_trait]
impl Evidence for OnServer {
    async fn fetch(
        &self,
        conn: &mut Connection,
        question: &Question,
        facts: &mut Facts,
    ) -> Result<(), DbError> {
        if question.asks_sessions() {
            facts.sessions = Some(conn.client_sessions(&roles(question)).await?);
        }
        Ok(())
    }
}

/// The users that services name.
pub(super) fn roles(question: &Question) -> Vec<String> {
    question.services.values().flat_map(|service| service.roles.clone()).collect()
}
