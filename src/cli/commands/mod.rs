//! One file a command.

use std::process::ExitCode;

use super::Shell;
use super::args::Command;
use super::demo;
use super::output::Stop;
use crate::error::{Error, ErrorKind};

mod completions;
mod init;
mod new;

/// Runs a command.
pub(crate) fn run(command: &Command, shell: &Shell<'_>) -> Result<ExitCode, Stop> {
    match command {
        Command::Init(args) => init::run(args, shell),
        Command::New(args) => new::run(args, shell),
        Command::Completions(args) => completions::run(args, shell),
        Command::Demo(args) => demo::run(args, shell),
        Command::DemoApp(args) => demo::run_app(args, shell),
        _ => {
            let project = shell.settings()?.project()?;
            shell.output.note(&format!("{} migrations\n", project.migrations.len()))?;
            Err(Error::new(ErrorKind::Failed, "not available in this build").into())
        }
    }
}
