//! `zdm demo`: the whole life of a migration on a throwaway server, while an application runs against it.
//!
//! The application is one that a user could have written: it has drivers, SQL and the public library of its own, and runs
//! in processes of its own. The commands are those that a user types, run as processes, too.

mod app;
mod client;
mod fleet;
mod project;
mod story;
mod table;
mod tally;
mod terminal;

use std::process::ExitCode;

use super::Shell;
use super::args::{DemoAppArgs, DemoArgs};
use super::output::Stop;
use super::signals;
use crate::engine::interrupt::{Interrupt, Signal};
use crate::engine::scratch::{self, Durability, ScratchError};
use crate::error::{Error, ErrorKind};
use crate::model::server::Engine;

/// Runs `zdm demo`.
pub(super) fn run(args: &DemoArgs, shell: &Shell<'_>) -> Result<ExitCode, Stop> {
    if args.engine == Engine::MySql {
        let error = Error::usage("zdm cannot start a MySQL of its own");
        return Err(error.hint("Use --engine mariadb, or --engine postgres.").into());
    }
    let interrupt = Interrupt::default();
    shell.block_on(async {
        let _listening = signals::listen(&interrupt)?;
        let engine = args.engine;
        let started =
            tokio::task::spawn_blocking(move || scratch::start(engine, Durability::Durable));
        let started = started.await.map_err(|error| {
            Error::new(ErrorKind::Failed, "could not start a server").caused_by(error)
        })?;
        let server = started.map_err(|error| no_server(&error))?;
        let told = tokio::select! {
            told = story::tell(&server, engine, args.rows.max(app::SHARES), shell.output) => told,
            () = interrupt.wait() => Err(interrupted(&interrupt).into()),
        };
        // With the story its processes have ended; now the server.
        drop(server);
        told
    })??;
    Ok(ExitCode::SUCCESS)
}

/// Runs `zdm demo-app`: a process of the demo's application.
pub(super) fn run_app(args: &DemoAppArgs, shell: &Shell<'_>) -> Result<ExitCode, Stop> {
    let Ok(url) = std::env::var("DATABASE_URL") else {
        return Err(Error::usage("zdm demo-app is started by zdm demo").into());
    };
    shell.block_on(app::run(args, &url, shell.output))??;
    Ok(ExitCode::SUCCESS)
}

fn no_server(error: &ScratchError) -> Error {
    let failure = Error::new(ErrorKind::Failed, error.to_string());
    match error.install() {
        Some(install) => failure.hint(install),
        None => failure,
    }
}

fn interrupted(interrupt: &Interrupt) -> Error {
    let kind = match interrupt.raised() {
        Some(Signal::Terminate) => ErrorKind::Terminated,
        Some(Signal::Interrupt) | None => ErrorKind::Interrupted,
    };
    Error::new(kind, "the demo was interrupted; nothing is left behind")
}
