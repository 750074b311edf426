//! Services as `zdm.toml` declares them: what instances are told when they join, and who may call the functions.

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use super::grants::Ungranted;
use super::grants::{grant_functions, missing_functions};
use super::upsert;
use crate::config::{ServiceConfig, ServiceEvidence};
use crate::database::connection::Connection;
use crate::database::error::DbError;

/// Makes the state's services those of the configuration, and lets their roles call the functions for applications.
///
/// A service that is no longer declared stays, as undeclared. Returns the rights that could not be granted.
pub(crate) async fn declare_services(
    conn: &mut Connection,
    services: &BTreeMap<String, ServiceConfig>,
) -> Result<Vec<Ungranted>, DbError> {
    let put =
        conn.sql(&upsert(conn.engine(), "service", &["name"], &["ttl_ms", "evidence", "declared"]));
    let known = declared(conn).await?;
    for (name, service) in services {
        let evidence = match service.evidence {
            ServiceEvidence::Leases => "leases",
            ServiceEvidence::Sessions => "sessions",
        };
        let ttl = i64::try_from(service.ttl.as_millis()).unwrap_or(i64::MAX);
        if known.get(name).is_none_or(|found| *found != (ttl, evidence.to_owned())) {
            let values = [name.as_str().into(), ttl.into(), evidence.into(), 1_i64.into()];
            conn.execute(&put, &values).await?;
        }
    }
    let undeclare = conn.sql("UPDATE {zdm}service SET declared = ? WHERE name = ?");
    for name in known.keys().filter(|name| !services.contains_key(*name)) {
        conn.execute(&undeclare, &[0_i64.into(), name.as_str().into()]).await?;
    }
    grant_functions(conn, &roles(services)).await
}

/// The rights that roles of services lack on the functions for applications. Changes nothing.
pub(crate) async fn missing_rights(
    conn: &mut Connection,
    services: &BTreeMap<String, ServiceConfig>,
) -> Result<Vec<Ungranted>, DbError> {
    missing_functions(conn, &roles(services)).await
}

fn roles(services: &BTreeMap<String, ServiceConfig>) -> BTreeSet<&str> {
    services.values().flat_map(|service| &service.roles).map(String::as_str).collect()
}

/// The declared services that the state knows: TTL in milliseconds, evidence.
async fn declared(conn: &mut Connection) -> Result<BTreeMap<String, (i64, String)>, DbError> {
    let sql = conn.sql("SELECT name, ttl_ms, evidence, declared FROM {zdm}service");
    let mut found = BTreeMap::new();
    for row in conn.query(&sql, &[]).await? {
        if row.bool(3)? {
            found.insert(row.text(0)?, (row.int(1)?, row.text(2)?));
        }
    }
    Ok(found)
}
