//! `zdm gate --start-with MANIFEST`: whether a build may start now.

use std::path::Path;
use std::process::ExitCode;

use crate::cli::output::Stop;
use crate::cli::reading::Reading;
use crate::cli::settings::Way;
use crate::cli::{Shell, exit, files};
use crate::database::state::fences::fences;
use crate::engine::{failure, open};
use crate::error::{Error, ErrorKind};
use crate::model::manifest::Manifest;
use crate::plan::gate::{Verdict, may_start};
use crate::plan::history::History;
use crate::report::{human, json};

/// Says so, and why not; exit code 4 when it may not.
pub(crate) fn run(path: &Path, shell: &Shell<'_>) -> Result<ExitCode, Stop> {
    let shown = path.display().to_string();
    let text = files::read(path, &shown)?;
    let manifest = Manifest::parse(&text)
        .map_err(|error| Error::usage(format!("file \"{shown}\" is not a manifest: {error}")))?;
    let settings = shell.settings()?;
    let target = settings.required_target(Way::Any)?;
    let is_declared = settings.config.services.contains_key(&manifest.service);
    let (fences, history) = shell.block_on(async {
        let mut reading = Reading::open(&target, settings.config.environment.as_deref()).await?;
        if !reading.has_state {
            return Ok((Vec::new(), History::default()));
        }
        let found = fences(&mut reading.conn).await;
        let found = found.map_err(|error| failure::working("read the fences", error))?;
        let history = open::history(&mut reading.conn).await?;
        reading.conn.close().await;
        Ok::<_, Error>((found, history))
    })??;
    let verdict = may_start(&manifest, is_declared, &fences, |id| history.state(id));
    shell.result(
        || human::gate::start(&manifest.service, &verdict),
        || json::gate::start(&manifest.service, &verdict),
    )?;
    let code = if verdict == Verdict::Clear { 0 } else { exit::code(ErrorKind::Blocked) };
    Ok(ExitCode::from(code))
}
