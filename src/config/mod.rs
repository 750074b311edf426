//! The project's files: `zdm.toml`, resolved for one environment, and `migration.toml`.
//!
//! Invariant: text goes in, plain data or an error with file, line and column comes out. Files and environment
//! variables are read by `cli`.

use std::collections::BTreeMap;
use std::time::Duration;

#[cfg(test)]
pub(crate) use backfill::{BACKFILL, SIGNALS};
pub(crate) use backfill::{BATCH_TIME, BackfillConfig, SignalsConfig};
use freeze::Freeze;
use template::Template;

use crate::lint::finding::Severity;
use crate::model::server::Engine;

mod backfill;
pub(crate) mod duration;
pub(crate) mod folder;
pub(crate) mod freeze;
pub(crate) mod gate_toml;
mod judged;
pub(crate) mod migration_toml;
pub(crate) mod section;
pub(crate) mod source;
pub(crate) mod template;
pub(crate) mod zdm_toml;

/// The project's settings. Every key has a default.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The folder of migrations, as the user would type it.
    pub(crate) migrations: String,
    /// `[database]`.
    pub(crate) database: DatabaseConfig,
    /// `[services]`: the closed world. Empty: nobody said who uses the database.
    pub(crate) services: BTreeMap<String, ServiceConfig>,
    /// `[gate]`.
    pub(crate) gate: GateConfig,
    /// `[backfill]`.
    pub(crate) backfill: BackfillConfig,
    /// `[lint]`.
    pub(crate) lint: LintConfig,
    /// The environment's name, when one was chosen.
    pub(crate) environment: Option<String>,
    /// `disposable` of the environment.
    pub(crate) disposable: bool,
}

/// `[database]`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct DatabaseConfig {
    /// The engine; the URL's scheme wins when there is a URL.
    pub(crate) engine: Option<Engine>,
    /// The version for plans without a database.
    pub(crate) version: Option<(u16, u16)>,
    /// The address; what flags and environment variables say goes before it.
    pub(crate) url: Option<Template>,
    /// A file that holds the address.
    pub(crate) url_file: Option<Template>,
    /// The address behind the pooler, for commands that change something.
    pub(crate) direct_url: Option<Template>,
    /// The admin console of pgbouncer, which tells of clients that the server does not see.
    pub(crate) pooler_admin_url: Option<Template>,
    /// The replicas, whose sessions the primary does not see.
    pub(crate) replica_urls: Vec<Template>,
    /// SET ROLE on every connection.
    pub(crate) role: Option<Template>,
    /// The `search_path` of every connection; the first is where unqualified names live.
    pub(crate) schemas: Vec<String>,
    /// What plans without a database stand on: a file that `zdm snapshot` wrote, as the user would type it.
    pub(crate) snapshot: Option<String>,
}

/// `[services.NAME]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ServiceConfig {
    /// Database users whose sessions are this service's.
    pub(crate) roles: Vec<String>,
    /// What its sessions call themselves: goes before the roles.
    pub(crate) applications: Vec<String>,
    /// Whether it comes through a pooler; not said: when the database has a `direct_url`.
    pub(crate) pooled: Option<bool>,
    /// How long a lease lives.
    pub(crate) ttl: Duration,
    /// What shows that it is there.
    pub(crate) evidence: ServiceEvidence,
    /// Whether each release has a role of its own, whose login goes before a contract that it does not tolerate.
    pub(crate) hard_fence: bool,
}

/// What shows that a service is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ServiceEvidence {
    /// Its instances report.
    Leases,
    /// It cannot report: only its sessions show.
    Sessions,
}

/// `[gate]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct GateConfig {
    /// Time since the last old instance was seen.
    pub(crate) soak: Duration,
    /// Database users that use no table of any service: monitoring, backups.
    pub(crate) ignore_roles: Vec<String>,
    /// When nothing is contracted.
    pub(crate) freeze: Vec<Freeze>,
    /// `[gate.checks.NAME]`: commands that are asked.
    pub(crate) checks: Vec<Check>,
}

/// `[gate.checks.NAME]`: a command whose exit code says whether contract may act.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Check {
    /// What it is called.
    pub(crate) name: String,
    /// The program.
    pub(crate) program: String,
    /// Its arguments.
    pub(crate) arguments: Vec<String>,
    /// How long it may take.
    pub(crate) timeout: Duration,
}

/// `[lint]`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct LintConfig {
    /// `[lint.rules]`: rule id to severity; `None` switches the rule off.
    pub(crate) rules: BTreeMap<String, Option<Severity>>,
    /// The first migration that is judged; what is older is only read for the schema.
    pub(crate) since: Option<String>,
    /// For how long a migration may be open, when that is not the default.
    pub(crate) open_for: Option<Duration>,
}

/// What holds when zdm.toml says nothing.
impl Default for Config {
    fn default() -> Self {
        Self {
            migrations: "migrations".to_owned(),
            database: DatabaseConfig::default(),
            services: BTreeMap::new(),
            gate: GateConfig::default(),
            backfill: BackfillConfig::default(),
            lint: LintConfig::default(),
            environment: None,
            disposable: false,
        }
    }
}

impl Default for GateConfig {
    fn default() -> Self {
        Self {
            soak: Duration::from_mins(10),
            ignore_roles: Vec::new(),
            freeze: Vec::new(),
            checks: Vec::new(),
        }
    }
}

impl Default for ServiceConfig {
    fn default() -> Self {
        Self {
            roles: Vec::new(),
            applications: Vec::new(),
            pooled: None,
            ttl: Duration::from_mins(1),
            evidence: ServiceEvidence::Leases,
            hard_fence: false,
        }
    }
}
