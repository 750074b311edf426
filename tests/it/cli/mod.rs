//! The built `zdm`, as people run it: what it says, where, and its exit code.

use std::path::Path;
use std::process::Command;

use assert_cmd::cargo::cargo_bin;
use tempfile::TempDir;

use crate::support::Db;

mod any_file;
mod bad_input;
mod codes;
mod commands;
mod formats;
pub(crate) mod json;
mod screens;
mod secrets;
mod since;
mod terminal;

/// A folder with zdm.toml and migrations, and an address.
pub(crate) struct Project {
    folder: TempDir,
    url: Option<String>,
}

/// What a command said, and its exit code.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Project {
    /// An empty folder.
    pub(crate) fn empty() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), url: None }
    }

    /// A folder with an empty zdm.toml.
    pub(crate) fn new() -> Self {
        let project = Self::empty();
        project.file("zdm.toml", "");
        project
    }

    /// A folder with a zdm.toml that has one service, and the address of a database.
    pub(crate) fn on(db: &Db) -> Self {
        let mut project = Self::empty();
        project.file("zdm.toml", "[services.api]\nttl = \"2s\"\n[gate]\nsoak = \"0s\"\n");
        project.url = Some(db.url.clone());
        project
    }

    /// Uses another address.
    pub(crate) fn at(mut self, url: &str) -> Self {
        self.url = Some(url.to_owned());
        self
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file, and the folders in which it lies.
    pub(crate) fn file(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// A command that has not been started.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(cargo_bin!("zdm"));
        command.args(arguments).current_dir(self.path());
        let own = |name: &str| name.starts_with("ZDM_") || name.starts_with("DATABASE_URL");
        for (name, _) in std::env::vars().filter(|(name, _)| own(name)) {
            command.env_remove(name);
        }
        if let Some(url) = &self.url {
            command.env("DATABASE_URL", url);
        }
        command
    }

    /// Runs a command to its end.
    pub(crate) fn zdm(&self, arguments: &[&str]) -> Said {
        said(self.command(arguments))
    }
}

/// Runs a command to its end.
pub(crate) fn said(mut command: Command) -> Said {
    let output = command.output().unwrap();
    Said {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Said {
    /// Demands an exit code, and shows everything when it is another.
    #[track_caller]
    pub(crate) fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    /// Demands that everything that was said holds a text.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        let all = format!("{}{}", self.out, self.err);
        assert!(all.contains(text), "no \"{text}\" in:\n{all}");
        self
    }
}
