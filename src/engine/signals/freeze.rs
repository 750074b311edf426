//! Times of the week in which no batch runs, on the server's clock: it knows the zones.

use async_trait::async_trait;

use super::{Kind, Signal};
use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::plan::pacing::{Freeze, Reading};

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
        for window in &self.windows {
            let Some((day, minute)) = local(conn, &window.zone).await? else {
                let why = format!("the server does not know time zone {}", window.zone);
                return Ok(Reading::unreadable(NAME, why));
            };
            if window.holds(day, minute) {
                return Ok(Reading::stop(NAME, Some(format!("no batch runs in {window}"))));
            }
        }
        Ok(Reading::stop(NAME, None))
    }
}

/// The day of the week, from 0 for Monday, and the minute of the day in a zone. None: the server does not know it.
async fn local(conn: &mut Connection, zone: &str) -> Result<Option<(usize, u16)>, DbError> {
    let (sql, zone) = if conn.engine().is_mysql_family() {
        let sql = "SELECT WEEKDAY(there), HOUR(there) * 60 + MINUTE(there) \
                   FROM (SELECT CONVERT_TZ(UTC_TIMESTAMP(), '+00:00', ?) AS there) clock";
        // This one it knows even without its tables of zones.
        (sql, if zone == "UTC" { "+00:00" } else { zone })
    } else {
        let sql = "SELECT extract(isodow FROM there)::int - 1, \
                   (extract(hour FROM there) * 60 + extract(minute FROM there))::int \
                   FROM (SELECT clock_timestamp() AT TIME ZONE ?::text AS there) clock";
        (sql, zone)
    };
    let row = conn.query_one(sql, &[zone.into()]).await?;
    let (day, minute) = (row.opt_int(0)?, row.opt_int(1)?);
    Ok(day
        .zip(minute)
        .and_then(|(day, minute)| Some((usize::try_from(day).ok()?, u16::try_from(minute).ok()?))))
}
