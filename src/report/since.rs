//! From which revision on changes are shown.

/// A revision of git, and what a plan of the changes since then cannot show.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Since {
    /// As it was typed.
    pub(crate) revision: String,
    /// The commit from which the work was begun: the merge base with HEAD, shortened.
    pub(crate) base: String,
    /// Folders of migrations that were there and are not any more.
    pub(crate) gone: Vec<String>,
}
