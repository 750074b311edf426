//! zdm.toml: text to [`Config`].

use std::collections::BTreeMap;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::section::Section;
use super::source::{Source, did_you_mean};
use super::template::Variables;
use super::{Config, DatabaseConfig, LintConfig, ServiceConfig, ServiceEvidence};
use super::{backfill, gate_toml};
use crate::error::Error;
use crate::lint::finding::Severity;
use crate::lint::rules;
use crate::model::server::Engine;

/// The keys of the file itself.
pub(crate) const ROOT: [&str; 7] =
    ["migrations", "database", "services", "gate", "backfill", "lint", "environments"];
const ENVIRONMENT: [&str; 7] =
    ["migrations", "database", "services", "gate", "backfill", "lint", "disposable"];
/// The keys of `[database]`.
pub(crate) const DATABASE: [&str; 10] = [
    "engine",
    "version",
    "url",
    "url_file",
    "direct_url",
    "pooler_admin_url",
    "replica_urls",
    "role",
    "schemas",
    "snapshot",
];
/// The keys of `[services.NAME]`.
pub(crate) const SERVICE: [&str; 6] =
    ["roles", "applications", "pooled", "ttl", "evidence", "hard_fence"];

/// A lease cannot live shorter than a renewal takes on a busy machine.
const SHORTEST_TTL: Duration = Duration::from_secs(1);

/// Reads zdm.toml for one environment. Every environment is checked, the chosen one's values are taken.
///
/// `variables` are the environment variables that `${VAR}` may name.
pub(crate) fn parse(
    source: Source<'_>,
    environment: Option<&str>,
    variables: Variables<'_>,
) -> Result<Config, Error> {
    let root = DeTable::parse(source.text).map_err(|error| source.toml_error(&error))?;
    let span = root.span();
    let root = root.into_inner();
    let top = Section::open_table(source, "", (span.clone(), &root), &ROOT)?;
    let environments = top.named("environments")?;

    let mut base = root.clone();
    base.remove("environments");
    let mut config = read(&Section::open_table(source, "", (span, &base), &ROOT)?, None)?;
    let mut chosen = environment.is_none();
    for entry in &environments {
        let name = format!("[environments.{}]", entry.name);
        // First by itself, so that a wrong key is reported where it stands, then over the base.
        Section::open(source, name, entry.value, &ENVIRONMENT)?;
        let overlay = entry.value.get_ref().as_table();
        let mut merged = base.clone();
        merge(&mut merged, overlay.unwrap_or(&DeTable::new()));
        let section = Section::open_table(source, "", (entry.value.span(), &merged), &ENVIRONMENT)?;
        let resolved = read(&section, Some(entry.name))?;
        if environment == Some(entry.name) {
            chosen = true;
            config = resolved;
        }
    }
    if !chosen {
        let wanted = environment.unwrap_or_default();
        let known: Vec<&str> = environments.iter().map(|entry| entry.name).collect();
        let message = format!("environment \"{wanted}\" is not in {}", source.path);
        return Err(Error::usage(message).hint(did_you_mean(wanted, &known)));
    }
    expand(&mut config, variables)?;
    Ok(config)
}

/// Strings that are always used are expanded at once; those of a connection when one is made.
fn expand(config: &mut Config, variables: Variables<'_>) -> Result<(), Error> {
    let expand = |text: &mut String| -> Result<(), Error> {
        let template = super::template::Template::new(text.as_str(), "zdm.toml");
        let template = template.map_err(|error| Error::usage(format!("zdm.toml: {error}")))?;
        *text = template.expand(variables)?;
        Ok(())
    };
    expand(&mut config.migrations)?;
    config.database.schemas.iter_mut().try_for_each(expand)?;
    config.services.values_mut().flat_map(|service| &mut service.roles).try_for_each(expand)
}

fn merge<'a>(base: &mut DeTable<'a>, overlay: &DeTable<'a>) {
    for (key, value) in overlay {
        let inner = base.get_mut(key.get_ref().as_ref()).map(Spanned::get_mut);
        match (inner, value.get_ref()) {
            (Some(DeValue::Table(inner)), DeValue::Table(over)) => merge(inner, over),
            _ => {
                base.insert(key.clone(), value.clone());
            }
        }
    }
}

fn read(top: &Section<'_>, environment: Option<&str>) -> Result<Config, Error> {
    let defaults = Config::default();
    Ok(Config {
        migrations: top.text("migrations")?.map_or(defaults.migrations, str::to_owned),
        database: database(top)?,
        services: services(top)?,
        gate: gate_toml::gate(top)?,
        backfill: backfill::read(top)?,
        lint: lint(top)?,
        environment: environment.map(str::to_owned),
        disposable: environment.is_some() && top.truth("disposable")?.unwrap_or(false),
    })
}

