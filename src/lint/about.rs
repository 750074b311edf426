//! What `lints/ID.toml` says of a rule.

use serde::Deserialize;

use super::finding::Severity;
use crate::model::phase::Phase;
use crate::model::server::Engine;

/// A rule in words, and when it applies.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct About {
    /// The same as in the registry.
    pub(crate) id: String,
    /// One line.
    pub(crate) title: String,
    severity: String,
    databases: Vec<String>,
    phases: Vec<String>,
    /// What goes wrong otherwise.
    pub(crate) why: String,
    /// What to do instead.
    pub(crate) instead: String,
    /// What it reports, and nothing else does.
    #[serde(default)]
    pub(crate) bad: Vec<Example>,
    /// What it is silent about.
    #[serde(default)]
    pub(crate) good: Vec<Example>,
}

/// An example: a test, and text for people.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Example {
    /// For which database.
    database: String,
    /// In which phase.
    phase: String,
    /// Whether the server refuses it, and the rule says so.
    #[serde(default)]
    pub(crate) refused: bool,
    /// Of an example that is a migration.toml: the phases that have files beside it.
    #[serde(default)]
    files: Vec<String>,
    /// Of an example that is a migration.toml: where the migration stands.
    #[serde(default)]
    state: Option<String>,
    /// For how many days.
    #[serde(default)]
    pub(crate) days: Option<u64>,
    /// The schema before it.
    #[serde(default)]
    pub(crate) schema: String,
    /// The file.
    pub(crate) sql: String,
}

impl About {
    /// How bad its findings are, unless `[lint.rules]` says otherwise; `None`: it is off.
    pub(crate) fn severity(&self) -> Option<Severity> {
        if self.severity == "off" {
            return None;
        }
        Some(Severity::parse(&self.severity).unwrap_or(Severity::Error))
    }

    /// Whether it has something to say about a phase on a database.
    pub(super) fn speaks(&self, engine: Engine, phase: Phase) -> bool {
        self.databases.iter().any(|word| word == engine.as_str())
            && self.phases.iter().any(|word| word == phase.as_str())
    }

    /// The databases that it is about.
    pub(crate) fn databases(&self) -> Vec<Engine> {
        self.databases.iter().filter_map(|word| Engine::parse(word)).collect()
    }

    /// The phases in which it speaks.
    pub(crate) fn phases(&self) -> Vec<Phase> {
        self.phases.iter().filter_map(|word| Phase::parse(word)).collect()
    }
}

impl Example {
    /// For which database.
    pub(crate) fn engine(&self) -> Option<Engine> {
        Engine::parse(&self.database)
    }

    /// The phases that have files.
    #[cfg(test)]
    pub(crate) fn files(&self) -> Vec<Phase> {
        self.files.iter().filter_map(|word| Phase::parse(word)).collect()
    }

    /// Where the migration stands.
    #[cfg(test)]
    pub(crate) fn state(&self) -> crate::model::state::State {
        let known = self.state.as_deref().map(crate::model::state::State::parse);
        known.flatten().unwrap_or(crate::model::state::State::Pending)
    }

    /// In which phase.
    #[cfg(test)]
    pub(crate) fn phase(&self) -> Option<Phase> {
        Phase::parse(&self.phase)
    }
}

impl Severity {
    /// Its word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    /// The word of `zdm.toml` and of `lints/`.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        match word {
            "info" => Some(Self::Info),
            "warning" => Some(Self::Warning),
            "error" => Some(Self::Error),
            _ => None,
        }
    }
}
