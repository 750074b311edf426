//! Stopping on request: between steps and batches, while waiting, and in the middle of a statement.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use super::interrupt::{Interrupt, Signal};
use crate::database::session::Canceller;
use crate::error::{Error, ErrorKind};

/// How long to wait for the end of a cancelled statement before the server is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// An error when the run was asked to stop.
pub(crate) fn check(interrupt: &Interrupt) -> Result<(), Error> {
    interrupt.raised().map_or(Ok(()), |signal| Err(stopped(signal)))
}

/// The end of a run that was asked to stop.
pub(crate) fn stopped(signal: Signal) -> Error {
    let (kind, name) = match signal {
        Signal::Interrupt => (ErrorKind::Interrupted, "SIGINT"),
        Signal::Terminate => (ErrorKind::Terminated, "SIGTERM"),
    };
    Error::new(kind, format!("stopped by {name}"))
        .hint("What was done is recorded. Run the same command again to go on from there.")
}

/// Awaits `statement`. When `reason` comes first, the server is asked to end the statement, which is then awaited all
/// the same: a dropped future would leave it running. The second value says whether it was asked to.
pub(crate) async fn cancellable<T>(
    statement: impl Future<Output = T>,
    canceller: &dyn Canceller,
    reason: impl Future<Output = ()>,
) -> (T, Cancelled) {
    let mut statement = pin!(statement);
    tokio::select! {
        biased;
        outcome = &mut statement => return (outcome, Cancelled::No),
        () = reason => {}
    }
    loop {
        // The request is always awaited, too: one that came late would end the connection's next statement.
        let ask = async {
            if let Err(error) = canceller.cancel().await {
                tracing::debug!(%error, "could not cancel");
            }
        };
        let mut ask = pin!(ask);
        tokio::select! {
            biased;
            outcome = &mut statement => {
                ask.await;
                return (outcome, Cancelled::Yes);
            }
            () = &mut ask => {}
        }
        // It can have come before the server had begun: so it is repeated.
        tokio::select! {
            biased;
            outcome = &mut statement => return (outcome, Cancelled::Yes),
            () = tokio::time::sleep(ASK_AGAIN) => {}
        }
    }
}

/// Whether a statement was asked to end early.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cancelled {
    /// It was left alone.
    No,
    /// The server was asked to end it.
    Yes,
}
