//! What `zdm doctor` found, for programs.

use schemars::JsonSchema;
use serde::Serialize;

use super::FORMAT;
use super::health::{CheckupResult, HealthFinding, finding, result};
use super::plan::{ServerWords, server};
use crate::engine::commands;
use crate::plan::health::rights;

/// What `doctor` writes.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Diagnosis {
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
    /// What is wrong by now.
    findings: Vec<HealthFinding>,
    /// What `--apply` did, one line each.
    applied: Vec<String>,
}

/// What `doctor --privileges` writes.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Privileges {
    /// Always 1.
    format: u32,
    /// The command's name.
    command: String,
    /// The server.
    server: ServerWords,
    /// The rights that are missing. Empty: none is.
    missing_rights: Vec<MissingRight>,
    /// What cannot be seen for lack of something else than rights.
    blind_spots: Vec<String>,
}

/// A right that is missing.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct MissingRight {
    /// What zdm cannot do without it.
    why: String,
    /// What to run on a server of one's own.
    statement: String,
    /// What to run, or to do, on a managed server; none: the same.
    managed: Option<String>,
}

/// What was found.
pub(crate) fn diagnosis(diagnosis: &commands::Diagnosis) -> Diagnosis {
    Diagnosis {
        format: FORMAT,
        command: "doctor".to_owned(),
        result: result(&diagnosis.findings),
        server: server(diagnosis.server),
        database: diagnosis.identity.database.clone(),
        installed: diagnosis.installed,
        findings: diagnosis.findings.iter().map(finding).collect(),
        applied: diagnosis.applied.clone(),
    }
}

/// The rights that are missing.
pub(crate) fn privileges(privileges: &commands::Privileges) -> Privileges {
    let right = |right: &rights::MissingRight| MissingRight {
        why: right.why.clone(),
        statement: right.statement.clone(),
        managed: right.managed.clone(),
    };
    Privileges {
        format: FORMAT,
        command: "doctor".to_owned(),
        server: server(privileges.server),
        missing_rights: privileges.missing.iter().map(right).collect(),
        blind_spots: privileges.blind_spots.clone(),
    }
}
