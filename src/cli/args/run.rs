//! Flags that several commands share.

use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::config::duration;

/// Flags of every run.
#[derive(Args, Debug, Clone)]
pub(crate) struct RunArgs {
    /// Show the plan of this phase and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Up to and with this migration: its name or number
    #[arg(long, value_name = "ID", conflicts_with = "only")]
    pub(crate) to: Option<String>,
    /// This migration alone: its name or number
    #[arg(long, value_name = "ID")]
    pub(crate) only: Option<String>,
    /// How long to wait for locks before giving up
    #[arg(long, value_parser = duration::parse, default_value = "10m", env = "ZDM_LOCK_WAIT", value_name = "TIME")]
    pub(crate) lock_wait: Duration,
    /// How long to wait for the end of another run
    #[arg(long, value_parser = duration::parse, default_value = "0s", env = "ZDM_RUN_WAIT", value_name = "TIME")]
    pub(crate) run_wait: Duration,
}

/// Flags of commands that a gate guards.
#[derive(Args, Debug, Clone)]
pub(crate) struct GateArgs {
    /// How long to wait for the gate to become clear
    #[arg(long, value_parser = duration::parse, default_value = "0s", value_name = "TIME")]
    pub(crate) wait: Duration,
    /// What is overridden.
    #[command(flatten)]
    pub(crate) overridden: OverrideArgs,
}

/// Refusals that a person overrides by name.
#[derive(Args, Debug, Clone)]
pub(crate) struct OverrideArgs {
    /// Go on although this refuses: a gate's source of evidence, `keep_for` or repeat; becomes an event
    #[arg(long = "override", value_name = "NAME", requires = "reason")]
    pub(crate) overrides: Vec<String>,
    /// Why, for the events
    #[arg(long, value_name = "TEXT", requires = "overrides")]
    pub(crate) reason: Option<String>,
}

impl OverrideArgs {
    /// Each overridden name with the reason.
    pub(crate) fn overrides(&self) -> Vec<(String, String)> {
        let reason = self.reason.clone().unwrap_or_default();
        self.overrides.iter().map(|name| (name.clone(), reason.clone())).collect()
    }
}

/// What a blocked gate is.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum IfBlocked {
    /// Exit code 4.
    Fail,
    /// Exit code 0, and `"result": "blocked"` in JSON.
    Skip,
}
