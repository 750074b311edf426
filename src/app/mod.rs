//! For applications: join at start-up, stay ready while the lease holds, leave at the end.
//!
//! An instance that joined may use the database until its lease's deadline, which every renewal moves on. Past the
//! deadline it is *suspended*: [`Instance::ready`] is false and no statement may be begun, until it has joined again. So
//! `zdm contract` never takes the old structure away from under a build that uses it, and a build that is too old is
//! refused in words when it starts. An outage of the database suspends; it never stops the process.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let instance = zdm::Instance::builder("api")
//!     .version("42")
//!     .manifest("zdm-manifest 1\nservice api\ntolerates 0002_users_display_name\n") // include_str!("../zdm-manifest")
//!     .database_url(std::env::var("DATABASE_URL")?)
//!     .join()
//!     .await?;
//!
//! // The readiness probe answers with `instance.ready()`, the liveness probe with `instance.live()`.
//! assert!(instance.ready());
//!
//! // Beside the signals of the system, one thing ends the application: a contract that it does not tolerate.
//! let reason = instance.stopped().await;
//! eprintln!("stopping: {reason:?}");
//! instance.leave().await;
//! # Ok(())
//! # }
//! ```
//!
//! Invariant: this layer uses the database and the model alone, and makes no connection but the lease's.
#![expect(clippy::disallowed_methods, reason = "this layer is IO: it reads the clock and waits")]

mod builder;
mod clock;
pub(crate) mod deadline;
mod error;
mod instance;
mod keeper;
pub(crate) mod link;
mod phase;
mod shared;
mod watchdog;

pub use builder::InstanceBuilder;
pub use error::{JoinError, Readiness, Refusal, StopReason, UnknownMigration};
pub use instance::Instance;
pub use phase::Phase;
