//! `zdm instances`: who uses the database, as far as leases tell.

use std::process::ExitCode;

use crate::cli::Shell;
use crate::cli::args::InstancesArgs;
use crate::cli::output::Stop;
use crate::cli::reading::Reading;
use crate::cli::settings::Way;
use crate::database::state::leases::{LeaseView, leases};
use crate::engine::failure;
use crate::error::Error;
use crate::report::{human, json};

/// Shows them.
pub(crate) fn run(args: &InstancesArgs, shell: &Shell<'_>) -> Result<ExitCode, Stop> {
    let settings = shell.settings()?;
    let target = settings.required_target(Way::Any)?;
    let mut view = shell.block_on(async {
        let mut reading = Reading::open(&target, settings.config.environment.as_deref()).await?;
        if !reading.has_state {
            return Ok::<_, Error>(LeaseView { now: 0, leases: Vec::new() });
        }
        let read = leases(&mut reading.conn).await;
        reading.conn.close().await;
        read.map_err(|error| failure::working("read the instances", error))
    })??;
    if !args.all {
        // Those that have gone for longer than two of their leases say nothing about now.
        let now = view.now;
        view.leases.retain(|lease| lease.left_at.is_none() && is_recent(lease, now));
    }
    shell.result(
        || human::instances::instances(&view.leases, view.now, shell.output.width()),
        || json::instances::instances(&view.leases, view.now),
    )?;
    Ok(ExitCode::SUCCESS)
}

fn is_recent(lease: &crate::model::lease::Lease, now: i64) -> bool {
    let ttl = i64::try_from(lease.ttl.as_millis()).unwrap_or(i64::MAX);
    lease.seen_at.saturating_add(ttl.saturating_mul(2)) > now
}
