//! One file a command.

use std::collections::BTreeMap;
use std::process::ExitCode;

use super::Shell;
use super::args::Command;
use super::demo;
use super::output::Stop;
use crate::config::source::did_you_mean;
use crate::error::Error;
use crate::plan::migration::Migration;
use crate::plan::project::Project;

mod backfill;
mod baseline;
mod completions;
mod doctor;
mod events;
mod gate;
mod init;
mod instances;
mod lint;
mod manifest;
mod new;
mod plan;
mod report;
mod rules;
mod run;
mod snapshot;
mod status;
mod up;
mod verify;
mod wait;

/// Runs a command.
pub(crate) fn run(command: &Command, shell: &Shell<'_>) -> Result<ExitCode, Stop> {
    match command {
        Command::Init(args) => init::run(args, shell),
        Command::New(args) => new::run(args, shell),
        Command::Instances(args) => instances::run(args, shell),
        Command::Events(args) => events::run(args, shell),
        Command::Manifest(args) => manifest::run(args, shell),
        Command::Report(args) => report::run(args, shell),
        Command::Wait(args) => wait::run(args, shell),
        Command::Completions(args) => completions::run(args, shell),
        Command::Demo(args) => demo::run(args, shell),
        Command::DemoApp(args) => demo::run_app(args, shell),
        Command::Plan(args) => plan::run(args, shell),
        Command::Expand(args) => run::expand(args, shell),
        Command::Migrate(args) => run::migrate(args, shell),
        Command::Backfill(args) => backfill::run(args, shell),
        Command::Contract(args) => run::contract(args, shell),
        Command::Purge(args) => run::purge(args, shell),
        Command::Rollback(args) => run::rollback(args, shell),
        Command::Doctor(args) => doctor::run(args, shell),
        Command::Verify(args) => verify::run(args, shell),
        Command::Up(args) => up::run(args, shell),
        Command::Baseline(args) => baseline::run(args, shell),
        Command::Snapshot(args) => snapshot::run(args, shell),
        Command::Status(args) => status::run(args, shell),
        Command::Gate(args) => gate::run(args, shell),
        Command::Lint(args) => lint::run(args, shell),
        Command::Rules(args) => rules::run(args, shell),
    }
}

/// The migration that a name or number means.
fn find<'p>(project: &'p Project, called: &str) -> Result<&'p Migration, Error> {
    let found = project.migrations.iter().find(|migration| migration.id.is_called(called));
    found.ok_or_else(|| {
        let known: Vec<&str> = project.migrations.iter().map(|one| one.id.as_str()).collect();
        Error::usage(format!("there is no migration \"{called}\""))
            .hint(did_you_mean(called, &known))
    })
}

/// The texts of a project's files by their paths.
fn sources(project: &Project) -> BTreeMap<String, String> {
    let texts = project.migrations.iter().flat_map(|migration| {
        let declaration = migration.declaration.iter().map(|file| (&file.path, &file.text));
        declaration.chain(migration.files.values().map(|file| (&file.path, &file.text)))
    });
    texts.map(|(path, text)| (path.clone(), text.clone())).collect()
}
