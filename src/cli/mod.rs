//! The command line: arguments, settings, terminal and exit codes.
//!
//! Invariant: no SQL, no decisions. A command reads its arguments, calls a layer below, and hands what comes back to
//! `report`. Text leaves through `output::Output` alone.
#![expect(
    clippy::disallowed_methods,
    reason = "this layer is where files, variables and the terminal are read"
)]

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command, Format, GlobalArgs};
use output::{Output, Stop};

use crate::engine::report_child::under;
use crate::error::{Error, ErrorKind};
use crate::report::{human, json};

mod ahead;
mod args;
mod asked;
mod check;
mod commands;
mod demo;
#[cfg(test)]
mod docs;
mod encoding;
mod exit;
mod file_names;
mod files;
mod git;
mod job;
mod log;
mod output;
mod reading;
mod settings;
mod signals;
mod start;
mod usage;
mod verify;

/// Runs the command that the arguments name, and says with which code the process ends.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<_> = arguments.into_iter().collect();
    if let Some(error) = under::become_command(&arguments) {
        return cannot_start(&error);
    }
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(mistake) => return usage::explain(&mistake, &arguments),
    };
    let output = Output::new(&cli.globals);
    log::start(&cli.globals, &output);
    let name = cli.command.name();
    if let Err(error) = check::takes_format(&cli.command, output.format) {
        return refuse(&error, &output);
    }
    let ended =
        Shell::new(&cli.globals, &output).and_then(|shell| commands::run(&cli.command, &shell));
    let code = match ended {
        Ok(code) => code,
        Err(Stop::PipeClosed) => ExitCode::SUCCESS,
        Err(Stop::Failed(error)) => fail(name, &error, (&cli.globals, &output)),
    };
    tracing::debug!(command = name, "done");
    code
}

/// What every command needs: the flags of all commands, and where to write.
pub(crate) struct Shell<'a> {
    /// The flags.
    pub(crate) globals: &'a GlobalArgs,
    /// Where to write.
    pub(crate) output: &'a Output,
    directory: std::path::PathBuf,
}

impl<'a> Shell<'a> {
    fn new(globals: &'a GlobalArgs, output: &'a Output) -> Result<Self, Stop> {
        let directory = std::env::current_dir().map_err(|error| {
            Error::usage("could not find out the current directory").caused_by(error)
        })?;
        Ok(Self { globals, output, directory })
    }

    /// The settings, from flags, environment variables and zdm.toml.
    pub(crate) fn settings(&self) -> Result<settings::Settings, Error> {
        // A variable that is not Unicode cannot be an address or a name.
        let variables = |name: &str| std::env::var(name).ok();
        let directory = self.directory.clone();
        let around = settings::Surroundings { variables: &variables, directory };
        settings::Settings::resolve(self.globals, &around)
    }

    /// Writes a result: as text for people, or as JSON.
    pub(crate) fn result<T: serde::Serialize>(
        &self,
        human: impl FnOnce() -> String,
        json: impl FnOnce() -> T,
    ) -> Result<(), Stop> {
        match self.output.format {
            Format::Json => self.output.json(&json()),
            // Commands that take a report's format write it themselves.
            Format::Human | Format::Report(_) => self.output.data(&human()),
        }
    }

    /// Writes the next command to type, for people.
    pub(crate) fn next(&self, next: Option<&str>) -> Result<(), Stop> {
        match (self.output.format, next) {
            (Format::Human, Some(next)) => self.output.note(&human::next(next)),
            (Format::Human | Format::Json | Format::Report(_), _) => Ok(()),
        }
    }

    /// Runs what waits for databases and signals.
    #[expect(clippy::unused_self, reason = "a runtime belongs to a command, not to the process")]
    pub(crate) fn block_on<F: Future>(&self, future: F) -> Result<F::Output, Error> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.map_err(|error| {
            Error::new(ErrorKind::Failed, "could not start the runtime").caused_by(error)
        })?;
        Ok(runtime.block_on(future))
    }
}

/// The child of `zdm report` could not become the command: 127 when it is not there, else 126, as in a shell.
fn cannot_start(error: &std::io::Error) -> ExitCode {
    use std::io::Write;
    let code = if error.kind() == std::io::ErrorKind::NotFound { 127 } else { 126 };
    // If nobody reads it, the code still tells.
    let written = writeln!(anstream::stderr(), "error: {error}");
    ExitCode::from(if written.is_ok() { code } else { 126 })
}

/// A format that the command does not have is not written either.
fn refuse(error: &Error, output: &Output) -> ExitCode {
    if output.problem(&human::failure::failure(error)).is_err() {
        tracing::debug!("nobody reads the error");
    }
    ExitCode::from(exit::code(error.kind))
}

fn fail(
    command: &'static str,
    error: &Error,
    (globals, output): (&GlobalArgs, &Output),
) -> ExitCode {
    let code = exit::code(error.kind);
    let written = match output.format {
        Format::Human => output.problem(&human::failure::failure(error)),
        Format::Json => output.data(&json::render(&json::failure::failure(command, error, code))),
        Format::Report(format) => {
            let directory = std::env::current_dir().unwrap_or_default();
            let root = check::root(&directory, globals);
            output
                .problem(&human::failure::failure(error))
                .and_then(|()| check::failed(output, format, (command, error, code), &root))
        }
    };
    if written.is_err() {
        tracing::debug!("nobody reads the error");
    }
    ExitCode::from(code)
}

impl Command {
    /// The word that was typed.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Init(_) => "init",
            Self::New(_) => "new",
            Self::Plan(_) => "plan",
            Self::Lint(_) => "lint",
            Self::Expand(_) => "expand",
            Self::Migrate(_) => "migrate",
            Self::Backfill(_) => "backfill",
            Self::Contract(_) => "contract",
            Self::Purge(_) => "purge",
            Self::Rollback(_) => "rollback",
            Self::Doctor(_) => "doctor",
            Self::Verify(_) => "verify",
            Self::Wait(_) => "wait",
            Self::Up(_) => "up",
            Self::Baseline(_) => "baseline",
            Self::Snapshot(_) => "snapshot",
            Self::Status(_) => "status",
            Self::Instances(_) => "instances",
            Self::Events(_) => "events",
            Self::Gate(_) => "gate",
            Self::Report(_) => "report",
            Self::Manifest(_) => "manifest",
            Self::Rules(_) => "rules",
            Self::Demo(_) => "demo",
            Self::DemoApp(_) => "demo-app",
            Self::Completions(_) => "completions",
        }
    }
}
