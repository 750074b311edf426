//! The instance's one connection: made when it is needed, given up when it does not answer.

use std::time::Duration;

use crate::database::connection::Connection;
use crate::database::error::{DbError, DbErrorKind};
use crate::database::lease::{self, Joined, LeaseError, Renewed, Report};
use crate::database::target::Target;
use crate::model::lease::Reached;
use crate::model::name::MigrationId;

/// A connection that may be there.
pub(crate) struct Link {
    target: Target,
    connection: Option<Connection>,
    /// The lease whose lock the connection holds.
    held: Option<i64>,
}

impl Link {
    /// No connection yet.
    pub(crate) fn new(target: Target) -> Self {
        Self { target, connection: None, held: None }
    }

    /// Asks for a lease, within `limit`.
    pub(super) async fn join(
        &mut self,
        report: &Report,
        limit: Duration,
    ) -> Result<Joined, LeaseError> {
        let joined =
            self.call(limit, async |connection| lease::join(connection, report).await).await;
        if let Ok(Joined::Lease { id, .. }) = &joined {
            self.hold(*id, limit).await;
        }
        joined
    }

    /// Renews a lease, within `limit`.
    pub(super) async fn renew(
        &mut self,
        lease: i64,
        limit: Duration,
    ) -> Result<Renewed, LeaseError> {
        let renewed =
            self.call(limit, async |connection| lease::renew(connection, lease).await).await;
        if renewed.is_ok() && self.held != Some(lease) {
            self.hold(lease, limit).await;
        }
        renewed
    }

    /// How far a migration is, within `limit`.
    pub(crate) async fn reached(
        &mut self,
        migration: &MigrationId,
        limit: Duration,
    ) -> Result<Option<Reached>, LeaseError> {
        self.call(limit, async |connection| lease::reached(connection, migration).await).await
    }

    /// Ends a lease, within `limit`.
    pub(super) async fn leave(&mut self, lease: i64, limit: Duration) -> Result<(), LeaseError> {
        self.call(limit, async |connection| lease::leave(connection, lease).await).await
    }

    /// Says goodbye to the server.
    #[cfg(feature = "engine")]
    pub(crate) async fn close(self) {
        if let Some(connection) = self.connection {
            connection.close().await;
        }
    }

    /// Takes the lock that shows that the process is there, even while it is stopped. Without it the lease is as good as
    /// ever.
    async fn hold(&mut self, lease: i64, limit: Duration) {
        let taken = self.call(limit, async |connection| {
            connection.hold_lease(lease).await.map_err(LeaseError::Database)
        });
        match taken.await {
            Ok(()) => self.held = Some(lease),
            Err(error) => tracing::debug!("could not take the lease's lock: {error}"),
        }
    }

    /// Runs one call. If it does not end within `limit`, it is given up together with its connection, which is the only
    /// way out when the network swallows everything. The server may still carry it out: a beat, or a lease that nobody
    /// holds, only makes a gate more careful.
    async fn call<T>(
        &mut self,
        limit: Duration,
        call: impl AsyncFnOnce(&mut Connection) -> Result<T, LeaseError>,
    ) -> Result<T, LeaseError> {
        let open = self.connection.take().filter(|connection| !connection.is_closed());
        if open.is_none() {
            self.held = None;
        }
        let target = &self.target;
        let attempt = async move {
            let mut connection = match open {
                Some(connection) => connection,
                None => Connection::open(target).await.map_err(LeaseError::Database)?,
            };
            let result = call(&mut connection).await;
            Ok::<_, LeaseError>((connection, result))
        };
        let Ok(ended) = tokio::time::timeout(limit, attempt).await else {
            let text = format!("the database did not answer within {} ms", limit.as_millis());
            return Err(LeaseError::Database(DbError::new(DbErrorKind::Unreachable, text)));
        };
        let (connection, result) = ended?;
        // After an error another server may be the right one: the address may name several, or have moved.
        if result.is_ok() {
            self.connection = Some(connection);
        }
        result
    }
}
