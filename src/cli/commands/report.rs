//! `zdm report`: a lease for an application that cannot embed the library.

use std::process::ExitCode;

use crate::cli::args::ReportArgs;
use crate::cli::output::Stop;
use crate::cli::settings::Way;
use crate::cli::{Shell, files};
use crate::engine::report_child::{self, ReportJob};
use crate::error::Error;
use crate::model::name::MigrationId;

/// Joins, runs the application, leaves, and ends with the application's exit code.
pub(crate) fn run(args: &ReportArgs, shell: &Shell<'_>) -> Result<ExitCode, Stop> {
    for name in &args.tolerates {
        MigrationId::parse(name).map_err(|form| Error::usage(form.to_string()))?;
    }
    let manifest =
        args.manifest.as_ref().map(|path| files::read(path, &path.display().to_string()));
    let job = ReportJob {
        target: shell.settings()?.required_target(Way::Any)?,
        service: args.service.clone(),
        version: args.version.clone(),
        instance: args.instance.clone(),
        manifest: manifest.transpose()?,
        tolerates: args.tolerates.clone(),
        join_timeout: args.join_timeout,
        listen: args.listen,
        command: args.child.clone(),
    };
    let code = shell.block_on(report_child::report(job))??;
    Ok(ExitCode::from(code))
}
