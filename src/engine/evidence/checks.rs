//! The project's own commands.

use std::process::Stdio;

use async_trait::async_trait;
use tokio::io::AsyncReadExt;
use tokio::process::Command;

use super::{Looking, SlowEvidence};
use crate::config::Check;
use crate::database::connection::Connection;
use crate::error::Error;
use crate::plan::gate::checks::{CheckEnd, CheckResult};
use crate::plan::gate::{GateKind, SlowFacts};

/// More of what a command prints is not kept.
const KEPT: u64 = 64 * 1024;

/// Asks each of them.
pub(super) struct Commands;

#[async_trait]
impl SlowEvidence for Commands {
    async fn fetch(
        &self,
        _conn: &mut Connection,
        looking: Looking<'_>,
        facts: &mut SlowFacts,
    ) -> Result<(), Error> {
        if looking.question.kind == GateKind::Contract {
            for check in &looking.job.project.config.gate.checks {
                facts.checks.push(ask(check, looking.migration.id.as_str()).await);
            }
        }
        Ok(())
    }
}

/// Runs one, for as long as it may take. It hears nothing and knows the migration by `ZDM_MIGRATION`.
async fn ask(check: &Check, migration: &str) -> CheckResult {
    let mut said = String::new();
    let ended = match tokio::time::timeout(check.timeout, run(check, migration, &mut said)).await {
        Ok(Ok(end)) => end,
        Ok(Err(error)) => CheckEnd::Failed(format!("could not be run ({error})")),
        Err(_elapsed) => {
            CheckEnd::Failed(format!("was not done within {} s", check.timeout.as_secs()))
        }
    };
    let last = said.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let said = last.chars().take(200).collect();
    CheckResult { name: check.name.clone(), ended, said }
}

async fn run(check: &Check, migration: &str, said: &mut String) -> std::io::Result<CheckEnd> {
    let mut child = Command::new(&check.program)
        .args(&check.arguments)
        .env("ZDM_MIGRATION", migration)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(out) = child.stdout.take() {
        let mut bytes = Vec::new();
        out.take(KEPT).read_to_end(&mut bytes).await?;
        *said = String::from_utf8_lossy(&bytes).into_owned();
    }
    let status = child.wait().await?;
    Ok(status.code().map_or_else(|| CheckEnd::Failed("was killed".to_owned()), CheckEnd::Code))
}
