//! Throwaway servers: a real PostgreSQL or MariaDB in a temporary directory, for as long as a value lives.
//!
//! They listen on the loopback address alone, on a free port, ask for a random password, and run as a user without rights
//! when zdm itself is run by root. When the owner is gone, however it went (`kill -9` too), the server is stopped and its
//! directory removed by a watcher process of its own; what even that leaves behind is removed at the next start.

mod account;
mod crash;
mod find;
mod folder;
mod mariadb;
mod postgres;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use self::folder::Folder;
use crate::model::server::Engine;

/// The user that all work is done as: it may do everything.
const USER: &str = "owner";
/// How long a server may take to answer: slow disks and busy machines included.
const START: Duration = Duration::from_mins(2);
/// How often another port is tried when somebody took the free one in between.
const PORTS: u32 = 5;

/// What a server does about a crash of the machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Durability {
    /// As in production: what is committed survives.
    Durable,
    /// Nothing is flushed: quicker, and good enough where nothing crashes.
    Fast,
}

/// A running throwaway server. Stopped and deleted when dropped.
#[derive(Debug)]
pub struct Scratch {
    engine: Engine,
    port: u16,
    password: String,
    durability: Durability,
    server: Child,
    folder: Folder,
}

/// Starts a PostgreSQL.
///
/// # Errors
///
/// When none is installed, or it does not start.
pub fn postgres(durability: Durability) -> Result<Scratch, ScratchError> {
    start(Engine::Postgres, durability)
}

/// Starts a MariaDB.
///
/// # Errors
///
/// When none is installed, or it does not start.
pub fn mariadb(durability: Durability) -> Result<Scratch, ScratchError> {
    start(Engine::MariaDb, durability)
}

/// Starts a server of a family. Blocks for a second or two.
pub(crate) fn start(engine: Engine, durability: Durability) -> Result<Scratch, ScratchError> {
    let recipe = recipe(engine)?;
    folder::remove_leftovers(&std::env::temp_dir());
    let failed = |source: io::Error| {
        ScratchError::failed(engine.title(), format!("could not make its directory: {source}"))
    };
    let mut folder = Folder::new(recipe.account(), recipe.stop_signal()).map_err(failed)?;
    let password = uuid::Uuid::new_v4().simple().to_string();
    recipe.initialise(&mut folder, &password)?;
    let (server, port) = serve(recipe.as_ref(), &mut folder, durability)?;
    Ok(Scratch { engine, port, password, durability, server, folder })
}

fn recipe(engine: Engine) -> Result<Box<dyn Recipe>, ScratchError> {
    Ok(match engine {
        Engine::Postgres => Box::new(postgres::Postgres::find()?),
        Engine::MariaDb => Box::new(mariadb::MariaDb::find()?),
        Engine::MySql => return Err(ScratchError::missing("MySQL", "Use MariaDB or PostgreSQL.")),
    })
}

impl Scratch {
    /// The address of one of its databases, as the user that may do everything. Holds the password.
    pub fn url(&self, database: &str) -> String {
        let scheme = self.engine.as_str();
        format!("{scheme}://{USER}:{}@127.0.0.1:{}/{database}", self.password, self.port)
    }

    /// A directory that is removed with the server, whoever removes it: a place for files that must not stay.
    pub(crate) fn room(&self) -> &Path {
        self.folder.path()
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process id of the server.
    pub fn pid(&self) -> u32 {
        self.server.id()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // The watcher stops the server; only its parent can reap it.
        self.folder.dismiss();
        let deadline = Instant::now() + Duration::from_secs(10);
        while matches!(self.server.try_wait(), Ok(None)) {
            if Instant::now() > deadline {
                // Without its watcher, or deaf: the hard way. An error means that it is gone.
                drop(self.server.kill());
                drop(self.server.wait());
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        self.folder.close();
    }
}

/// How one family of servers is set up and run.
trait Recipe {
    /// The account that it prefers to run as, when zdm is run by root.
    fn account(&self) -> &'static str;
    /// What ends it at once, by the names that kill(1) takes.
    fn stop_signal(&self) -> &'static str;
    /// Makes its data directory.
    fn initialise(&self, folder: &mut Folder, password: &str) -> Result<(), ScratchError>;
    /// The command that is the server.
    fn command(&self, folder: &Folder, port: u16, durability: Durability) -> Command;
    /// Whether it takes connections now.
    fn answers(&self, folder: &Folder, port: u16) -> bool;
    /// Its name.
    fn title(&self) -> &'static str;
}

fn serve(
    recipe: &dyn Recipe,
    folder: &mut Folder,
    durability: Durability,
) -> Result<(Child, u16), ScratchError> {
    let failed = |text: String| ScratchError::failed(recipe.title(), text);
    let mut last = String::new();
    for _ in 0..PORTS {
        let port = free_port().map_err(|source| failed(format!("no free port: {source}")))?;
        if let Some(server) = serve_on(recipe, folder, port, durability)? {
            return Ok((server, port));
        }
        last = folder.log();
        // Anything but a port that was taken in between will not go away by trying again.
        if !last.to_lowercase().contains("in use") {
            break;
        }
    }
    Err(failed(format!("it ended at once:\n{last}")))
}

/// Starts a server on a port and waits until it answers; none: it ended at once.
fn serve_on(
    recipe: &dyn Recipe,
    folder: &mut Folder,
    port: u16,
    durability: Durability,
) -> Result<Option<Child>, ScratchError> {
    let failed = |text: String| ScratchError::failed(recipe.title(), text);
    let mut command = recipe.command(folder, port, durability);
    let mut server = folder
        .spawn(&mut command)
        .map_err(|source| failed(format!("could not run it: {source}")))?;
    let deadline = Instant::now() + START;
    loop {
        if recipe.answers(folder, port) {
            return Ok(Some(server));
        }
        if !matches!(server.try_wait(), Ok(None)) {
            return Ok(None);
        }
        if Instant::now() > deadline {
            drop(server.kill());
            drop(server.wait());
            return Err(failed(format!("it does not answer:\n{}", folder.log())));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Why there is no throwaway server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScratchError {
    server: &'static str,
    reason: Reason,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Reason {
    /// What to install.
    Missing(String),
    /// What it said.
    Failed(String),
}

impl ScratchError {
    fn missing(server: &'static str, install: impl Into<String>) -> Self {
        Self { server, reason: Reason::Missing(install.into()) }
    }

    fn failed(server: &'static str, text: impl Into<String>) -> Self {
        Self { server, reason: Reason::Failed(text.into()) }
    }

    /// Whether the server is not installed, as opposed to not starting.
    pub fn is_missing(&self) -> bool {
        matches!(self.reason, Reason::Missing(_))
    }

    /// What to install, when it is not there.
    pub fn install(&self) -> Option<&str> {
        match &self.reason {
            Reason::Missing(install) => Some(install),
            Reason::Failed(_) => None,
        }
    }
}

impl fmt::Display for ScratchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            Reason::Missing(_) => write!(f, "{} is not installed", self.server),
            Reason::Failed(text) => {
                write!(f, "could not start a throwaway {}: {text}", self.server)
            }
        }
    }
}

impl std::error::Error for ScratchError {}
