//! Who is connected to replicas, and behind a pooler: the primary sees neither.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::sessions::roles;
use super::{Looking, SlowEvidence};
use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::database::target::Target;
use crate::engine::job::Address;
use crate::error::Error;
use crate::plan::gate::SlowFacts;
use crate::plan::gate::sessions::Sessions;

/// Asks the replicas and the pooler that zdm.toml names.
pub(super) struct Elsewhere;

#[async_trait]
impl SlowEvidence for Elsewhere {
    async fn fetch(
        &self,
        conn: &mut Connection,
        looking: Looking<'_>,
        facts: &mut SlowFacts,
    ) -> Result<(), Error> {
        if !looking.question.asks_sessions() {
            return Ok(());
        }
        let mut found = Sessions::default();
        let mut asked = BTreeSet::new();
        let elsewhere = &looking.job.elsewhere;
        for replica in &elsewhere.replicas {
            match on_replica(conn, replica, &roles(looking.question)).await {
                Ok((server, sessions)) => {
                    asked.insert(server);
                    found.found.extend(sessions.found);
                    found.hidden.extend(sessions.hidden);
                }
                Err(why) => {
                    found.hidden.push(format!("replica {replica} could not be asked: {why}"));
                }
            }
        }
        found.replicas_asked = asked.len();
        if let Some(pooler) = &elsewhere.pooler {
            match behind_pooler(conn, pooler).await {
                Ok((clients, backends)) => {
                    found.found.extend(clients);
                    found.pooler_backends = backends;
                    found.pooler_asked = true;
                }
                Err(why) => found.hidden.push(format!("pooler {pooler} could not be asked: {why}")),
            }
        }
        facts.elsewhere = Some(found);
        Ok(())
    }
}

async fn on_replica(
    conn: &mut Connection,
    replica: &Address,
    roles: &[String],
) -> Result<(String, Sessions), String> {
    let target = replica.target()?;
    let words = |error: DbError| error.to_string();
    let mut there = Connection::open(target).await.map_err(words)?;
    let server = there.server_instance().await.map_err(words)?;
    if server == conn.server_instance().await.map_err(words)? {
        return Err("it is the primary itself".to_owned());
    }
    let mut sessions = there.client_sessions(roles).await.map_err(words)?;
    there.close().await;
    for session in &mut sessions.found {
        session.place = Some(format!("on replica {replica}"));
    }
    Ok((server, sessions))
}

async fn behind_pooler(
    conn: &mut Connection,
    pooler: &Address,
) -> Result<(Vec<crate::plan::gate::sessions::Session>, Vec<i64>), String> {
    let target: &Target = pooler.target()?;
    conn.pooler_clients(target).await.map_err(|error| error.to_string())
}
