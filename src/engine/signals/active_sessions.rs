//! How many sessions work at the moment.

use async_trait::async_trait;

use super::{Kind, Signal};
use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::plan::pacing::Reading;

pub(super) const KIND: Kind = Kind {
    name: NAME,
    make: |wanted| {
        let limit = wanted.config.active_sessions?;
        Some(Box::new(ActiveSessions { limit }))
    },
};

const NAME: &str = "active_sessions";

struct ActiveSessions {
    limit: u64,
}

#[async_trait]
impl Signal for ActiveSessions {
    async fn read(&mut self, conn: &mut Connection, worker: i64) -> Result<Reading, DbError> {
        let active = if conn.engine().is_mysql_family() {
            let sql = "SHOW GLOBAL STATUS LIKE 'Threads_running'";
            // The one that looks runs, too.
            conn.query_one(sql, &[]).await?.int(1)?.saturating_sub(1)
        } else {
            // A session that the role may not see has no state at all.
            let sql = "SELECT count(*) FILTER (WHERE state = 'active' AND pid NOT IN (pg_backend_pid(), ?::bigint)), \
                       count(*) FILTER (WHERE state IS NULL AND backend_type IS NULL AND datid IS NOT NULL) \
                       FROM pg_catalog.pg_stat_activity";
            let row = conn.query_one(sql, &[worker.into()]).await?;
            if row.int(1)? > 0 {
                let why = "the role may not see the sessions of others (GRANT pg_read_all_stats would let it)";
                return Ok(Reading::unreadable(NAME, why));
            }
            row.int(0)?
        };
        let words = format!("{active} sessions are active (limit {})", self.limit);
        Ok(Reading::of(NAME, (active.unsigned_abs(), self.limit), words))
    }
}
