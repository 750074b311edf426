//! Reports of `zdm plan` and `zdm lint` for other programs: one file and one line of the registry a format.

mod github;
mod gitlab;
mod junit;
mod markdown;
mod sarif;

use super::check::{Check, Failed};

/// Every format, in alphabetical order.
pub(crate) const ALL: &[ReportFormat] =
    &[github::FORMAT, gitlab::FORMAT, junit::FORMAT, markdown::FORMAT, sarif::FORMAT];

/// A format.
pub(crate) struct ReportFormat {
    /// As people type it.
    pub(crate) name: &'static str,
    /// Who reads it.
    pub(crate) about: &'static str,
    /// What was found.
    pub(crate) render: fn(&Check<'_>) -> Rendered,
    /// That nothing could be found out.
    pub(crate) failed: fn(&Failed<'_>) -> Rendered,
}

/// A report, ready to be written.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Rendered {
    /// For stdout.
    pub(crate) text: String,
    /// Variables that name files, and what is added to the end of each; one that is not set has no file.
    pub(crate) appended: Vec<(&'static str, String)>,
}

impl From<String> for Rendered {
    fn from(text: String) -> Self {
        Self { text, appended: Vec::new() }
    }
}

/// Formats are as different as their names.
impl PartialEq for ReportFormat {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for ReportFormat {}

impl std::fmt::Debug for ReportFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ReportFormat").field(&self.name).finish()
    }
}

#[cfg(test)]
mod schema_tests;
#[cfg(test)]
mod tests;
