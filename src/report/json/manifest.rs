//! A manifest, for programs.

use schemars::JsonSchema;
use serde::Serialize;

use super::FORMAT;
use super::instances::{Need, need};
use crate::model::manifest;

/// What `manifest --format json` writes.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    /// Always 1.
    format: u32,
    /// The command's name.
    command: String,
    /// The service.
    service: String,
    /// The migrations whose contract the build survives.
    tolerates: Vec<String>,
    /// The migrations that it cannot run without.
    needs: Vec<Need>,
}

/// A manifest.
pub(crate) fn manifest(manifest: &manifest::Manifest) -> Manifest {
    Manifest {
        format: FORMAT,
        command: "manifest".to_owned(),
        service: manifest.service.clone(),
        tolerates: manifest.tolerates.iter().map(ToString::to_string).collect(),
        needs: manifest.needs.iter().map(need).collect(),
    }
}
