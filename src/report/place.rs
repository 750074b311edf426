//! Paths as programs want them: from the root of the repository, not from where the command was typed.

use std::path::{Component, Path, PathBuf};

/// The root of a repository, and where in it a command runs. Both absolute.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Root {
    /// The root.
    pub(crate) top: PathBuf,
    /// The current directory.
    pub(crate) directory: PathBuf,
    /// The project's: where zdm.toml is.
    pub(crate) project: PathBuf,
}

impl Root {
    /// The project's directory from the root; none when it is the root, or elsewhere.
    pub(crate) fn project(&self) -> Option<&str> {
        let inside = self.project.strip_prefix(&self.top).ok()?;
        inside.to_str().filter(|path| !path.is_empty())
    }

    /// A path that was typed, from the root; as it was typed when it leads out of it.
    pub(crate) fn relative(&self, typed: &str) -> String {
        let mut absolute = PathBuf::new();
        for part in self.directory.join(typed).components() {
            match part {
                Component::CurDir => {}
                // Above the root of the file system is the root.
                Component::ParentDir => drop(absolute.pop()),
                Component::Prefix(_) | Component::RootDir | Component::Normal(_) => {
                    absolute.push(part);
                }
            }
        }
        let inside: Option<&Path> = absolute.strip_prefix(&self.top).ok();
        let inside = inside.and_then(Path::to_str).filter(|path| !path.is_empty());
        inside.map_or_else(|| typed.to_owned(), str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_is_named_by_its_directory_wherever_the_command_runs() {
        for (project, named) in
            [("/repo", None), ("/repo/services/shop", Some("services/shop")), ("/elsewhere", None)]
        {
            let (top, directory) = ("/repo".into(), "/repo/services/shop/migrations".into());
            assert_eq!(Root { top, directory, project: project.into() }.project(), named);
        }
    }

    #[test]
    fn paths_begin_at_the_root_wherever_the_command_runs() {
        let root = Root {
            top: "/repo".into(),
            directory: "/repo/backend".into(),
            project: "/repo".into(),
        };
        for (typed, relative) in [
            ("migrations/0001_a/expand.sql", "backend/migrations/0001_a/expand.sql"),
            ("./a.sql", "backend/a.sql"),
            ("../db/a.sql", "db/a.sql"),
            ("/repo/db/a.sql", "db/a.sql"),
            ("/elsewhere/a.sql", "/elsewhere/a.sql"),
            ("../../a.sql", "../../a.sql"),
        ] {
            assert_eq!(root.relative(typed), relative);
        }
    }
}
