//! `zdm manifest`: what a build of a service tolerates and needs.

use std::process::ExitCode;

use crate::cli::Shell;
use crate::cli::args::ManifestArgs;
use crate::cli::output::Stop;
use crate::config::source::did_you_mean;
use crate::config::zdm_toml::is_service_name;
use crate::error::Error;
use crate::plan::manifest::manifest;
use crate::report::json;

/// Writes it.
pub(crate) fn run(args: &ManifestArgs, shell: &Shell<'_>) -> Result<ExitCode, Stop> {
    let project = shell.settings()?.project()?;
    let services = &project.config.services;
    let known: Vec<&str> = services.keys().map(String::as_str).collect();
    if !services.is_empty() && !services.contains_key(&args.service) {
        let message = format!("service \"{}\" is not in zdm.toml", args.service);
        return Err(Error::usage(message).hint(did_you_mean(&args.service, &known)).into());
    }
    if !is_service_name(&args.service) {
        let message = format!("\"{}\" cannot be the name of a service", args.service);
        return Err(Error::usage(message).into());
    }
    let manifest = manifest(&project, &args.service);
    shell.result(|| manifest.to_string(), || json::manifest::manifest(&manifest))?;
    Ok(ExitCode::SUCCESS)
}
