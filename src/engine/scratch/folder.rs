//! A server's temporary directory, and the process that removes it when nobody else can.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::account::{self, Account};

const PREFIX: &str = "zdm-scratch-";
/// Locked for as long as the owner lives.
const ALIVE: &str = "alive";
const LOG: &str = "log";

/// Reads process ids until its owner closes the pipe or dies; then ends the last one and removes the directory.
const WATCHER: &str = r#"
trap '' INT TERM HUP
while read -r line; do pid=$line; done
if [ -n "$pid" ]; then
    kill -s "$2" "$pid" 2>/dev/null
    n=0
    while kill -0 "$pid" 2>/dev/null && [ "$n" -lt 100 ]; do sleep 0.05; n=$((n + 1)); done
    kill -s KILL "$pid" 2>/dev/null
fi
rm -rf "$1"
"#;

/// The directory, with the watcher that outlives its owner.
#[derive(Debug)]
pub(super) struct Folder {
    directory: TempDir,
    account: Option<Account>,
    watcher: Child,
    pipe: Option<ChildStdin>,
    _alive: File,
}

impl Folder {
    /// Makes an empty one, with a data directory that belongs to the account.
    pub(super) fn new(preferred: &str, stop_signal: &str) -> io::Result<Self> {
        let prefix = format!("{PREFIX}{}-", std::process::id());
        let directory = tempfile::Builder::new().prefix(&prefix).tempdir()?;
        let path = directory.path();
        let alive = File::create_new(path.join(ALIVE))?;
        alive.lock()?;
        // Others may pass through to the data directory, which is closed to them.
        fs::set_permissions(path, Permissions::from_mode(0o711))?;
        fs::create_dir(path.join("data"))?;
        fs::set_permissions(path.join("data"), Permissions::from_mode(0o700))?;
        let by_root = fs::metadata(path)?.uid() == 0;
        let account = if by_root { account::unprivileged(preferred) } else { None };
        if let Some(account) = account {
            chown(path.join("data"), Some(account.user), Some(account.group))?;
        }
        let mut watcher = Command::new("/bin/sh")
            .args(["-c", WATCHER, "zdm-watcher"])
            .arg(path)
            .arg(stop_signal)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let pipe = watcher.stdin.take();
        Ok(Self { directory, account, watcher, pipe, _alive: alive })
    }

    /// The directory, which goes with the server.
    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Where the server keeps its data.
    pub(super) fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// Writes a file that the server's account alone can read.
    pub(super) fn secret(&self, name: &str, text: &str) -> io::Result<PathBuf> {
        let path = self.directory.path().join(name);
        let mut file = File::create_new(&path)?;
        file.set_permissions(Permissions::from_mode(0o600))?;
        file.write_all(text.as_bytes())?;
        if let Some(account) = self.account {
            chown(&path, Some(account.user), Some(account.group))?;
        }
        Ok(path)
    }

    /// Starts a program as the account, out of the reach of the terminal's Ctrl-C, and names it to the watcher.
    pub(super) fn spawn(&mut self, command: &mut Command) -> io::Result<Child> {
        let log = self.directory.path().join(LOG);
        let log = OpenOptions::new().create(true).append(true).open(log)?;
        if let Some(account) = self.account {
            command.uid(account.user).gid(account.group);
        }
        let child = command
            .current_dir(self.data())
            .env("HOME", self.data())
            .env("TMPDIR", self.data())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .spawn()?;
        if let Some(pipe) = &mut self.pipe {
            writeln!(pipe, "{}", child.id())?;
        }
        Ok(child)
    }

    /// Runs a program to its end; what it said is the error.
    pub(super) fn run(&mut self, command: &mut Command) -> Result<(), String> {
        let said = |error: io::Error| error.to_string();
        let status = self.spawn(command).map_err(said)?.wait().map_err(said)?;
        if status.success() { Ok(()) } else { Err(format!("{status}\n{}", self.log())) }
    }

    /// The last lines of what the programs said.
    pub(super) fn log(&self) -> String {
        let text = fs::read(self.directory.path().join(LOG)).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        lines.get(lines.len().saturating_sub(12)..).unwrap_or_default().join("\n")
    }

    /// Tells the watcher to stop the server and to remove the directory.
    pub(super) fn dismiss(&mut self) {
        self.pipe = None;
    }

    /// Waits until the watcher is done.
    pub(super) fn close(&mut self) {
        self.dismiss();
        // The directory is also removed by its own drop; nothing is left to do about an error.
        drop(self.watcher.wait());
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        self.close();
    }
}

/// Removes what killed processes left: a directory is dead when nobody holds the lock in it.
pub(super) fn remove_leftovers(place: &Path) {
    let entries = fs::read_dir(place).into_iter().flatten().filter_map(Result::ok);
    for entry in entries {
        if entry.file_name().to_string_lossy().starts_with(PREFIX) && is_dead(&entry.path()) {
            // Somebody else's directory, or one that its watcher is removing right now.
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}

fn is_dead(directory: &Path) -> bool {
    match File::open(directory.join(ALIVE)) {
        Ok(alive) => alive.try_lock().is_ok(),
        // A directory that is being made has no lock yet.
        Err(_) => fs::metadata(directory)
            .and_then(|data| data.modified())
            .ok()
            .and_then(|time| time.elapsed().ok())
            .is_some_and(|age| age > Duration::from_mins(10)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_dead_when_nobody_holds_its_lock() {
        let folder = Folder::new("nobody", "KILL").unwrap();
        let path = folder.directory.path().to_owned();
        assert!(!is_dead(&path));
        drop(folder);
        assert!(!path.exists());
    }

    #[test]
    fn what_a_killed_process_left_is_removed_and_nothing_else() {
        let place = tempfile::tempdir().unwrap();
        let make = |name: &str| {
            let path = place.path().join(name);
            fs::create_dir(&path).unwrap();
            path
        };
        let (dead, new, other) = (make("zdm-scratch-1-a"), make("zdm-scratch-2-b"), make("other"));
        let living = make("zdm-scratch-3-c");
        let _held = File::create(dead.join(ALIVE)).unwrap();
        let held = File::create(living.join(ALIVE)).unwrap();
        held.lock().unwrap();
        fs::write(dead.join(LOG), "x").unwrap();
        remove_leftovers(place.path());
        assert!(!dead.exists() && new.exists() && other.exists() && living.exists());
    }
}
