//! `zdm completions`: a script for a shell.

use std::process::ExitCode;

use clap::CommandFactory;

use crate::cli::Shell;
use crate::cli::args::{Cli, CompletionsArgs};
use crate::cli::output::Stop;

/// Writes the script.
pub(crate) fn run(args: &CompletionsArgs, shell: &Shell<'_>) -> Result<ExitCode, Stop> {
    // Into memory first: clap_complete panics when it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "zdm", &mut script);
    shell.output.data(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}
