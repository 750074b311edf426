//! What a command asks the engine to do.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::event::Listener;
use crate::database::target::Target;
use crate::plan::project::Project;

/// A command's wishes.
#[derive(Clone)]
pub(crate) struct Job {
    /// The configuration and the migrations.
    pub(crate) project: Arc<Project>,
    /// The database.
    pub(crate) target: Target,
    /// Who else can tell who uses it, and who must not be left behind.
    pub(crate) elsewhere: Elsewhere,
    /// Which migrations.
    pub(crate) selection: Selection,
    /// How long to wait for locks before giving up (10 minutes by default).
    pub(crate) lock_wait: Duration,
    /// How long to wait for the end of another run (not at all by default).
    pub(crate) run_wait: Duration,
    /// How long to wait for a gate to become clear (not at all by default).
    pub(crate) gate_wait: Duration,
    /// Gate sources to override, by name, with the reason.
    pub(crate) overrides: Vec<(String, String)>,
    /// Let the backfill run without pauses.
    pub(crate) full_speed: bool,
    /// Who hears events.
    pub(crate) listener: Arc<dyn Listener>,
    /// Asks the run to stop after the batch or statement in flight.
    pub(crate) interrupt: super::interrupt::Interrupt,
    /// The command line, for the run lock and the events: never holds a password.
    pub(crate) command: String,
}

/// Servers and poolers that the primary does not know, or not well.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Elsewhere {
    /// The replicas.
    pub(crate) replicas: Vec<Address>,
    /// The admin console of the pooler.
    pub(crate) pooler: Option<Address>,
}

/// An address that zdm.toml names, which may lack a variable here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Address(pub(crate) Result<Target, String>);

impl Address {
    /// Where to connect, or why nobody knows.
    pub(crate) fn target(&self) -> Result<&Target, String> {
        self.0.as_ref().map_err(Clone::clone)
    }
}

impl Address {
    /// `host:port`, as it is written; empty when nobody knows it.
    pub(crate) fn place(&self) -> String {
        let shown = self.to_string();
        let (_, rest) = shown.split_once("://").unwrap_or_default();
        let authority = rest.split('/').next().unwrap_or_default();
        authority.rsplit('@').next().unwrap_or_default().to_owned()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Ok(target) => target.url.fmt(f),
            Err(_unknown) => f.write_str("without an address"),
        }
    }
}

/// Which migrations a command is about.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Selection {
    /// Up to and with this one (a name or a number).
    pub(crate) to: Option<String>,
    /// This one alone.
    pub(crate) only: Option<String>,
}
