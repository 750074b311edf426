//! `[gate]` of zdm.toml.

use std::time::Duration;

use super::section::Section;
use super::{Check, GateConfig};
use crate::error::Error;

/// The keys of `[gate]`.
pub(crate) const GATE: [&str; 4] = ["soak", "ignore_roles", "freeze", "checks"];

/// How long a check may take when nothing is said.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Reads `[gate]`.
pub(super) fn gate(top: &Section<'_>) -> Result<GateConfig, Error> {
    let defaults = GateConfig::default();
    let Some(gate) = top.section("gate", &GATE)? else { return Ok(defaults) };
    let ignored = gate.texts("ignore_roles")?.unwrap_or_default();
    Ok(GateConfig {
        soak: gate.duration("soak")?.unwrap_or(defaults.soak),
        ignore_roles: ignored.into_iter().map(str::to_owned).collect(),
        freeze: gate.freezes("freeze")?,
        checks: checks(&gate)?,
    })
}

fn checks(gate: &Section<'_>) -> Result<Vec<Check>, Error> {
    let mut checks = Vec::new();
    for entry in gate.named("checks")? {
        let name = format!("[gate.checks.{}]", entry.name);
        let section = Section::open(gate.source(), name, entry.value, &["command", "timeout"])?;
        let words = section.texts("command")?.unwrap_or_default();
        let Some((program, arguments)) = words.split_first() else {
            let message = format!("key \"command\" is missing in [gate.checks.{}]", entry.name);
            return Err(section
                .error_at("command", message)
                .hint("Write command = [\"./check.sh\", \"argument\"]; exit code 0 is clear, 1 is blocked."));
        };
        checks.push(Check {
            name: entry.name.to_owned(),
            program: (*program).to_owned(),
            arguments: arguments.iter().map(|&word| word.to_owned()).collect(),
            timeout: section.duration("timeout")?.unwrap_or(TIMEOUT),
        });
    }
    Ok(checks)
}
