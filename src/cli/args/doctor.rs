//! The arguments of `zdm doctor`.

use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::config::duration;

/// `zdm doctor`.
#[derive(Args, Debug)]
pub(crate) struct DoctorArgs {
    /// Do this about what was found; without it, nothing is changed
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) apply: Vec<Apply>,
    /// Print the GRANTs that zdm's user, and the roles of services, lack; as SQL
    #[arg(long, conflicts_with = "apply")]
    pub(crate) privileges: bool,
    /// How long to wait for locks before giving up
    #[arg(long, value_parser = duration::parse, default_value = "10m", env = "ZDM_LOCK_WAIT", value_name = "TIME")]
    pub(crate) lock_wait: Duration,
}

/// What `--apply` does.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Apply {
    /// Take a restored or cloned database for one of its own
    Adopt,
    /// Make missing functions, triggers and lock rows of zdm's state again
    State,
    /// Make the triggers that keep columns alike as they must be
    Triggers,
    /// Drop invalid indexes that interrupted steps have left
    Indexes,
}
