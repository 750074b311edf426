//! The signals that a process gets, one after the other.

use tokio::signal::unix::{Signal as Stream, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::error::{Error, ErrorKind};

/// The signals that the process gets.
pub(super) struct Signals {
    heard: mpsc::UnboundedReceiver<SignalKind>,
    /// Listens for as long as it lives.
    _tasks: JoinSet<()>,
}

impl Signals {
    /// Listens for what ends programs, and for what people send to their own.
    pub(super) fn listen() -> Result<Self, Error> {
        let (send, heard) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        for kind in [
            SignalKind::interrupt(),
            SignalKind::terminate(),
            SignalKind::hangup(),
            SignalKind::quit(),
            SignalKind::user_defined1(),
            SignalKind::user_defined2(),
        ] {
            let stream = signal(kind).map_err(|error| {
                Error::new(ErrorKind::Failed, "could not listen for signals").caused_by(error)
            })?;
            tasks.spawn(forward(stream, kind, send.clone()));
        }
        Ok(Self { heard, _tasks: tasks })
    }

    /// The next signal.
    pub(super) async fn next(&mut self) -> SignalKind {
        match self.heard.recv().await {
            Some(kind) => kind,
            // The tasks are in `self`, so the channel cannot end before it.
            None => std::future::pending().await,
        }
    }

    /// The next SIGINT or SIGTERM.
    pub(super) async fn next_end(&mut self) -> SignalKind {
        loop {
            let kind = self.next().await;
            if kind == SignalKind::interrupt() || kind == SignalKind::terminate() {
                return kind;
            }
        }
    }
}

async fn forward(mut stream: Stream, kind: SignalKind, send: mpsc::UnboundedSender<SignalKind>) {
    while stream.recv().await.is_some() {
        if send.send(kind).is_err() {
            return;
        }
    }
}
