//! `zdm.toml`, resolved for one environment.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::lint::finding::Severity;
use crate::model::server::Engine;

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
    /// `[lint]`.
    pub(crate) lint: LintConfig,
    /// The environment's name, when one was chosen.
    pub(crate) environment: Option<String>,
    /// `disposable` of the environment.
    pub(crate) disposable: bool,
}

/// `[database]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct DatabaseConfig {
    /// The engine; the URL's scheme wins when there is a URL.
    pub(crate) engine: Option<Engine>,
    /// The version for plans without a database.
    pub(crate) version: Option<(u16, u16)>,
    /// SET ROLE on every connection.
    pub(crate) role: Option<String>,
    /// The search_path of every connection; the first is where unqualified names live.
    pub(crate) schemas: Vec<String>,
}

/// `[services.NAME]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ServiceConfig {
    /// Database users whose sessions are this service's.
    pub(crate) roles: Vec<String>,
    /// How long a lease lives.
    pub(crate) ttl: Duration,
    /// What shows that it is there.
    pub(crate) evidence: ServiceEvidence,
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
}

/// `[lint]`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct LintConfig {
    /// `[lint.rules]`: rule id to severity; `None` switches the rule off.
    pub(crate) rules: BTreeMap<String, Option<Severity>>,
}
