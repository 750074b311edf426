//! `zdm backfill`.

use std::time::Duration;

use clap::{Args, Subcommand, value_parser};

use crate::config::duration;

/// `zdm backfill`.
#[derive(Args, Debug)]
pub(crate) struct BackfillArgs {
    /// What to do.
    #[command(subcommand)]
    pub(crate) wish: BackfillWish,
}

/// What somebody wants of a migration's backfills.
#[derive(Subcommand, Debug)]
pub(crate) enum BackfillWish {
    /// Let no further batch begin, now or when migrate begins; the run stays, holding nothing
    Pause(BackfillIdArgs),
    /// Let batches go on
    Resume(BackfillIdArgs),
    /// Change how fast they go, from the next batch on; what is not named stays
    Set(BackfillSetArgs),
    /// List the rows that could not be filled, with what the database said
    Parked(BackfillParkedArgs),
}

/// `zdm backfill pause` and `resume`.
#[derive(Args, Debug)]
pub(crate) struct BackfillIdArgs {
    /// The migration: its name or number
    #[arg(value_name = "ID")]
    pub(crate) id: String,
}

/// `zdm backfill parked`.
#[derive(Args, Debug)]
pub(crate) struct BackfillParkedArgs {
    /// The migration: its name or number [default: every one]
    #[arg(value_name = "ID")]
    pub(crate) id: Option<String>,
}

/// `zdm backfill set`.
#[derive(Args, Debug)]
#[group(required = true, multiple = true, id = "what", args = ["share", "max_rows", "batch_time", "reset"])]
pub(crate) struct BackfillSetArgs {
    /// The migration: its name or number
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// The share of the time in which batches run, in percent; 100 is full speed
    #[arg(long, value_name = "PERCENT", value_parser = value_parser!(u8).range(1..=100))]
    pub(crate) share: Option<u8>,
    /// The largest batch, in rows
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=1_000_000))]
    pub(crate) max_rows: Option<u32>,
    /// How long a batch should take: what other clients may wait for a row, from 5ms to 2s
    #[arg(long, value_name = "TIME", value_parser = batch_time)]
    pub(crate) batch_time: Option<Duration>,
    /// Forget what was set before: zdm.toml counts
    #[arg(long)]
    pub(crate) reset: bool,
}

fn batch_time(text: &str) -> Result<Duration, String> {
    let time = duration::parse(text).map_err(|error| error.to_string())?;
    let is_sane = crate::config::BATCH_TIME.contains(&time);
    is_sane.then_some(time).ok_or_else(|| "it must be between 5ms and 2s".to_owned())
}
