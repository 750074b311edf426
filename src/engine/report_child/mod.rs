//! `zdm report`: keeps a lease for an application that cannot embed the library.
//!
//! With a command, the command runs as a child for exactly as long as the lease holds, so that an expired lease means
//! "gone". Without one, the application says for itself what it is: then an expired lease means nothing.

mod probe;
mod signals;
pub(crate) mod under;

use std::ffi::OsString;
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::process::ExitStatus;
use std::time::Duration;

use tokio::process::Child;
use tokio::signal::unix::SignalKind;
use tokio_util::sync::CancellationToken;

use self::probe::Probe;
use self::signals::Signals;
use crate::app::deadline::margin;
use crate::app::{Instance, JoinError, Readiness, StopReason};
use crate::database::target::Target;
use crate::error::{Error, ErrorKind};
use crate::model::lease::Ending;

/// What `zdm report` is asked to do.
#[derive(Clone, Debug)]
pub(crate) struct ReportJob {
    /// The database.
    pub(crate) target: Target,
    /// The service.
    pub(crate) service: String,
    /// The build's version, for people.
    pub(crate) version: String,
    /// The instance's name, for people; none: host and process.
    pub(crate) instance: Option<String>,
    /// The text of the manifest.
    pub(crate) manifest: Option<String>,
    /// Migrations that are tolerated besides those of the manifest, by their whole names.
    pub(crate) tolerates: Vec<String>,
    /// How long to wait for what the build needs (60 s by default).
    pub(crate) join_timeout: Duration,
    /// Where probes are answered: `/ready` and `/live`.
    pub(crate) listen: Option<SocketAddr>,
    /// The command and its arguments; empty: only report, until SIGTERM or SIGINT.
    pub(crate) command: Vec<OsString>,
}

/// Joins, runs the command, passes signals on, leaves, and returns the exit code of the command (128 and its number when
/// a signal ended it). Takes the signals of the process for itself.
pub(crate) async fn report(job: ReportJob) -> Result<u8, Error> {
    let mut signals = Signals::listen()?;
    let probe = match job.listen {
        Some(address) => Some(Probe::listen(address).await?),
        None => None,
    };
    // Raised by the watchdog's thread.
    let over = CancellationToken::new();
    let ending = if job.command.is_empty() { Ending::Reports } else { Ending::Suspends };
    let mut builder = Instance::builder(job.service)
        .version(job.version)
        .target(job.target)
        .ending(ending)
        .join_timeout(job.join_timeout);
    if let Some(name) = job.instance {
        builder = builder.instance(name);
    }
    if let Some(text) = job.manifest {
        builder = builder.manifest(text);
    }
    for migration in job.tolerates {
        builder = builder.tolerates(migration);
    }
    let raise = over.clone();
    let joining = builder.on_change(move |readiness| {
        if !matches!(readiness, Readiness::Serving | Readiness::Draining) {
            raise.cancel();
        }
    });
    let instance = tokio::select! {
        joined = joining.join() => joined.map_err(|error| refused(&error))?,
        kind = signals.next_end() => return Err(interrupted(kind)),
    };
    if let Some(probe) = &probe {
        probe.show(&instance);
    }

    let ended = match job.command.split_first() {
        Some((program, arguments)) => run(&instance, program, arguments, &mut signals, &over).await,
        None => only_report(&instance, &mut signals).await,
    };
    // Whoever is still there, or may be, has not left: its lease expires.
    if ended.application == Application::Gone {
        instance.leave().await;
    }
    ended.result
}

/// Runs a command to its end, passes signals on, and returns its exit code. Takes the signals of the process for itself.
pub(crate) async fn to_end(command: &[OsString]) -> Result<u8, Error> {
    let Some((program, arguments)) = command.split_first() else { return Ok(0) };
    let mut signals = Signals::listen()?;
    let mut child = under::command(program, arguments)
        .and_then(|mut command| command.spawn())
        .map_err(|error| {
            let shown = program.to_string_lossy();
            Error::usage(format!("could not start command \"{shown}\"")).caused_by(error)
        })?;
    loop {
        tokio::select! {
            status = child.wait() => return status.map(code).map_err(lost_child),
            kind = signals.next() => pass_on(&child, kind),
        }
    }
}

/// What is known of the application at the end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Application {
    /// It uses the database no more.
    Gone,
    /// It may still run.
    There,
}

struct Ended {
    result: Result<u8, Error>,
    application: Application,
}

