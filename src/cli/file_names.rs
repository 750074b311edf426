//! What the name of a file that is linted says: whose it is, and whether it undoes a migration.

use std::path::Path;

use crate::cli::args::PhaseArg;
use crate::config::folder::SQL_FILES;
use crate::model::phase::Phase;

/// The flag, or what a file of that name is in a migration.
pub(crate) fn phase_of(flag: Option<PhaseArg>, path: &Path) -> Option<Phase> {
    match flag {
        Some(PhaseArg::Expand) => Some(Phase::Expand),
        Some(PhaseArg::Migrate) => Some(Phase::Migrate),
        Some(PhaseArg::Contract) => Some(Phase::Contract),
        Some(PhaseArg::Rollback) => Some(Phase::Rollback),
        None => {
            let name = path.file_name().and_then(|name| name.to_str());
            let ours = SQL_FILES.iter().find(|(file, _)| Some(*file) == name);
            let down = is_down(path).then_some(Phase::Rollback);
            ours.map(|(_, phase)| *phase).or(down)
        }
    }
}

/// Whether it is called like a file of one of zdm's migrations.
pub(crate) fn is_of_zdm(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    SQL_FILES.iter().any(|(file, _)| Some(*file) == name)
}

/// Whether it is called like a file that undoes a migration: `down.sql` (diesel), `1_a.down.sql` (golang-migrate, sqlx,
/// pop), `1_a_down.sql`, `U1__a.sql` (Flyway).
pub(crate) fn is_down(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let lower = name.to_ascii_lowercase();
    let stem = lower.strip_suffix(".sql").unwrap_or(&lower);
    let undo = |rest: &str| rest.starts_with(|character: char| character.is_ascii_digit());
    ["down", "undo", "rollback", "revert"].iter().any(|word| {
        stem.strip_suffix(word)
            .is_some_and(|before| before.is_empty() || before.ends_with(['.', '_', '-']))
    }) || name.strip_prefix('U').is_some_and(|rest| undo(rest) && rest.contains("__"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_undo_a_migration_are_known_by_their_names() {
        for name in [
            "a/down.sql",
            "1_a.down.sql",
            "1_a_down.sql",
            "V1.a.DOWN.SQL",
            "U1__a.sql",
            "1-undo.sql",
        ] {
            assert!(is_down(Path::new(name)), "{name}");
        }
        for name in ["up.sql", "1_add_countdown.sql", "Users__a.sql", "V1__a.sql", "downs.sql"] {
            assert!(!is_down(Path::new(name)), "{name}");
        }
    }
}
