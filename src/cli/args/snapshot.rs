//! The arguments of `zdm snapshot`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::config::duration;

/// `zdm snapshot`.
#[derive(Args, Debug)]
pub(crate) struct SnapshotArgs {
    /// The file to write; one that is there is written over [default: stdout]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// How long to count writes; 0s: take the server's average alone
    #[arg(long, value_parser = duration::parse, default_value = "5s", value_name = "TIME")]
    pub(crate) sample: Duration,
}
