//! What `zdm verify` found, for programs.

use schemars::JsonSchema;
use serde::Serialize;

use super::FORMAT;
use super::plan::{ServerWords, server};
use crate::engine::commands;
use crate::plan::health;
use crate::plan::health::finding::Kind;

/// What `verify` writes.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Checkup {
    /// Always 1.
    format: u32,
    /// The command's name.
    command: String,
    /// Whether anything is wrong.
    result: CheckupResult,
    /// The server.
    server: ServerWords,
    /// The name of the database.
    database: String,
    /// Whether zdm has ever written to it.
    installed: bool,
    /// What is wrong.
    findings: Vec<HealthFinding>,
    /// How many traces of done steps were looked for in the catalog.
    traces: usize,
    /// The conditions on rows that were counted.
    rows: Vec<CountedRows>,
    /// What was tried in a transaction that was rolled back, and works.
    tried: Vec<String>,
    /// What was not looked at, or not to its end, and why. Empty: everything was.
    not_verified: Vec<String>,
    /// How long it took, in seconds.
    seconds: f64,
}

/// Whether anything is wrong.
#[derive(Serialize, JsonSchema, Debug, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CheckupResult {
    /// Nothing was found, or nothing but runs that ended without saying so: exit code 0.
    Healthy,
    /// Something was: exit code 7.
    Drift,
}

/// Something that is wrong.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct HealthFinding {
    /// `folder`, `missing`, `back`, `trigger`, `invalid_index`, `in_the_way`, `data`, `right`, `copy`, `state`, `run`.
    kind: String,
    /// The migration that it concerns.
    migration: Option<String>,
    /// What is so.
    message: String,
    /// What it means and what to do.
    way_out: String,
    /// What to type behind `zdm doctor --apply`, when zdm can do something about it.
    apply: Option<String>,
}

/// A condition that no row may meet.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct CountedRows {
    /// The migration that says so.
    migration: String,
    /// The table.
    table: String,
    /// What was looked at, for people.
    title: String,
    /// The condition.
    condition: String,
    /// Rows that were read.
    rows: u64,
    /// Rows that met it.
    wrong: u64,
    /// Whether every row was read.
    complete: bool,
}

/// What was found.
pub(crate) fn checkup(checkup: &commands::Checkup) -> Checkup {
    let counted = |counted: &health::data::Counted| CountedRows {
        migration: counted.check.migration.to_string(),
        table: counted.check.table.to_string(),
        title: counted.check.title.clone(),
        condition: counted.check.wrong.clone(),
        rows: counted.rows,
        wrong: counted.wrong,
        complete: counted.cut_short.is_none(),
    };
    Checkup {
        format: FORMAT,
        command: "verify".to_owned(),
        result: result(&checkup.findings),
        server: server(checkup.server),
        database: checkup.identity.database.clone(),
        installed: checkup.installed,
        findings: checkup.findings.iter().map(finding).collect(),
        traces: checkup.traces,
        rows: checkup.counted.iter().map(counted).collect(),
        tried: checkup.tried.clone(),
        not_verified: checkup.not_reached.clone(),
        seconds: checkup.took.as_secs_f64(),
    }
}

/// Whether anything is wrong.
pub(crate) fn result(findings: &[health::Finding]) -> CheckupResult {
    // A run that died needs nothing but its command again.
    let is_problem = |finding: &health::Finding| finding.kind != Kind::Run;
    if findings.iter().any(is_problem) { CheckupResult::Drift } else { CheckupResult::Healthy }
}

/// One finding.
pub(crate) fn finding(finding: &health::Finding) -> HealthFinding {
    HealthFinding {
        kind: finding.kind.as_str().to_owned(),
        migration: finding.migration.as_ref().map(ToString::to_string),
        message: finding.message.clone(),
        way_out: finding.way_out.clone(),
        apply: finding.remedy.as_ref().map(|remedy| remedy.name().to_owned()),
    }
}