impl Ended {
    fn gone(result: Result<u8, Error>) -> Self {
        Self { result, application: Application::Gone }
    }

    fn there(error: Error) -> Self {
        Self { result: Err(error), application: Application::There }
    }
}

/// Runs the command for as long as the lease holds.
async fn run(
    instance: &Instance,
    program: &OsString,
    arguments: &[OsString],
    signals: &mut Signals,
    over: &CancellationToken,
) -> Ended {
    let shown = program.to_string_lossy();
    let mut child = match under::command(program, arguments).and_then(|mut command| command.spawn())
    {
        Ok(child) => child,
        Err(error) => {
            let message = format!("could not start command \"{shown}\"");
            return Ended::gone(Err(Error::usage(message).caused_by(error)));
        }
    };
    loop {
        tokio::select! {
            status = child.wait() => return match status {
                Ok(status) => Ended::gone(Ok(code(status))),
                Err(error) => Ended::there(lost_child(error)),
            },
            kind = signals.next() => {
                // Asked to end: from here on the answer to /ready is that nothing new should come.
                if kind == SignalKind::terminate() || kind == SignalKind::interrupt() {
                    instance.drain();
                }
                pass_on(&child, kind);
            }
            () = over.cancelled() => break,
        }
    }
    if let Err(error) = stop(&mut child, margin(instance.ttl())).await {
        return Ended::there(lost_child(error));
    }
    let reason = match instance.readiness() {
        // Known at once: the instance has stopped for good.
        Readiness::Stopped => match instance.stopped().await {
            StopReason::Fenced(refusal) => refusal.to_string(),
            StopReason::Left => "the lease was given up".to_owned(),
        },
        Readiness::Serving | Readiness::Draining | Readiness::Suspended => {
            "the lease could not be renewed before it ran out".to_owned()
        }
    };
    let message = format!("command \"{shown}\" was stopped: {reason}");
    let hint =
        "Start it again: it will wait until it may use the database, or be told why it may not.";
    Ended::gone(Err(Error::new(ErrorKind::Failed, message).hint(hint)))
}

/// Waits for a signal, or for a fence that ends it.
async fn only_report(instance: &Instance, signals: &mut Signals) -> Ended {
    tokio::select! {
        _kind = signals.next_end() => Ended::gone(Ok(0)),
        reason = instance.stopped() => match reason {
            StopReason::Fenced(refusal) => {
                Ended::there(Error::new(ErrorKind::Failed, refusal.to_string()))
            }
            StopReason::Left => Ended::gone(Ok(0)),
        },
    }
}

/// Asks the child to end, and ends it when it has not done so within `grace`: what is left of the lease.
async fn stop(child: &mut Child, grace: Duration) -> std::io::Result<()> {
    send(child, SignalKind::terminate());
    if tokio::time::timeout(grace, child.wait()).await.is_err() {
        child.kill().await?;
    }
    Ok(())
}

fn pass_on(child: &Child, kind: SignalKind) {
    // The terminal sends Ctrl-C to everybody in front of it, the child included: once is enough.
    if kind == SignalKind::interrupt() && std::io::stdin().is_terminal() {
        return;
    }
    send(child, kind);
}

fn send(child: &Child, kind: SignalKind) {
    let pid =
        child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
    let signal = rustix::process::Signal::from_named_raw(kind.as_raw_value());
    // Without a pid the child has ended and was waited for: there is nobody to tell.
    if let (Some(pid), Some(signal)) = (pid, signal)
        && let Err(error) = rustix::process::kill_process(pid, signal)
    {
        tracing::warn!("could not pass a signal on: {error}");
    }
}

fn code(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt;
    let code = status.code().or_else(|| status.signal().map(|number| 128 + number));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

fn lost_child(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Failed, "could not wait for the command").caused_by(error)
}

fn refused(error: &JoinError) -> Error {
    let kind = match error {
        JoinError::Invalid(_) => ErrorKind::Usage,
        JoinError::Deciding { .. } => ErrorKind::Busy,
        JoinError::NotInstalled
        | JoinError::Fenced(_)
        | JoinError::Missing { .. }
        | JoinError::Database(_)
        | JoinError::Threads(_) => ErrorKind::Failed,
    };
    Error::new(kind, error.to_string())
}

fn interrupted(kind: SignalKind) -> Error {
    let kind = if kind == SignalKind::interrupt() {
        ErrorKind::Interrupted
    } else {
        ErrorKind::Terminated
    };
    Error::new(kind, "stopped before the database was ready for this build")
}