fn database(top: &Section<'_>) -> Result<DatabaseConfig, Error> {
    let Some(section) = top.section("database", &DATABASE)? else {
        return Ok(DatabaseConfig::default());
    };
    let engines =
        [Engine::Postgres, Engine::MySql, Engine::MariaDb].map(|engine| (engine.as_str(), engine));
    let version = match section.text("version")? {
        None => None,
        Some(text) => Some(parse_version(text).ok_or_else(|| {
            let message = format!("key \"version\" is \"{text}\", which is not a version");
            section
                .error_at("version", message)
                .hint("Write version = \"15\" or version = \"10.11\".")
        })?),
    };
    let (url, url_file) = (section.template("url")?, section.template("url_file")?);
    if url.is_some() && url_file.is_some() {
        let message = "keys \"url\" and \"url_file\" exclude each other";
        return Err(section.error_at("url_file", message));
    }
    Ok(DatabaseConfig {
        engine: section.word("engine", &engines)?,
        version,
        url,
        url_file,
        direct_url: section.template("direct_url")?,
        pooler_admin_url: section.template("pooler_admin_url")?,
        replica_urls: section.templates("replica_urls")?,
        role: section.template("role")?,
        schemas: owned(section.texts("schemas")?),
        snapshot: section.text("snapshot")?.map(str::to_owned),
    })
}

/// `15`, `15.4`, `10.11.2`: the first two numbers.
pub(crate) fn parse_version(text: &str) -> Option<(u16, u16)> {
    let mut numbers = text.split('.').map(|part| part.parse::<u16>().ok());
    let major = numbers.next()??;
    let minor = numbers.next().unwrap_or(Some(0))?;
    numbers.all(|number| number.is_some()).then_some((major, minor))
}

fn services(top: &Section<'_>) -> Result<BTreeMap<String, ServiceConfig>, Error> {
    let evidences = [("leases", ServiceEvidence::Leases), ("sessions", ServiceEvidence::Sessions)];
    let mut services = BTreeMap::new();
    for entry in top.named("services")? {
        let name = format!("[services.{}]", entry.name);
        let section = Section::open(top.source(), name, entry.value, &SERVICE)?;
        if !is_service_name(entry.name) {
            let message = format!("\"{}\" cannot be the name of a service", entry.name);
            let hint = "A service's name is letters, digits, \"-\", \"_\" and \".\".";
            return Err(top.source().error(&entry.span, message).hint(hint));
        }
        let defaults = ServiceConfig::default();
        let ttl = section.duration("ttl")?.unwrap_or(defaults.ttl);
        if ttl < SHORTEST_TTL {
            return Err(section.error_at("ttl", "key \"ttl\" must be at least one second"));
        }
        let service = ServiceConfig {
            roles: owned(section.texts("roles")?),
            applications: owned(section.texts("applications")?),
            pooled: section.truth("pooled")?,
            ttl,
            evidence: section.word("evidence", &evidences)?.unwrap_or(defaults.evidence),
            hard_fence: section.truth("hard_fence")?.unwrap_or(defaults.hard_fence),
        };
        if service.hard_fence && service.evidence == ServiceEvidence::Sessions {
            let message = "key \"hard_fence\" needs leases, which say whose release a role is";
            return Err(section.error_at("hard_fence", message));
        }
        if service.hard_fence && service.roles.is_empty() {
            let message = "key \"hard_fence\" needs key \"roles\": those of the service's releases";
            return Err(section.error_at("hard_fence", message));
        }
        services.insert(entry.name.to_owned(), service);
    }
    Ok(services)
}

/// Names of services stand in comma lists in the state and in lines of manifests.
pub(crate) fn is_service_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    !name.is_empty() && name.len() <= 100 && name.bytes().all(plain)
}

fn lint(top: &Section<'_>) -> Result<LintConfig, Error> {
    let Some(section) = top.section("lint", &["rules", "since", "open_for"])? else {
        return Ok(LintConfig::default());
    };
    let severities = [
        ("off", None),
        ("info", Some(Severity::Info)),
        ("warning", Some(Severity::Warning)),
        ("error", Some(Severity::Error)),
    ];
    let ids: Vec<&str> = known_rules();
    let since = section.text("since")?.map(str::to_owned);
    if since.as_ref().is_some_and(|id| !id.contains(|letter: char| letter.is_ascii_digit())) {
        let message = "key \"since\" names no migration: it has no number";
        return Err(section.error_at("since", message));
    }
    let open_for = section.duration("open_for")?;
    let mut read = BTreeMap::new();
    if let Some(rules) = section.section("rules", &ids)? {
        for id in ids {
            if let Some(severity) = rules.word(id, &severities)? {
                read.insert(id.to_owned(), severity);
            }
        }
    }
    Ok(LintConfig { rules: read, since, open_for })
}

