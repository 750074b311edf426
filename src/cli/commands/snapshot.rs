//! `zdm snapshot`: sizes, versions, catalog and state into one file, for plans without access to the database.

use std::process::ExitCode;

use crate::cli::Shell;
use crate::cli::args::SnapshotArgs;
use crate::cli::output::Stop;
use crate::cli::settings::Way;
use crate::database::snapshot;
use crate::engine::commands;
use crate::error::{Error, ErrorKind};
use crate::report::{human, json};

/// Takes it.
pub(crate) fn run(args: &SnapshotArgs, shell: &Shell<'_>) -> Result<ExitCode, Stop> {
    let settings = shell.settings()?;
    let target = settings.required_target(Way::Any)?;
    let environment = settings.config.environment.as_deref();
    let taken = shell.block_on(commands::snapshot(&target, environment, args.sample))??;
    for note in &taken.notes {
        shell.output.note(&human::note(note))?;
    }
    let text = snapshot::write(&taken.snapshot).map_err(|error| {
        Error::new(ErrorKind::Failed, "could not write the snapshot").caused_by(error)
    })?;
    let Some(path) = &args.output else {
        shell.output.data(&text)?;
        return Ok(ExitCode::SUCCESS);
    };
    let shown = path.display().to_string();
    std::fs::write(path, text).map_err(|error| {
        Error::new(ErrorKind::Failed, format!("could not write file \"{shown}\"")).caused_by(error)
    })?;
    let next = format!("zdm plan --snapshot {shown}");
    shell.result(
        || human::snapshot::snapshot(&taken.snapshot.catalog, &shown),
        || json::made::made("snapshot", None, vec![shown.clone()], &next),
    )?;
    shell.next(Some(&next))?;
    Ok(ExitCode::SUCCESS)
}
