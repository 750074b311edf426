//! Freeze windows: when no batch runs, by the database's clock.

use async_trait::async_trait;
use chrono::DateTime;

use super::{Kind, Signal};
use crate::config::freeze::Freeze;
use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::plan::pacing::Reading;

pub(super) const KIND: Kind = Kind {
    name: NAME,
    make: |wanted| {
        let windows = wanted.config.freeze.clone();
        (!windows.is_empty()).then(|| Box::new(Frozen { windows }) as Box<dyn Signal>)
    },
};

const NAME: &str = "freeze";

struct Frozen {
    windows: Vec<Freeze>,
}

#[async_trait]
impl Signal for Frozen {
    async fn read(&mut self, conn: &mut Connection, _worker: i64) -> Result<Reading, DbError> {
        let sql = conn.sql("SELECT {ms:clock.moment} FROM (SELECT {now} AS moment) clock");
        let now = conn.query_one(&sql, &[]).await?.int(0)?;
        let Some(now) = DateTime::from_timestamp_millis(now) else {
            return Ok(Reading::unreadable(NAME, "the database's clock stands at no date"));
        };
        let holding = self.windows.iter().find(|window| window.holds(now));
        Ok(Reading::stop(NAME, holding.map(|window| format!("no batch runs in {window}"))))
    }
}
