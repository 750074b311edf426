//! SIGINT and SIGTERM become a wish to stop.

use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

use crate::engine::interrupt::{Interrupt, Signal};
use crate::error::{Error, ErrorKind};

/// Raises `interrupt` at the first signal. Listens for as long as the set lives.
pub(crate) fn listen(interrupt: &Interrupt) -> Result<JoinSet<()>, Error> {
    let mut tasks = JoinSet::new();
    let pairs = [
        (SignalKind::interrupt(), Signal::Interrupt),
        (SignalKind::terminate(), Signal::Terminate),
    ];
    for (kind, meaning) in pairs {
        let mut stream = signal(kind).map_err(|error| {
            Error::new(ErrorKind::Failed, "could not listen for signals").caused_by(error)
        })?;
        let interrupt = interrupt.clone();
        tasks.spawn(async move {
            while stream.recv().await.is_some() {
                interrupt.raise(meaning);
            }
        });
    }
    Ok(tasks)
}
