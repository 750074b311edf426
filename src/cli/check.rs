//! Reports of `zdm plan` and `zdm lint` for other programs: where they go, and where the repository begins.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::args::{Command, Format, GlobalArgs};
use super::output::{Output, Stop};
use super::settings;
use crate::error::{Error, ErrorKind};
use crate::report::check::{Check, Failed};
use crate::report::formats::{Rendered, ReportFormat};
use crate::report::place::Root;

/// Refuses a format that a command does not have.
pub(crate) fn takes_format(command: &Command, format: Format) -> Result<(), Error> {
    match (format, command) {
        (Format::Human | Format::Json, _) => Ok(()),
        (Format::Report(_), Command::Plan(_) | Command::Lint(_)) => Ok(()),
        (Format::Report(format), other) => {
            let name = format.name;
            let message = format!("`zdm {}` cannot write format \"{name}\"", other.name());
            let hint = format!(
                "Format {name} is for `zdm plan` and `zdm lint` alone: take --format human or json."
            );
            Err(Error::usage(message).hint(hint))
        }
    }
}

/// Writes a report.
pub(crate) fn write(output: &Output, format: &ReportFormat, check: &Check<'_>) -> Result<(), Stop> {
    send(output, &(format.render)(check))
}

/// Writes that nothing could be found out.
pub(crate) fn failed(
    output: &Output,
    format: &ReportFormat,
    (command, error, code): (&'static str, &Error, u8),
    root: &Root,
) -> Result<(), Stop> {
    let at = chrono::Utc::now();
    send(output, &(format.failed)(&Failed { command, error, code, at, root }))
}

fn send(output: &Output, rendered: &Rendered) -> Result<(), Stop> {
    output.data(&rendered.text)?;
    for (variable, text) in &rendered.appended {
        let Some(path) = std::env::var_os(variable).filter(|path| !path.is_empty()) else {
            continue;
        };
        let file = OpenOptions::new().append(true).create(true).open(&path);
        file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| {
            let shown = Path::new(&path).display();
            let message = format!("could not add to file \"{shown}\", which {variable} names");
            Error::new(ErrorKind::Failed, message).caused_by(error)
        })?;
    }
    Ok(())
}

/// The repository: what the service that runs the job says, else the nearest folder with `.git`, else this folder.
pub(crate) fn root(directory: &Path, globals: &GlobalArgs) -> Root {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let project = real(&settings::project_directory(globals, directory));
    let directory = real(directory);
    let said = ["GITHUB_WORKSPACE", "CI_PROJECT_DIR"]
        .into_iter()
        .filter_map(std::env::var_os)
        .filter(|path| !path.is_empty())
        .map(|path| real(Path::new(&path)))
        .find(|root| directory.starts_with(root));
    let found = || directory.ancestors().find(|folder| folder.join(".git").exists());
    let root: PathBuf = said.or_else(|| found().map(PathBuf::from)).unwrap_or(directory.clone());
    Root { top: root, directory, project }
}
