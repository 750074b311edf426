//! Says when the lease has run out, on a thread of its own: the runtimes of the application may be stuck.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use super::error::Readiness;
use super::shared::Shared;

/// What the application wants to be told. Runs on the watchdog's thread.
pub(super) type OnChange = Box<dyn Fn(Readiness) + Send + 'static>;

/// How long it sleeps at most. The condition variable's clock stands still while the machine is suspended, so the
/// deadline is looked at again soon after it wakes.
const LONGEST_SLEEP: Duration = Duration::from_millis(250);

/// Starts the thread. It ends when the instance is stopped.
pub(super) fn start(
    shared: Arc<Shared>,
    on_change: Option<OnChange>,
) -> std::io::Result<JoinHandle<()>> {
    let watch = move || {
        let mut told = Readiness::Suspended;
        while told != Readiness::Stopped {
            let found = shared.readiness();
            if found != told {
                told = found;
                tell(found, on_change.as_ref());
                // Telling takes time: look again before sleeping.
                continue;
            }
            let sleep = match found {
                Readiness::Serving | Readiness::Draining => shared.remaining().min(LONGEST_SLEEP),
                Readiness::Suspended | Readiness::Stopped => LONGEST_SLEEP,
            };
            shared.listen(sleep);
        }
    };
    Builder::new().name("zdm-watchdog".to_owned()).spawn(watch)
}

fn tell(readiness: Readiness, on_change: Option<&OnChange>) {
    match readiness {
        Readiness::Serving => tracing::info!("the lease holds: the instance may use the database"),
        Readiness::Draining => tracing::info!("the instance drains: it begins nothing new"),
        Readiness::Suspended => {
            tracing::warn!("the lease ran out: the instance is suspended until it can join again");
        }
        Readiness::Stopped => tracing::info!("the instance has stopped for good"),
    }
    let Some(on_change) = on_change else { return };
    // A panic in the application's function must not end the watch.
    if catch_unwind(AssertUnwindSafe(|| on_change(readiness))).is_err() {
        tracing::error!("the function given to on_change panicked");
    }
}
