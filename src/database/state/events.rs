//! Events: who did what, when, from where. Only ever added to; the database refuses everything else.

use crate::database::connection::Connection;
use crate::database::error::DbError;
use crate::database::session::{Row, Value};
use crate::model::name::MigrationId;

/// Who writes an event, and from where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Actor {
    /// The user of the operating system, or of the pipeline.
    pub(crate) name: String,
    /// The machine.
    pub(crate) host: String,
}

impl Actor {
    /// Whoever runs this process, here.
    pub(crate) fn here() -> Self {
        let set = |name: &&str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let name = ["USER", "LOGNAME", "USERNAME"].iter().find_map(set);
        let host = gethostname::gethostname().to_string_lossy().into_owned();
        Self { name: name.unwrap_or_else(|| "unknown".to_owned()), host }
    }
}

/// An event to write.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct NewEvent<'a> {
    /// About which migration, when it is about one.
    pub(crate) migration: Option<&'a MigrationId>,
    /// A stable word: `phase_done`, `gate_refused`, `overridden`, ...
    pub(crate) kind: &'a str,
    /// A sentence for people.
    pub(crate) message: &'a str,
    /// More, as JSON.
    pub(crate) detail: Option<&'a str>,
}

/// An event as the state holds it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct StoredEvent {
    /// Its number: a later one has a higher one.
    pub(crate) id: i64,
    /// When: milliseconds since 1970 on the database's clock.
    pub(crate) at: i64,
    /// Who.
    pub(crate) actor: String,
    /// From where.
    pub(crate) host: String,
    /// With which version of zdm.
    pub(crate) version: String,
    /// About which migration.
    pub(crate) migration: Option<String>,
    /// A stable word.
    pub(crate) kind: String,
    /// A sentence for people.
    pub(crate) message: String,
    /// More, as JSON.
    pub(crate) detail: Option<String>,
}

/// Which events to read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct EventFilter {
    /// About this migration alone.
    pub(crate) migration: Option<MigrationId>,
    /// Only those with a higher number: what came since the last look.
    pub(crate) after: i64,
    /// At most so many, the newest.
    pub(crate) limit: u32,
}

impl Default for EventFilter {
    fn default() -> Self {
        Self { migration: None, after: 0, limit: 1000 }
    }
}

/// Writes an event. In a transaction it is there if, and only if, the transaction commits.
pub(crate) async fn append_event(
    conn: &mut Connection,
    actor: &Actor,
    event: &NewEvent<'_>,
) -> Result<(), DbError> {
    let sql = conn.sql(
        "INSERT INTO {zdm}event (at, actor, host, version, migration, kind, message, detail) \
         VALUES ({now}, ?, ?, ?, ?, ?, ?, ?)",
    );
    let values: [Value; 7] = [
        actor.name.as_str().into(),
        actor.host.as_str().into(),
        env!("CARGO_PKG_VERSION").into(),
        event.migration.map(MigrationId::as_str).into(),
        event.kind.into(),
        event.message.into(),
        event.detail.into(),
    ];
    conn.execute(&sql, &values).await?;
    Ok(())
}

/// Reads events, the oldest first.
pub(crate) async fn events(
    conn: &mut Connection,
    filter: &EventFilter,
) -> Result<Vec<StoredEvent>, DbError> {
    let mut values: Vec<Value> = vec![filter.after.into()];
    let mut about = "";
    if let Some(migration) = &filter.migration {
        about = "AND migration = ?";
        values.push(migration.as_str().into());
    }
    let sql = conn.sql(&format!(
        "SELECT id, {{ms:at}}, actor, host, version, migration, kind, message, detail FROM {{zdm}}event \
         WHERE id > ? {about} ORDER BY id DESC LIMIT {}",
        filter.limit
    ));
    let mut events =
        conn.query(&sql, &values).await?.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    events.reverse();
    Ok(events)
}

fn read(row: &Row) -> Result<StoredEvent, DbError> {
    Ok(StoredEvent {
        id: row.int(0)?,
        at: row.int(1)?,
        actor: row.text(2)?,
        host: row.text(3)?,
        version: row.text(4)?,
        migration: row.opt_text(5)?,
        kind: row.text(6)?,
        message: row.text(7)?,
        detail: row.opt_text(8)?,
    })
}
