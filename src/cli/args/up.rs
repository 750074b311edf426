//! The arguments of `zdm up`.

use std::time::Duration;

use clap::Args;

use crate::config::duration;

/// `zdm up`.
#[derive(Args, Debug)]
pub(crate) struct UpArgs {
    /// Drop every table, view, sequence, routine and type first, and zdm's state; only in a disposable environment
    #[arg(long)]
    pub(crate) fresh: bool,
    /// How long to wait for locks before giving up
    #[arg(long, value_parser = duration::parse, default_value = "10m", env = "ZDM_LOCK_WAIT", value_name = "TIME")]
    pub(crate) lock_wait: Duration,
    /// How long to wait for the end of another run
    #[arg(long, value_parser = duration::parse, default_value = "0s", env = "ZDM_RUN_WAIT", value_name = "TIME")]
    pub(crate) run_wait: Duration,
}
