//! PostgreSQL's archive command: while it fails, the server keeps all its WAL.

use async_trait::async_trait;

use super::{Kind, Signal};
use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::model::server::Engine;
use crate::plan::pacing::Reading;

pub(super) const KIND: Kind = Kind {
    name: NAME,
    make: |wanted| {
        let is_wanted = wanted.config.archiver && wanted.engine == Engine::Postgres;
        is_wanted.then(|| Box::new(Archiver) as Box<dyn Signal>)
    },
};

const NAME: &str = "archiver";

struct Archiver;

#[async_trait]
impl Signal for Archiver {
    async fn read(&mut self, conn: &mut Connection, _worker: i64) -> Result<Reading, DbError> {
        let sql = "SELECT last_failed_wal, to_char(last_failed_time AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') \
                   FROM pg_catalog.pg_stat_archiver WHERE current_setting('archive_mode') <> 'off' \
                   AND last_failed_time > COALESCE(last_archived_time, '-infinity')";
        let failing = match conn.query(sql, &[]).await?.first() {
            Some(row) => Some(format!(
                "the archive command fails: {} at {} UTC",
                row.opt_text(0)?.unwrap_or_default(),
                row.opt_text(1)?.unwrap_or_default()
            )),
            None => None,
        };
        Ok(Reading::stop(NAME, failing))
    }
}
