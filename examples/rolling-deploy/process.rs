//! An instance of the service: a process of its own.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::builds::Build;
use crate::zdm::clean;
use crate::{Result, wrong};

/// How long a process may take to start, or to end.
const PATIENCE: Duration = Duration::from_mins(2);

/// A running instance. It is killed with this value.
#[derive(Debug)]
pub struct Process {
    pub name: String,
    pub build: Build,
    pub address: SocketAddr,
    child: Child,
}

/// What became of a start.
#[derive(Debug)]
pub enum Started {
    Serving(Box<Process>),
    /// In these words.
    Refused(String),
}

impl Process {
    /// Starts an instance, and waits until it serves or was refused.
    pub async fn start(build: Build, name: &str, url: &str) -> Result<Started> {
        let mut command = Command::new(std::env::current_exe()?);
        clean(&mut command)
            .args(["serve", build.name(), name])
            .env("DATABASE_URL", url)
            // It ends when this pipe does, so that no process is left behind.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let stdout = child.stdout.take().ok_or_else(|| wrong("no pipe"))?;
        let mut lines = BufReader::new(stdout).lines();
        let line = tokio::time::timeout(PATIENCE, lines.next_line()).await??;
        let line = line.ok_or_else(|| wrong(&format!("{name} ended before it served")))?;
        if let Some(words) = line.strip_prefix("refused: ") {
            return Ok(Started::Refused(words.to_owned()));
        }
        let address = line.strip_prefix("listening on ").ok_or_else(|| wrong(&line))?.parse()?;
        let name = name.to_owned();
        Ok(Started::Serving(Box::new(Self { name, build, address, child })))
    }

    /// Asks it to end, as an orchestrator does, and waits for that.
    pub async fn stop(mut self) -> Result<()> {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok());
        let id = id.and_then(rustix::process::Pid::from_raw);
        let id = id.ok_or_else(|| wrong(&format!("{} ended by itself", self.name)))?;
        rustix::process::kill_process(id, rustix::process::Signal::TERM)?;
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await??;
        if status.success() { Ok(()) } else { Err(wrong(&format!("{}: {status}", self.name))) }
    }
}
