//! The lint rules, for programs.

use schemars::JsonSchema;
use serde::Serialize;

use super::FORMAT;
use super::statement::SeverityWord;
use crate::lint::rules;

/// What `rules --format json` writes.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the keys of the format")]
pub(crate) struct Rules {
    /// Always 1.
    format: u32,
    /// The command's name.
    command: String,
    /// In alphabetical order.
    rules: Vec<Rule>,
}

/// A rule.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    /// As people write it.
    id: String,
    /// One line.
    title: String,
    /// How bad its findings are by themselves; null: it is off unless `zdm.toml` switches it on.
    severity: Option<SeverityWord>,
    /// The databases that it is about.
    databases: Vec<String>,
    /// The phases in which it speaks.
    phases: Vec<String>,
    /// What goes wrong otherwise.
    why: String,
    /// What to do instead.
    instead: String,
}

/// Rules.
pub(crate) fn rules<'r>(rules: impl Iterator<Item = &'r rules::Rule>) -> Rules {
    let rule = |rule: &rules::Rule| {
        let about = rule.about();
        Rule {
            id: rule.id.to_owned(),
            title: about.title.clone(),
            severity: about.severity().map(Into::into),
            databases: about.databases().iter().map(|one| one.as_str().to_owned()).collect(),
            phases: about.phases().iter().map(ToString::to_string).collect(),
            why: about.why.trim().to_owned(),
            instead: about.instead.trim().to_owned(),
        }
    };
    Rules { format: FORMAT, command: "rules".to_owned(), rules: rules.map(rule).collect() }
}
