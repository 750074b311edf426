//! The arguments of `zdm baseline`.

use std::time::Duration;

use clap::Args;

use crate::config::duration;

/// `zdm baseline`.
#[derive(Args, Debug)]
pub(crate) struct BaselineArgs {
    /// The last migration that is in the schema already: its name or number
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Why, for the events
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// Show what would be recorded, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Go on although this refuses: `schema`, when tables that the migrations make are not there
    #[arg(long = "override", value_name = "NAME")]
    pub(crate) overrides: Vec<String>,
    /// How long to wait for the end of another run
    #[arg(long, value_parser = duration::parse, default_value = "0s", env = "ZDM_RUN_WAIT", value_name = "TIME")]
    pub(crate) run_wait: Duration,
}
