//! A wish to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio_util::sync::CancellationToken;

/// Why a run is asked to stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Signal {
    /// SIGINT: exit code 130.
    Interrupt,
    /// SIGTERM: exit code 143.
    Terminate,
}

/// A wish to stop, which any part of a run can look at or wait for. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt {
    token: CancellationToken,
    signal: Arc<AtomicU8>,
}

impl Interrupt {
    /// Asks to stop. The first signal counts.
    pub(crate) fn raise(&self, signal: Signal) {
        let code = match signal {
            Signal::Interrupt => 1,
            Signal::Terminate => 2,
        };
        // Only the first signal names the exit code; a second one changes nothing.
        if self.signal.compare_exchange(0, code, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
            self.token.cancel();
        }
    }

    /// The wish, if there is one.
    pub(crate) fn raised(&self) -> Option<Signal> {
        match self.signal.load(Ordering::SeqCst) {
            1 => Some(Signal::Interrupt),
            2 => Some(Signal::Terminate),
            _ => None,
        }
    }

    /// Waits for the wish.
    pub(crate) async fn wait(&self) {
        self.token.cancelled().await;
    }
}
