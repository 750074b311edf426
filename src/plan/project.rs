//! What a command works on.

use super::migration::Migration;
use crate::config::Config;

/// The configuration and every migration of the folder, in order.
#[derive(Debug)]
pub(crate) struct Project {
    /// The configuration.
    pub(crate) config: Config,
    /// Ordered by id.
    pub(crate) migrations: Vec<Migration>,
}
