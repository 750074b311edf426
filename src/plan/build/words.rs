//! What a plan says of gates and of the way back.

use crate::config::Config;
use crate::model::phase::Phase;
use crate::model::server::Engine;
use crate::operation::LateStatement;
use crate::plan::migration::Migration;

/// What the migration is for: in its author's words, else by its operations.
pub(super) fn description(migration: &Migration) -> Option<String> {
    let titles: Vec<_> = migration.operations.iter().map(|operation| operation.title()).collect();
    let by_operations = (!titles.is_empty()).then(|| titles.join(", "));
    migration.description.clone().or(by_operations)
}

/// The gate in front of a phase, in words.
pub(super) fn gate(migration: &Migration, phase: Phase, config: &Config) -> Option<String> {
    if phase != Phase::Contract {
        return None;
    }
    let id = &migration.id;
    let known: Vec<_> = config.services.keys().cloned().collect();
    let concerned = migration.contract.services.clone().unwrap_or(known);
    if concerned.is_empty() {
        let sentence = "zdm.toml declares no [services]: until it says who uses the database, contract is refused";
        return Some(sentence.to_owned());
    }
    let (ready, waiting): (Vec<_>, Vec<_>) = concerned
        .into_iter()
        .partition(|service| migration.contract.tolerated_by.contains(service));
    let sentence = format!("every live instance of {} must tolerate {id}", all(&ready, &waiting));
    let sentence = format!("{sentence}{}", late(migration));
    if waiting.is_empty() {
        return Some(sentence);
    }
    Some(format!("{sentence}; not in tolerated_by yet: {}", waiting.join(", ")))
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

fn all(ready: &[String], waiting: &[String]) -> String {
    let mut names: Vec<_> = ready.iter().chain(waiting).map(String::as_str).collect();
    names.sort_unstable();
    names.join(", ")
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
