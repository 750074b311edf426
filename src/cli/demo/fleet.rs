//! The processes of a build: started together, counted, stopped.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::tally::{Message, Tally, Written};
use crate::error::{Error, ErrorKind};

/// How long a process may take to start, or to end.
const PATIENCE: Duration = Duration::from_mins(1);
/// How many problems are kept to be shown.
const PROBLEMS: usize = 5;

/// How an application is started.
#[derive(Clone, Debug)]
pub(super) struct Build {
    /// Its version, for people.
    pub(super) name: &'static str,
    /// The column that it knows.
    pub(super) column: &'static str,
    /// What it tolerates and needs.
    pub(super) manifest: PathBuf,
    /// Its first share of the rows.
    pub(super) first_share: u64,
    /// How many rows there are at the start.
    pub(super) rows: u64,
    /// The database, as the application's own user. In a variable: arguments can be read by others.
    pub(super) url: String,
}

/// What was heard from one process.
#[derive(Debug, Default)]
struct Heard {
    tally: Tally,
    written: Written,
    problems: Vec<String>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Stage {
    Starting,
    Working,
    Refused(String),
    Ended,
}

/// One process.
#[derive(Debug)]
struct Process {
    child: Child,
    input: Option<ChildStdin>,
    heard: Arc<Mutex<Heard>>,
    stage: watch::Receiver<Stage>,
}

/// Some processes of one build. They end with this value.
#[derive(Debug)]
pub(super) struct Fleet {
    processes: Vec<Process>,
    listeners: JoinSet<()>,
}

impl Fleet {
    /// Starts so many processes of a build, and waits until all of them work, or one was refused.
    pub(super) async fn start(build: &Build, count: u64) -> Result<Self, Error> {
        let mut fleet = Self { processes: Vec::new(), listeners: JoinSet::new() };
        for number in 1..=count {
            fleet.spawn(build, number)?;
        }
        for process in &mut fleet.processes {
            let begun = process.stage.wait_for(|stage| *stage != Stage::Starting);
            let begun = tokio::time::timeout(PATIENCE, begun).await;
            if !matches!(begun, Ok(Ok(_))) {
                return Err(failed("a process of the application did not start"));
            }
        }
        Ok(fleet)
    }

    fn spawn(&mut self, build: &Build, number: u64) -> Result<(), Error> {
        let wrong =
            |error: std::io::Error| failed("could not start the application").caused_by(error);
        let program = std::env::current_exe().map_err(wrong)?;
        let argument = |name: &str, value: &dyn std::fmt::Display| -> [OsString; 2] {
            [name.into(), value.to_string().into()]
        };
        let mut command = Command::new(program);
        command
            .arg("demo-app")
            .args(argument("--build", &build.name))
            .args(argument("--column", &build.column))
            .args(argument("--instance", &format!("{}-{number}", build.name)))
            .args(argument("--share", &(build.first_share + number - 1)))
            .args(argument("--rows", &build.rows))
            .arg("--manifest")
            .arg(&build.manifest);
        let mut child = clean(&mut command, Path::new("/"))
            .env("DATABASE_URL", &build.url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(wrong)?;
        let input = child.stdin.take();
        let Some(stdout) = child.stdout.take() else {
            return Err(failed("could not hear the application"));
        };
        let heard = Arc::new(Mutex::new(Heard::default()));
        let (sender, stage) = watch::channel(Stage::Starting);
        let into = Arc::clone(&heard);
        self.listeners.spawn(async move {
            let mut lines = BufReader::new(stdout).lines();
            // A pipe that cannot be read has ended.
            while let Ok(Some(line)) = lines.next_line().await {
                let Some(message) = Message::parse(&line) else { continue };
                hear(message, &into, &sender);
            }
            sender.send_if_modified(|stage| {
                let refused = matches!(stage, Stage::Refused(_));
                if !refused {
                    *stage = Stage::Ended;
                }
                !refused
            });
        });
        self.processes.push(Process { child, input, heard, stage });
        Ok(())
    }

    /// The words with which the first process was refused.
    pub(super) fn refusal(&self) -> Option<String> {
        self.processes.iter().find_map(|process| match &*process.stage.borrow() {
            Stage::Refused(words) => Some(words.clone()),
            Stage::Starting | Stage::Working | Stage::Ended => None,
        })
    }

    /// The counts of all, up to now.
    pub(super) fn tally(&self) -> Tally {
        let mut sum = Tally::default();
        for process in &self.processes {
            sum += lock(&process.heard).tally;
        }
        sum
    }

    /// What went wrong, the first few of it; a process that is gone is one.
    pub(super) fn problems(&self) -> Vec<String> {
        let mut found = Vec::new();
        for process in &self.processes {
            found.extend(lock(&process.heard).problems.iter().cloned());
            let gone = process.input.is_some() && *process.stage.borrow() == Stage::Ended;
            if gone {
                found.push("a process of the application ended by itself".to_owned());
            }
        }
        found.truncate(PROBLEMS);
        found
    }

    /// Asks all to leave, waits for their end, and returns what they wrote.
    pub(super) async fn stop(mut self) -> Result<(Tally, Written, Vec<String>), Error> {
        let mut problems = self.problems();
        for process in &mut self.processes {
            process.input = None;
        }
        let mut written = Written::new();
        for process in &mut self.processes {
            let ended = tokio::time::timeout(PATIENCE, process.child.wait()).await;
            if !matches!(ended, Ok(Ok(status)) if status.success()) {
                problems.push("a process of the application did not end well".to_owned());
            }
        }
        // The last lines.
        while self.listeners.join_next().await.is_some() {}
        for process in &self.processes {
            written.append(&mut lock(&process.heard).written);
        }
        Ok((self.tally(), written, problems))
    }
}

/// A child of the story: out of reach of Ctrl-C, which the story hears, and without the settings of who types.
pub(super) fn clean<'c>(command: &'c mut Command, directory: &Path) -> &'c mut Command {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("ZDM_") || text.starts_with("DATABASE_URL") {
            command.env_remove(&name);
        }
    }
    command.current_dir(directory).process_group(0).kill_on_drop(true)
}

fn hear(message: Message, into: &Mutex<Heard>, stage: &watch::Sender<Stage>) {
    match message {
        Message::Joined => drop(stage.send_replace(Stage::Working)),
        Message::Refused(words) => drop(stage.send_replace(Stage::Refused(words))),
        Message::Tally(tally) => lock(into).tally = tally,
        Message::Wrote(key, value) => drop(lock(into).written.insert(key, value)),
        Message::Problem(text) => {
            let mut heard = lock(into);
            if heard.problems.len() < PROBLEMS {
                heard.problems.push(text);
            }
        }
    }
}

fn lock(heard: &Mutex<Heard>) -> std::sync::MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

fn failed(message: &str) -> Error {
    Error::new(ErrorKind::Failed, message)
}
