//! What the engine is asked to do, from settings and flags.

use std::sync::Arc;
use std::time::Duration;

use super::Shell;
use super::args::{GateArgs, RunArgs};
use super::output::Output;
use super::settings::{Settings, Way};
use crate::engine::interrupt::Interrupt;
use crate::engine::job::{Job, Selection};
use crate::error::Error;
use crate::plan::project::Project;
use crate::report::progress::{Lines, Progress};

/// A job without wishes: they are set on it by the command.
pub(crate) fn job(shell: &Shell<'_>, settings: &Settings, project: Project) -> Result<Job, Error> {
    let output = shell.output;
    let bars = output.is_animated().then(|| output.bars().clone());
    Ok(Job {
        target: settings.required_target(Way::Direct)?,
        elsewhere: settings.elsewhere(),
        project: Arc::new(project),
        selection: Selection::default(),
        lock_wait: Duration::ZERO,
        run_wait: Duration::ZERO,
        gate_wait: Duration::ZERO,
        overrides: Vec::new(),
        full_speed: false,
        listener: Arc::new(Progress::new(Box::new(output.clone()), bars)),
        interrupt: Interrupt::default(),
        command: command_line(),
    })
}

/// Sets the wishes of every run.
pub(crate) fn apply_run(job: &mut Job, args: &RunArgs) {
    job.selection = Selection { to: args.to.clone(), only: args.only.clone() };
    job.lock_wait = args.lock_wait;
    job.run_wait = args.run_wait;
}

/// Sets the wishes about the gate.
pub(crate) fn apply_gate(job: &mut Job, args: &GateArgs) {
    job.gate_wait = args.wait;
    job.overrides = args.overridden.overrides();
}

impl Lines for Output {
    fn line(&self, text: &str) {
        // Whoever closed stderr does not want to know how far a run is; the run goes on.
        if self.note(&format!("{text}\n")).is_err() {
            tracing::trace!("nobody reads the progress");
        }
    }
}

/// The command as it was typed, for the run lock and the events, without the database's address.
fn command_line() -> String {
    let mut words: Vec<String> = vec!["zdm".to_owned()];
    let mut is_address = false;
    for word in std::env::args_os().skip(1) {
        let word = word.to_string_lossy().into_owned();
        if is_address {
            is_address = false;
            words.push("...".to_owned());
        } else if word.starts_with("--database-url=") {
            words.push("--database-url=...".to_owned());
        } else {
            is_address = word == "--database-url";
            words.push(word);
        }
    }
    words.join(" ")
}