fn known_rules() -> Vec<&'static str> {
    rules::ALL.iter().map(|rule| rule.id).collect()
}

fn owned(texts: Option<Vec<&str>>) -> Vec<String> {
    texts.unwrap_or_default().into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, environment: Option<&str>) -> Result<Config, String> {
        let variables = |name: &str| (name == "OWNER").then(|| "app_owner".to_owned());
        let source = Source { path: "zdm.toml", text };
        parse(source, environment, &variables).map_err(|error| match &error.hint {
            Some(hint) => format!("{error} / {hint}"),
            None => error.to_string(),
        })
    }

    fn refused(text: &str, message: &str) {
        assert_eq!(check(text, None).map(|_| ()), Err(message.to_owned()));
    }

    #[test]
    fn an_empty_file_is_all_defaults() {
        assert_eq!(check("", None), Ok(Config::default()));
    }

    #[test]
    fn every_key_is_read() {
        let config = check(
            r#"
            migrations = "db/migrations"
            [database]
            engine = "mariadb"
            version = "10.11"
            url = "${NOT_SET}"
            direct_url = "mysql://h/d"
            role = "${OWNER}"
            schemas = ["${OWNER}", "public"]
            snapshot = "zdm-snapshot.json"
            [services.api]
            roles = ["api"]
            ttl = "30s"
            [services.reports]
            evidence = "sessions"
            applications = ["metabase"]
            pooled = false
            [gate]
            soak = "1h"
            ignore_roles = ["exporter"]
            freeze = ["Fri 16:00 - Mon 08:00 Europe/Berlin"]
            [gate.checks.canary]
            command = ["./canary.sh", "api"]
            timeout = "5s"
            [backfill]
            share = 30
            max_rows = 2_000
            batch_time = "50ms"
            interleave = false
            look_every = "5s"
            [backfill.signals]
            active_sessions = 20
            archiver = false
            command = "./may-run"
            file = "stop"
            freeze = ["Mon-Fri 09:00-17:00 Europe/Berlin", "22:00-23:00"]
            ignore = ["delayed"]
            lock_waiters = 3
            query = "SELECT 0"
            replica_lag = "30s"
            "#,
            None,
        )
        .unwrap();
        let pace = &config.backfill.pace;
        assert_eq!((pace.share, pace.max_rows), (Some(30), Some(2000)));
        assert_eq!(pace.batch_time, Some(Duration::from_millis(50)));
        let signals = &config.backfill.signals;
        assert_eq!((signals.active_sessions, signals.lock_waiters), (Some(20), Some(3)));
        assert_eq!(signals.replica_lag, Some(Duration::from_secs(30)));
        assert_eq!(signals.freeze[1].to_string(), "22:00-23:00");
        assert!(!signals.archiver && !config.backfill.interleave);
        assert_eq!(config.migrations, "db/migrations");
        assert_eq!(config.database.engine, Some(Engine::MariaDb));
        assert_eq!(config.database.version, Some((10, 11)));
        assert_eq!(config.database.schemas, ["app_owner", "public"]);
        assert_eq!(config.database.snapshot.as_deref(), Some("zdm-snapshot.json"));
        assert_eq!(config.services["api"].ttl, Duration::from_secs(30));
        assert_eq!(config.services["reports"].evidence, ServiceEvidence::Sessions);
        assert_eq!(config.services["reports"].applications, ["metabase"]);
        assert_eq!(config.services["reports"].pooled, Some(false));
        assert_eq!(config.gate.soak, Duration::from_hours(1));
        assert_eq!(config.gate.ignore_roles, ["exporter"]);
        assert_eq!(config.gate.freeze[0].to_string(), "Fri 16:00 - Mon 08:00 Europe/Berlin");
        let check = &config.gate.checks[0];
        assert_eq!((check.name.as_str(), check.program.as_str()), ("canary", "./canary.sh"));
        assert_eq!(
            (&check.arguments[..], check.timeout),
            (&["api".to_owned()][..], Duration::from_secs(5))
        );
    }

    #[test]
    fn an_environment_differs_in_any_key() {
        let text = r#"
            [services.api]
            ttl = "30s"
            [environments.production.gate]
            soak = "24h"
            [environments.production.services.api]
            roles = ["api"]
            [environments.test]
            disposable = true
        "#;
        let production = check(text, Some("production")).unwrap();
        assert_eq!(production.gate.soak, Duration::from_hours(24));
        assert_eq!(production.services["api"].ttl, Duration::from_secs(30));
        assert_eq!(production.services["api"].roles, ["api"]);
        assert!(!production.disposable && check(text, Some("test")).unwrap().disposable);
        assert_eq!(check(text, None).unwrap().gate.soak, Duration::from_mins(10));
        assert_eq!(
            check(text, Some("prodction")).map(|_| ()),
            Err("environment \"prodction\" is not in zdm.toml / Did you mean \"production\"?"
                .to_owned())
        );
    }

    #[test]
    fn unknown_keys_are_refused_with_their_place_and_neighbour() {
        refused(
            "[databse]\n",
            "zdm.toml:1:2: unknown key \"databse\" / Did you mean \"database\"?",
        );
        refused(
            "\n[database]\nurll = \"x\"",
            "zdm.toml:3:1: unknown key \"urll\" in [database] / Did you mean \"url\"?",
        );
        refused(
            "[environments.p.gate]\nsoack = \"1s\"",
            "zdm.toml:2:1: unknown key \"soack\" in [gate] / Did you mean \"soak\"?",
        );
        refused(
            "disposable = true",
            "zdm.toml:1:1: unknown key \"disposable\" / Known here: migrations, database, services, gate, backfill, lint, environments.",
        );
    }

    #[test]
    fn bad_values_are_refused_with_their_place() {
        refused(
            "[database]\nengine = \"postgers\"",
            "zdm.toml:2:10: key \"engine\" is \"postgers\", which is none of \"postgres\", \"mysql\", \"mariadb\" / Did you mean \"postgres\"?",
        );
        refused("gate = 3", "zdm.toml:1:8: [gate] must be a table, but it is of type integer");
        refused(
            "[gate]\nsoak = \"1 month\"",
            "zdm.toml:2:8: key \"soak\": \"1 month\" counts months or years, which have no fixed length: count days",
        );
        refused(
            "[database]\nschemas = [\"a\", 2]",
            "zdm.toml:2:17: key \"schemas\" must be a list of strings, but it is of type integer",
        );
        refused(
            "[gate]\nfreeze = [\"Fri 16:00 - 08:00\"]",
            "zdm.toml:2:10: key \"freeze\": \"Fri 16:00 - 08:00\" is not a window such as \"Mon-Fri 09:00-17:00 Europe/Berlin\", \"22:00-06:00\", \"Fri 16:00 - Mon 08:00\" or \"2026-12-20 - 2027-01-02\"",
        );
        refused(
            "[gate.checks.canary]\ntimeout = \"1s\"",
            "zdm.toml:1:1: key \"command\" is missing in [gate.checks.canary] / Write command = [\"./check.sh\", \"argument\"]; exit code 0 is clear, 1 is blocked.",
        );
        refused(
            "[services.\"a b\"]",
            "zdm.toml:1:11: \"a b\" cannot be the name of a service / A service's name is letters, digits, \"-\", \"_\" and \".\".",
        );
    }

    #[test]
    fn a_signal_is_switched_off_by_a_word() {
        let text = "[backfill.signals]\nlock_waiters = \"off\"\nreplica_lag = \"off\"";
        let signals = check(text, None).unwrap().backfill.signals;
        assert_eq!((signals.lock_waiters, signals.replica_lag), (None, None));
        refused("[backfill]\nshare = 0", "zdm.toml:2:9: key \"share\" must be from 1 to 100");
        refused(
            "[backfill.signals]\nlock_waiters = \"none\"",
            "zdm.toml:2:16: key \"lock_waiters\" must be a whole number, but it is of type string",
        );
        refused(
            "[backfill.signals]\nfreeze = [\"09:00-17:00 Europe/Berln\"]",
            "zdm.toml:2:10: key \"freeze\": \"Europe/Berln\" is not a time zone such as \"Europe/Berlin\" or \"UTC\"",
        );
        refused(
            "[backfill]\nbatch_time = \"1m\"",
            "zdm.toml:2:14: key \"batch_time\" must be between 5ms and 2s",
        );
    }

    #[test]
    fn broken_toml_is_located_and_not_quoted() {
        let error =
            check("[database]\nurl = \"postgres://u:s3cret@h/d\nrole = 1", None).unwrap_err();
        assert!(error.starts_with("zdm.toml:2:"), "{error}");
        assert!(!error.contains("s3cret"), "{error}");
    }

    #[test]
    fn versions_are_one_or_more_numbers() {
        assert_eq!(parse_version("15"), Some((15, 0)));
        assert_eq!(parse_version("10.11.19"), Some((10, 11)));
        assert_eq!(parse_version("15beta1"), None);
        assert_eq!(parse_version(""), None);
    }
}
