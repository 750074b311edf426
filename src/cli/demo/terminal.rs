//! Shows what a user types, and what comes back.

use std::io::{BufRead, BufReader, IsTerminal};
use std::process::Stdio;

use anstyle::{AnsiColor, Style};
use tokio::process::Command;

use super::fleet::clean;
use super::project::Folder;
use super::tally::Tally;
use crate::cli::output::{Output, Stop};
use crate::error::{Error, ErrorKind};
use crate::report::human::time::grouped as count;

/// The user's terminal: a folder, and a database in a variable.
pub(super) struct Terminal<'a> {
    pub(super) output: &'a Output,
    pub(super) folder: &'a Folder,
    /// `DATABASE_URL`, with its password.
    pub(super) url: String,
}

/// How much of a command's output is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Show {
    /// So many lines.
    Lines(usize),
    /// A plan without the SQL of its steps.
    Steps,
    /// Everything as it comes, on the user's own terminal: a progress bar moves. Elsewhere so many lines.
    Live(usize),
}

impl Terminal<'_> {
    /// A heading, and sentences below it.
    pub(super) fn chapter(&self, title: &str, text: &str) -> Result<(), Stop> {
        let bold = Style::new().bold();
        let end = if text.is_empty() { "" } else { "\n" };
        self.output.data(&format!("\n{bold}{title}{bold:#}\n{text}{end}"))
    }

    /// Sentences.
    pub(super) fn say(&self, text: &str) -> Result<(), Stop> {
        self.output.data(&format!("\n{text}\n"))
    }

    /// How the applications are.
    pub(super) fn applications(&self, tally: Tally, processes: usize) -> Result<(), Stop> {
        let color = if tally.is_clean() { AnsiColor::Green } else { AnsiColor::Red };
        let style = Style::new().fg_color(Some(color.into()));
        self.output.data(&format!(
            "\n{style}applications: {processes} processes, {} statements, {} failed; {} rows read and compared, {} wrong{style:#}\n",
            count(tally.statements), count(tally.failed), count(tally.checked), count(tally.wrong)
        ))
    }

    /// Shows a file as `cat` would.
    pub(super) fn cat(&self, name: &str, text: &str) -> Result<(), Stop> {
        self.prompt(&format!("cat {name}"))?;
        self.indented(text, usize::MAX)
    }

    /// Runs `zdm` with these arguments as the user would, and returns what it said; another exit code is a failure of the
    /// demo.
    pub(super) async fn zdm(
        &self,
        arguments: &[&str],
        show: Show,
        code: i32,
    ) -> Result<String, Stop> {
        let typed = format!("zdm {}", arguments.join(" "));
        self.prompt(&typed)?;
        let is_live = matches!(show, Show::Live(_))
            && std::io::stdout().is_terminal()
            && std::io::stderr().is_terminal();
        let wrong = |error: std::io::Error| {
            Error::new(ErrorKind::Failed, format!("could not run {typed}")).caused_by(error)
        };
        let mut command = Command::new(std::env::current_exe().map_err(wrong)?);
        clean(&mut command, self.folder.path())
            .args(arguments)
            .env("DATABASE_URL", &self.url)
            .stdin(Stdio::null());
        let (status, text) = if is_live {
            (command.status().await.map_err(wrong)?, String::new())
        } else {
            // One pipe for both: the lines in their order.
            let (reader, writer) = std::io::pipe().map_err(wrong)?;
            command.stdout(writer.try_clone().map_err(wrong)?).stderr(writer);
            let mut child = command.spawn().map_err(wrong)?;
            // The command holds the writing end, too.
            drop(command);
            let reading = tokio::task::spawn_blocking(move || {
                let lines = BufReader::new(reader).lines().map_while(Result::ok);
                lines.collect::<Vec<_>>().join("\n")
            });
            let status = child.wait().await.map_err(wrong)?;
            (status, reading.await.unwrap_or_default())
        };
        let is_right = status.code() == Some(code);
        match show {
            Show::Lines(lines) | Show::Live(lines) if is_right => self.indented(&text, lines)?,
            Show::Steps if is_right => self.indented(&without_sql(&text), usize::MAX)?,
            Show::Lines(_) | Show::Live(_) | Show::Steps => self.indented(&text, usize::MAX)?,
        }
        if !is_right {
            let message = format!("{typed} ended with {status} instead of exit code {code}");
            return Err(Error::new(ErrorKind::Failed, message).into());
        }
        Ok(text)
    }

    /// Shows what somebody types.
    pub(super) fn prompt(&self, typed: &str) -> Result<(), Stop> {
        let style = Style::new().fg_color(Some(AnsiColor::Cyan.into()));
        self.output.data(&format!("\n  {style}$ {typed}{style:#}\n"))
    }

    /// Shows what came back: so many lines of it.
    pub(super) fn indented(&self, said: &str, most: usize) -> Result<(), Stop> {
        let said = said.trim_matches('\n');
        let mut text = String::new();
        for line in said.lines().take(most) {
            text.push_str(format!("  {line}").trim_end());
            text.push('\n');
        }
        match said.lines().count().saturating_sub(most) {
            0 => {}
            more => text.extend(["  (", &more.to_string(), " more lines)\n"]),
        }
        self.output.data(&text)
    }
}

/// A plan's lines without those that are the SQL of a step: they stand below it, deeper than the steps.
fn without_sql(plan: &str) -> String {
    let is_sql =
        |line: &&str| line.starts_with("         ") && !line.trim_start().starts_with("-- ");
    let lines: Vec<_> = plan.lines().filter(|line| !is_sql(line)).collect();
    format!("{}\n(the SQL of each step is left out here)", lines.join("\n").trim_end())
}
