//! The arguments of `zdm wait`.

use std::time::Duration;

use clap::{ArgGroup, Args};

use crate::config::duration;

/// `zdm wait`.
#[derive(Args, Debug)]
#[command(group(ArgGroup::new("what").args(["expanded", "migrated"]).multiple(true).required(true)))]
pub(crate) struct WaitArgs {
    /// A migration that must be expanded: its name; its number, where its folder is there
    #[arg(long, value_name = "ID")]
    pub(crate) expanded: Vec<String>,
    /// A migration that must be migrated
    #[arg(long, value_name = "ID")]
    pub(crate) migrated: Vec<String>,
    /// How long to wait
    #[arg(long, value_parser = duration::parse, default_value = "10m", value_name = "TIME")]
    pub(crate) timeout: Duration,
}
