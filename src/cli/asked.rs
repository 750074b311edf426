//! What a plan stands on: a database, or a snapshot of one.

use std::path::Path;

use super::reading::Reading;
use super::settings::{Settings, Way};
use super::{Shell, files};
use crate::database::snapshot;
use crate::engine::{failure, open};
use crate::error::Error;
use crate::model::server::Server;
use crate::plan::history::History;
use crate::report::human::time::instant;
use crate::sql::catalog::Catalog;

/// What a database says.
pub(crate) struct Asked {
    /// The server.
    pub(crate) server: Server,
    /// The tables, with their sizes.
    pub(crate) catalog: Catalog,
    /// What has run.
    pub(crate) history: History,
    /// Who said it, for people.
    pub(crate) source: String,
}

/// Reads a snapshot.
pub(crate) fn of_snapshot(path: &Path, shown: &str) -> Result<Asked, Error> {
    let text = files::read(path, shown)?;
    let read = snapshot::read(&text).map_err(|error| {
        Error::usage(format!("file \"{shown}\" is not a snapshot"))
            .caused_by(error)
            .hint("`zdm snapshot -o FILE` writes one.")
    })?;
    let snapshot::Snapshot { server, taken_at, catalog, history } = read;
    let source = format!("{shown} of {}", instant(taken_at));
    let now = Some(chrono::Utc::now().timestamp_millis());
    let history = History { now, ..history.unwrap_or_default() };
    Ok(Asked { server, catalog, history, source })
}

/// Asks the database, when one is known.
pub(crate) fn of_database(shell: &Shell<'_>, settings: &Settings) -> Result<Option<Asked>, Error> {
    let Some(target) = settings.target(Way::Any) else { return Ok(None) };
    let now = chrono::Utc::now().timestamp_millis();
    let asked = shell.block_on(async {
        let mut reading = Reading::open(&target, settings.config.environment.as_deref()).await?;
        let history = if reading.has_state {
            History { now: Some(now), ..open::history(&mut reading.conn).await? }
        } else {
            History::default()
        };
        let catalog = reading.conn.catalog(None).await;
        let mut catalog = catalog.map_err(|error| failure::working("read the schema", error))?;
        let measured = reading.conn.measure(&mut catalog).await;
        measured.map_err(|error| failure::working("read the sizes of the tables", error))?;
        let server = reading.conn.server();
        reading.conn.close().await;
        Ok::<_, Error>(Asked { server, catalog, history, source: target.url.to_string() })
    })?;
    asked.map(Some).map_err(|error| match error.hint {
        None => error.hint("`zdm plan --offline` plans without a database."),
        Some(_) => error,
    })
}

/// The snapshot that a flag names; else the database, if it may be asked; else the snapshot of zdm.toml.
pub(crate) fn any(
    shell: &Shell<'_>,
    settings: &Settings,
    flag: Option<&Path>,
    offline: bool,
) -> Result<Option<Asked>, Error> {
    if let Some(path) = flag {
        return of_snapshot(path, &path.display().to_string()).map(Some);
    }
    if !offline && let Some(asked) = of_database(shell, settings)? {
        return Ok(Some(asked));
    }
    configured(shell, settings)
}

/// The snapshot of zdm.toml.
pub(crate) fn configured(shell: &Shell<'_>, settings: &Settings) -> Result<Option<Asked>, Error> {
    let Some(path) = &settings.config.database.snapshot else { return Ok(None) };
    of_snapshot(&shell.directory.join(path), path).map(Some)
}
