//! The arguments of `zdm demo` and of the processes that it starts.

use std::path::PathBuf;

use clap::Args;

use super::engine;
use crate::model::server::Engine;

/// `zdm demo`.
#[derive(Args, Debug)]
pub(crate) struct DemoArgs {
    /// Which server
    #[arg(long, value_parser = engine, default_value = "postgres")]
    pub(crate) engine: Engine,
    /// How many rows the table has
    #[arg(long, default_value = "200000", value_name = "N")]
    pub(crate) rows: u64,
}

/// `zdm demo-app`.
#[derive(Args, Debug)]
pub(crate) struct DemoAppArgs {
    /// Its version
    #[arg(long)]
    pub(crate) build: String,
    /// The column that it knows
    #[arg(long)]
    pub(crate) column: String,
    /// Its name
    #[arg(long)]
    pub(crate) instance: String,
    /// The share of the rows that it writes
    #[arg(long)]
    pub(crate) share: u64,
    /// How many rows there are at the start
    #[arg(long)]
    pub(crate) rows: u64,
    /// What it tolerates and needs
    #[arg(long)]
    pub(crate) manifest: PathBuf,
}
