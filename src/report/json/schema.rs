//! docs/zdm.schema.json, made from the structs.

#![expect(clippy::disallowed_methods, reason = "a test that writes a committed file")]

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;

/// Whatever a command writes with `--format json`.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema counts")]
enum ZdmOutput {
    Plan(super::plan::Plan<'static>),
    Outcome(super::outcome::Outcome),
    Lint(super::lint::Lint<'static>),
    Rules(super::rules::Rules),
    Status(super::status::Status),
    Instances(super::instances::Instances),
    Events(super::events::Events),
    Gate(super::gate::Gate),
    Start(super::gate::Start),
    Manifest(super::manifest::Manifest),
    Waited(super::wait::Waited),
    Steered(super::backfill::Steered),
    ParkedRows(super::backfill::ParkedRows),
    Made(super::made::Made),
    Baseline(super::baseline::Baseline),
    Checkup(super::health::Checkup),
    Diagnosis(super::doctor::Diagnosis),
    Privileges(super::doctor::Privileges),
    Failure(super::failure::Failure),
}

#[cfg(test)]
#[test]
fn the_committed_schema_is_what_the_structs_say() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/zdm.schema.json");
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let schema = settings.into_generator().into_root_schema_for::<ZdmOutput>();
    let mut text = serde_json::to_string_pretty(&schema).unwrap();
    text.push('\n');
    if std::env::var_os("ZDM_REWRITE").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == text,
        "docs/zdm.schema.json is old: ZDM_REWRITE=1 cargo test --lib schema"
    );
}
