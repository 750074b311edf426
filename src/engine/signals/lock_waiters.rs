//! Sessions that wait for a lock which the running batch holds.

use async_trait::async_trait;

use super::{Kind, Signal};
use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::plan::pacing::Reading;

pub(super) const KIND: Kind = Kind {
    name: NAME,
    make: |wanted| {
        let limit = wanted.config.lock_waiters?;
        Some(Box::new(LockWaiters { limit }))
    },
};

const NAME: &str = "lock_waiters";

struct LockWaiters {
    limit: u64,
}

#[async_trait]
impl Signal for LockWaiters {
    fn is_of_batches(&self) -> bool {
        true
    }

    async fn read(&mut self, conn: &mut Connection, worker: i64) -> Result<Reading, DbError> {
        let waiters = conn.waiters_behind(worker).await?;
        let what =
            if waiters == 1 { "1 session waits" } else { &format!("{waiters} sessions wait") };
        let words = format!("{what} for locks behind the batch (limit {})", self.limit);
        Ok(Reading::of(NAME, (waiters, self.limit), words))
    }
}
