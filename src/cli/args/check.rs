//! The arguments of `zdm plan` and `zdm lint`: what a pull request is checked with.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::global::database_url;
use super::server;
use crate::database::target::DatabaseUrl;
use crate::lint::finding::Severity;
use crate::model::server::Server;

/// `zdm plan`.
#[derive(Args, Debug)]
pub(crate) struct PlanArgs {
    /// Ask no database, even when one is configured
    #[arg(long)]
    pub(crate) offline: bool,
    /// Take what `zdm snapshot` wrote for the database
    #[arg(long, value_name = "FILE")]
    pub(crate) snapshot: Option<PathBuf>,
    /// The server to plan for without a database: postgres:15, mysql:8.4, mariadb:10.11
    #[arg(long, value_parser = server)]
    pub(crate) server: Option<Server>,
    /// Show migrations that are done, too
    #[arg(long)]
    pub(crate) all: bool,
    /// Run every statement on a scratch server, through all phases, and hold what it does against what is foretold:
    /// locks and new files on PostgreSQL, ALGORITHM and LOCK on MySQL and MariaDB. A difference is exit code 1
    #[arg(long)]
    pub(crate) verify: bool,
    /// The scratch server: zdm makes a database of its own there, and drops it [default: zdm starts a server]
    #[arg(long, value_name = "URL", value_parser = database_url(), env = "ZDM_SCRATCH_URL", hide_env_values = true, requires = "verify")]
    pub(crate) scratch_url: Option<DatabaseUrl>,
    /// Start from this dump without rows, instead of running all migrations from an empty database
    #[arg(long, value_name = "FILE", requires = "verify")]
    pub(crate) schema: Option<PathBuf>,
    /// Only migrations whose folders differ from where the work since this revision of git began
    #[arg(long, value_name = "GIT_REV")]
    pub(crate) since: Option<String>,
    /// The lowest severity that makes the exit code 3
    #[arg(long, value_enum, default_value = "error", value_name = "SEVERITY")]
    pub(crate) fail_on: FailOn,
}

/// `zdm lint`.
#[derive(Args, Debug)]
pub(crate) struct LintArgs {
    /// SQL files [default: those of the project's migrations]
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// The server they are meant for: postgres:15, mysql:8.4, mariadb:10.11
    #[arg(long, value_parser = server)]
    pub(crate) server: Option<Server>,
    /// The phase in which they run [default: by the file's name, else expand]
    #[arg(long, value_enum)]
    pub(crate) phase: Option<PhaseArg>,
    /// A file with the schema from which they start: CREATE TABLE statements
    #[arg(long, value_name = "FILE", conflicts_with = "snapshot")]
    pub(crate) schema: Option<PathBuf>,
    /// What `zdm snapshot` wrote: the schema from which they start, its sizes and server
    #[arg(long, value_name = "FILE")]
    pub(crate) snapshot: Option<PathBuf>,
    /// Only files that differ from where the work since this revision of git began; the others are read, too
    #[arg(long, value_name = "GIT_REV")]
    pub(crate) since: Option<String>,
    /// Put the fixes that are plain edits into the files, say which, and check again; not for files that have run
    #[arg(long)]
    pub(crate) fix: bool,
    /// The lowest severity that makes the exit code 3
    #[arg(long, value_enum, default_value = "error", value_name = "SEVERITY")]
    pub(crate) fail_on: FailOn,
}

/// A phase that has a file.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum PhaseArg {
    /// expand.sql.
    Expand,
    /// migrate.sql.
    Migrate,
    /// contract.sql.
    Contract,
    /// rollback.sql.
    Rollback,
}

/// From which severity on findings make the exit code 3.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FailOn {
    /// Worth knowing.
    Info,
    /// Worth changing.
    Warning,
    /// It breaks a running build, or blocks other clients.
    Error,
    /// Findings alone never fail: for a job that only uploads a report.
    Never,
}

impl FailOn {
    /// The lowest failing severity; none: findings never fail.
    pub(crate) fn severity(self) -> Option<Severity> {
        match self {
            Self::Info => Some(Severity::Info),
            Self::Warning => Some(Severity::Warning),
            Self::Error => Some(Severity::Error),
            Self::Never => None,
        }
    }
}
