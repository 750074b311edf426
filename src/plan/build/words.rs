//! What a plan says of gates and of the way back.

use crate::config::Config;
use crate::model::phase::Phase;
use crate::model::server::Engine;
use crate::operation::LateStatement;
use crate::plan::migration::Migration;
use crate::plan::view::Gate;

/// What the migration is for: in its author's words, else by its operations.
pub(super) fn description(migration: &Migration) -> Option<String> {
    let titles: Vec<_> = migration.operations.iter().map(|operation| operation.title()).collect();
    let by_operations = (!titles.is_empty()).then(|| titles.join(", "));
    migration.description.clone().or(by_operations)
}

/// The gate in front of a phase.
pub(super) fn gate(migration: &Migration, phase: Phase, config: &Config) -> Option<Gate> {
    if phase != Phase::Contract {
        return None;
    }
    let id = &migration.id;
    let known: Vec<_> = config.services.keys().cloned().collect();
    let concerned = migration.contract.services.clone().unwrap_or(known);
    if concerned.is_empty() {
        let words = "zdm.toml declares no [services]: until it says who uses the database, contract is refused";
        return Some(Gate { words: words.to_owned(), services: concerned, waiting: Vec::new() });
    }
    let mut services = concerned;
    services.sort_unstable();
    let is_waiting = |service: &&String| !migration.contract.tolerated_by.contains(service);
    let waiting: Vec<_> = services.iter().filter(is_waiting).cloned().collect();
    let sentence = format!("every live instance of {} must tolerate {id}", services.join(", "));
    let mut words = format!("{sentence}{}", late(migration));
    if !waiting.is_empty() {
        words = format!("{words}; not in tolerated_by yet: {}", waiting.join(", "));
    }
    Some(Gate { words, services, waiting })
}

/// What happens to a statement that an old build sends all the same.
fn late(migration: &Migration) -> &'static str {
    let worst = migration.operations.iter().map(|operation| operation.late_statement()).max();
    match worst {
        Some(LateStatement::Error) => "; what an old build sends all the same fails",
        Some(LateStatement::Silent) => {
            "; what an old build sends all the same does harm in silence"
        }
        Some(LateStatement::Harmless) | None => "",
    }
}

/// Whether there is no way back once the phase has begun: purge, and a contract written by hand, which hides nothing.
pub(super) fn is_final(migration: &Migration, phase: Phase) -> bool {
    match phase {
        Phase::Purge => true,
        Phase::Contract => migration.files.contains_key(&Phase::Contract),
        Phase::Expand | Phase::Migrate | Phase::Rollback | Phase::Reveal => false,
    }
}

/// A statement whose types are not known, with one that can be read in their place.
pub(super) fn with_types(sql: &str, engine: Engine) -> String {
    let stand_in = if engine.is_mysql_family() { "varchar(255)" } else { "text" };
    let mut result = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some((before, after)) = rest.split_once("<type of ") {
        result.push_str(before);
        let Some((_, behind)) = after.split_once('>') else { break };
        result.push_str(stand_in);
        rest = behind;
    }
    result.push_str(rest);
    result
}
