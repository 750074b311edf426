//! What differs from a revision of git: asks the program `git`, and changes nothing.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::config::folder::DECLARATION;
use crate::error::Error;
use crate::report::since::Since;

/// The files that differ from where the work since a revision began: committed, staged, only saved, and new ones.
#[derive(Debug)]
pub(crate) struct Changed {
    revision: String,
    base: String,
    /// Absolute.
    files: BTreeSet<PathBuf>,
}

impl Changed {
    /// Asks about the repository in which a folder lies. A hook of git is told by variables which one it is, with paths
    /// from the current directory: there it is asked about that one.
    pub(crate) fn since(revision: &str, folder: &Path, current: &Path) -> Result<Self, Error> {
        let is_hook =
            ["GIT_DIR", "GIT_INDEX_FILE"].iter().any(|name| std::env::var_os(name).is_some());
        let git = Git { place: real(if is_hook { current } else { folder }) };
        git.ask(&["--version"])
            .map_err(|why| Error::usage("--since needs the program git").detail(why))?;
        let top = git.line(&["rev-parse", "--show-toplevel"]).map_err(|why| {
            let place = git.place.display();
            Error::usage(format!("--since: folder \"{place}\" is in no git work tree")).detail(why)
        })?;
        let commit = format!("{revision}^{{commit}}");
        let commit = git
            .line(&["rev-parse", "--verify", "--quiet", "--end-of-options", &commit])
            .map_err(|_quiet| git.unknown(revision))?;
        let base = git
            .line(&["merge-base", &commit, "HEAD"])
            .map_err(|why| git.unrelated(revision, why))?;
        let diff = [
            "diff",
            "--name-only",
            "-z",
            "--no-renames",
            "--no-ext-diff",
            "--ignore-submodules",
            &base,
            "--",
        ];
        let new = ["ls-files", "--others", "--exclude-standard", "--full-name", "-z", "--", ":/"];
        let mut files = BTreeSet::new();
        for arguments in [&diff[..], &new] {
            let names = git.ask(arguments).map_err(|why| {
                Error::usage(format!("could not compare with revision \"{revision}\"")).detail(why)
            })?;
            let names = names.split('\0').filter(|name| !name.is_empty());
            files.extend(names.map(|name| Path::new(&top).join(name)));
        }
        let base = base.get(..12).unwrap_or(&base).to_owned();
        Ok(Self { revision: revision.to_owned(), base, files })
    }

    /// Whether something in a folder differs.
    pub(crate) fn is_folder_changed(&self, folder: &Path) -> bool {
        let folder = real(folder);
        self.files.iter().any(|file| file.starts_with(&folder))
    }

    /// Whether a file differs, or what is declared beside it.
    pub(crate) fn is_file_changed(&self, file: &Path) -> bool {
        let file = real(file);
        self.files.contains(&file) || self.files.contains(&file.with_file_name(DECLARATION))
    }

    /// For reports: the revision, and the folders of migrations that are no longer there.
    pub(crate) fn report(&self, folder: &Path) -> Since {
        let folder = real(folder);
        let inside = self.files.iter().filter_map(|file| file.strip_prefix(&folder).ok());
        let names = inside.filter(|path| path.components().count() > 1);
        let names: BTreeSet<_> = names.filter_map(|path| path.iter().next()).collect();
        let gone = names.into_iter().filter(|name| !folder.join(name).is_dir());
        Since {
            revision: self.revision.clone(),
            base: self.base.clone(),
            gone: gone.map(|name| name.to_string_lossy().into_owned()).collect(),
        }
    }
}

/// Without links, as git prints paths; a file that is gone has none.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| {
        let parent = path.parent().and_then(|parent| parent.canonicalize().ok());
        match (parent, path.file_name()) {
            (Some(parent), Some(name)) => parent.join(name),
            _ => path.to_path_buf(),
        }
    })
}

struct Git {
    place: PathBuf,
}

impl Git {
    /// What git prints, or what it says on stderr.
    fn ask(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new("git");
        // Its words are compared with nothing, but shown: in one language.
        command.args(arguments).current_dir(&self.place).env("LC_ALL", "C");
        let Output { status, stdout, stderr } = command
            .output()
            .map_err(|error| format!("the program git could not be started: {error}"))?;
        if status.success() {
            // A path that is not Unicode names no migration.
            return Ok(String::from_utf8_lossy(&stdout).into_owned());
        }
        Err(String::from_utf8_lossy(&stderr).trim().to_owned())
    }

    fn line(&self, arguments: &[&str]) -> Result<String, String> {
        self.ask(arguments).map(|text| text.trim_end_matches('\n').to_owned())
    }

    fn is_shallow(&self) -> bool {
        self.line(&["rev-parse", "--is-shallow-repository"]).is_ok_and(|answer| answer == "true")
    }

    fn unknown(&self, revision: &str) -> Error {
        let error = Error::usage(format!("git knows no revision \"{revision}\""));
        if self.is_shallow() {
            return error.detail("this clone is shallow").hint(SHALLOW);
        }
        let remote = revision.split_once('/').filter(|(remote, _)| *remote == "origin");
        error.hint(match remote {
            Some((remote, branch)) => {
                format!("`git fetch {remote} {branch}` brings it here, if it is there.")
            }
            None => "`git branch --all` lists branches, `git tag` tags.".to_owned(),
        })
    }

    fn unrelated(&self, revision: &str, why: String) -> Error {
        let message = format!("git finds no common ancestor of \"{revision}\" and HEAD");
        let mut error = Error::usage(message);
        if !why.is_empty() {
            error = error.detail(why);
        }
        if self.is_shallow() {
            return error.detail("this clone is shallow").hint(SHALLOW);
        }
        error.hint("Name a revision from which the current work was begun: --since origin/main.")
    }
}

const SHALLOW: &str = "Fetch the history: `fetch-depth: 0` for actions/checkout, `GIT_DEPTH: 0` in a GitLab job, `git fetch --unshallow` elsewhere.";
