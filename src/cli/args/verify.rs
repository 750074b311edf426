//! The arguments of `zdm verify`.

use std::time::Duration;

use clap::Args;

use crate::config::duration;

/// `zdm verify`.
#[derive(Args, Debug)]
pub(crate) struct VerifyArgs {
    /// How long to look at most; what was not reached is said
    #[arg(long, value_parser = duration::parse, default_value = "60s", value_name = "TIME")]
    pub(crate) within: Duration,
}
