//! Arguments that cannot be understood, and the texts of `--help` and `--version`.

use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

use clap::error::ErrorKind as Kind;
use clap::{CommandFactory, ValueEnum};

use super::args::{Cli, Format};
use super::exit;
use crate::error::{Error, ErrorKind};
use crate::report::json;

/// Help and version are results; anything else is a mistake in the arguments: in words, or as JSON when that was asked
/// for.
pub(super) fn explain(usage: &clap::Error, arguments: &[OsString]) -> ExitCode {
    use std::io::Write;
    let code = if usage.use_stderr() { exit::code(ErrorKind::Usage) } else { 0 };
    let text = if usage.use_stderr() && wants_json(arguments) {
        let command = command(arguments);
        let failure = json::failure::failure(&command, &failure(usage, &command), code);
        anstream::stdout().write_all(json::render(&failure).as_bytes())
    } else {
        let text = usage.render().ansi().to_string();
        if usage.use_stderr() {
            anstream::stderr().write_all(text.as_bytes())
        } else {
            anstream::stdout().write_all(text.as_bytes())
        }
    };
    // If nobody reads it, there is nobody to tell.
    if text.is_err() {
        tracing::debug!("nobody reads the help");
    }
    ExitCode::from(code)
}

/// Whether JSON was asked for, as far as arguments can be read that were not understood.
fn wants_json(arguments: &[OsString]) -> bool {
    let own = arguments.split(|argument| argument == "--").next().unwrap_or_default();
    let is_flag = |argument: &OsString| argument == "--format";
    let behind = own.iter().zip(own.iter().skip(1)).filter(|(flag, _)| is_flag(flag));
    let behind = behind.filter_map(|(_, value)| value.to_str());
    let joined = own.iter().filter_map(|one| one.to_str()?.strip_prefix("--format="));
    let given = behind.chain(joined).map(str::to_owned).next();
    let given = given.or_else(|| std::env::var("ZDM_FORMAT").ok());
    given.is_some_and(|word| Format::from_str(&word, false) == Ok(Format::Json))
}

/// The command that was typed, or the program.
fn command(arguments: &[OsString]) -> String {
    let definition = Cli::command();
    let known = |argument: &&OsStr| definition.find_subcommand(argument).is_some();
    let found = arguments.iter().skip(1).map(OsString::as_os_str).find(known);
    found.and_then(OsStr::to_str).unwrap_or("zdm").to_owned()
}

/// clap's words in the parts that failures have.
fn failure(usage: &clap::Error, command: &str) -> Error {
    let help =
        if command == "zdm" { "zdm --help".to_owned() } else { format!("zdm {command} --help") };
    let hint = format!("`{help}` explains.");
    let nothing = [Kind::DisplayHelpOnMissingArgumentOrSubcommand, Kind::MissingSubcommand];
    if nothing.contains(&usage.kind()) {
        return Error::usage("no command is named").hint(hint);
    }
    let text = usage.render().to_string();
    let mut lines =
        text.lines().map(str::trim).filter(|line| !line.is_empty()).take_while(|line| {
            !line.starts_with("Usage:") && !line.starts_with("For more information")
        });
    let first = lines.next().unwrap_or_default();
    let message = first.strip_prefix("error: ").unwrap_or(first);
    let mut error = Error::usage(message).hint(hint);
    for line in lines {
        error = error.detail(line);
    }
    error
}
