//! Evidence: fetches what the gate's verdicts are made from. No verdicts here.
//!
//! To add a source: a file here that fills its part of [`Facts`], a line in [`SOURCES`], and a verdict in `plan::gate`.

mod leases;

use async_trait::async_trait;

use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::plan::gate::Facts;

/// One source of evidence.
#[async_trait]
trait Evidence: Sync {
    /// Fetches what it can see. An error means that it could not look, which refuses the gate.
    async fn fetch(&self, conn: &mut Connection, facts: &mut Facts) -> Result<(), DbError>;
}

/// Every source.
const SOURCES: &[&dyn Evidence] = &[&leases::Leases];

/// What every source sees now.
pub(crate) async fn gather(conn: &mut Connection) -> Result<Facts, DbError> {
    let mut facts = Facts::default();
    for source in SOURCES {
        source.fetch(conn, &mut facts).await?;
    }
    Ok(facts)
}
