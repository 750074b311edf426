//! What an instance says of itself, collected and checked.

use std::fmt;
use std::time::Duration;

use super::error::{JoinError, Readiness};
use super::instance::Instance;
use super::watchdog::OnChange;
use crate::database::lease::Report;
use crate::database::target::{DatabaseUrl, Target};
use crate::model::lease::{Ending, Need, Reached};
use crate::model::manifest::Manifest;
use crate::model::name::MigrationId;

/// The longest name of a service, in characters: what the state holds.
const LONGEST_NAME: usize = 190;
/// PostgreSQL cuts longer names of applications.
const LONGEST_APPLICATION_NAME: usize = 63;

/// Collects what an instance says of itself; made by [`Instance::builder`].
#[must_use = "nothing happens before join()"]
pub struct InstanceBuilder {
    service: String,
    version: String,
    instance: Option<String>,
    manifest: Option<String>,
    tolerates: Vec<String>,
    needs: Vec<(String, Reached)>,
    ending: Ending,
    target: Option<Target>,
    join_timeout: Duration,
    on_change: Option<OnChange>,
}

/// What is left of the builder when everything was checked.
pub(super) struct Checked {
    pub(super) report: Report,
    pub(super) target: Target,
    pub(super) join_timeout: Duration,
    pub(super) on_change: Option<OnChange>,
}

impl InstanceBuilder {
    pub(super) fn new(service: String) -> Self {
        Self {
            service,
            version: "unknown".to_owned(),
            instance: None,
            manifest: None,
            tolerates: Vec::new(),
            needs: Vec::new(),
            ending: Ending::Suspends,
            target: None,
            join_timeout: Duration::from_mins(1),
            on_change: None,
        }
    }

    /// The build's version, for people: it is shown and never compared.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    /// The instance's name, for people. Default: the host's name and the number of the process.
    pub fn instance(mut self, name: impl Into<String>) -> Self {
        self.instance = Some(name.into());
        self
    }

    /// What the build tolerates and needs, as `zdm manifest --service NAME` wrote it:
    /// `manifest(include_str!("../zdm-manifest"))`.
    pub fn manifest(mut self, text: impl Into<String>) -> Self {
        self.manifest = Some(text.into());
        self
    }

    /// A migration whose contract this build survives, besides those of the manifest.
    pub fn tolerates(mut self, migration: impl Into<String>) -> Self {
        self.tolerates.push(migration.into());
        self
    }

    /// A migration that must be migrated before this build may start, besides those of the manifest.
    pub fn needs_migrated(mut self, migration: impl Into<String>) -> Self {
        self.needs.push((migration.into(), Reached::Migrated));
        self
    }

    /// A migration that must be expanded before this build may start, besides those of the manifest.
    pub fn needs_expanded(mut self, migration: impl Into<String>) -> Self {
        self.needs.push((migration.into(), Reached::Expanded));
        self
    }

    /// The database: `postgres://`, `mysql://` or `mariadb://`. The lease has one connection of its own, to the primary and
    /// not through a pooler that shares connections between transactions.
    pub fn database_url(mut self, url: impl Into<String>) -> Self {
        self.target = Some(Target {
            url: DatabaseUrl::new(url),
            role: None,
            schemas: Vec::new(),
            application_name: String::new(),
        });
        self
    }

    /// How long [`join`](Self::join) waits for what the build needs, and for a database that cannot be reached
    /// (60 s by default).
    pub fn join_timeout(mut self, timeout: Duration) -> Self {
        self.join_timeout = timeout;
        self
    }

    /// Calls `tell` whenever [`Instance::readiness`] changes, on a thread that belongs to zdm: close the pools when the
    /// instance is suspended, open them when it serves. It should return soon.
    pub fn on_change(mut self, tell: impl Fn(Readiness) + Send + 'static) -> Self {
        self.on_change = Some(Box::new(tell));
        self
    }

    /// Where the lease is kept, for those who have more than a URL.
    #[cfg(feature = "engine")]
    pub(crate) fn target(mut self, target: Target) -> Self {
        self.target = Some(target);
        self
    }

    /// How the lease ends when its beats stop.
    #[cfg(feature = "engine")]
    pub(crate) fn ending(mut self, ending: Ending) -> Self {
        self.ending = ending;
        self
    }

    /// Joins: waits until the database has what this build needs, and takes a lease.
    ///
    /// # Errors
    ///
    /// See [`JoinError`]: a build that a contract has passed is refused at once, with words.
    ///
    /// # Without a lease
    ///
    /// With `ZDM_APP=off` in the environment nothing is asked and no connection made: the instance serves for as long as it
    /// lives. For tests, and for a day on which zdm itself is the trouble: no gate sees such an instance.
    pub async fn join(self) -> Result<Instance, JoinError> {
        if is_off(std::env::var("ZDM_APP").ok().as_deref())? {
            return Instance::without_lease(self.on_change);
        }
        Instance::start(self.check()?).await
    }

    fn check(self) -> Result<Checked, JoinError> {
        let service = name("service", self.service)?;
        let instance = match self.instance {
            Some(given) => name("instance", given)?,
            None => {
                format!("{}-{}", gethostname::gethostname().to_string_lossy(), std::process::id())
            }
        };
        let mut manifest = match self.manifest {
            Some(text) => Manifest::parse(&text).map_err(invalid)?,
            None => Manifest { service: service.clone(), tolerates: [].into(), needs: Vec::new() },
        };
        if manifest.service != service {
            let of = manifest.service;
            return Err(invalid(format!(
                "the manifest is of service \"{of}\", not of \"{service}\""
            )));
        }
        for migration in &self.tolerates {
            manifest.tolerates.insert(MigrationId::parse(migration).map_err(invalid)?);
        }
        for (migration, reached) in &self.needs {
            let need: Need = (MigrationId::parse(migration).map_err(invalid)?, *reached);
            manifest.needs.push(need);
        }
        let Some(mut target) = self.target else {
            return Err(invalid("no database: give its URL with database_url()"));
        };
        let label = format!("zdm:{service}#{instance}");
        target.application_name = label.chars().take(LONGEST_APPLICATION_NAME).collect();
        let report = Report {
            service,
            version: self.version,
            instance,
            tolerates: manifest.tolerates,
            needs: manifest.needs,
            ending: self.ending,
        };
        let (join_timeout, on_change) = (self.join_timeout, self.on_change);
        Ok(Checked { report, target, join_timeout, on_change })
    }
}

/// What `ZDM_APP` says. A word that means nothing must not switch anything off, nor be passed over.
fn is_off(value: Option<&str>) -> Result<bool, JoinError> {
    match value {
        None | Some("" | "on") => Ok(false),
        Some("off") => Ok(true),
        Some(other) => Err(invalid(format!("ZDM_APP is \"{other}\": write off, or nothing"))),
    }
}

fn invalid(what: impl fmt::Display) -> JoinError {
    JoinError::Invalid(what.to_string())
}

/// Names go into lists with commas, and are read by people.
fn name(kind: &str, given: String) -> Result<String, JoinError> {
    let is_odd = |c: char| c == ',' || c.is_whitespace() || c.is_control();
    if given.is_empty() || given.contains(is_odd) {
        return Err(invalid(format!(
            "{kind} name \"{}\" must not be empty, nor hold white space or commas",
            given.escape_default()
        )));
    }
    if given.chars().count() > LONGEST_NAME {
        return Err(invalid(format!("{kind} name is longer than {LONGEST_NAME} characters")));
    }
    Ok(given)
}

impl fmt::Debug for InstanceBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InstanceBuilder")
            .field("service", &self.service)
            .field("version", &self.version)
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(builder: InstanceBuilder) -> String {
        builder.check().err().unwrap().to_string()
    }

    #[test]
    fn what_cannot_be_is_refused_before_anything_is_tried() {
        let api = || InstanceBuilder::new("api".to_owned());
        assert_eq!(refused(api()), "no database: give its URL with database_url()");
        assert_eq!(
            refused(InstanceBuilder::new("a b".to_owned())),
            "service name \"a b\" must not be empty, nor hold white space or commas"
        );
        assert_eq!(
            refused(api().manifest("zdm-manifest 1\nservice web")),
            "the manifest is of service \"web\", not of \"api\""
        );
        assert_eq!(
            refused(api().manifest("service api")),
            "line 1 of the manifest: it does not begin with \"zdm-manifest 1\""
        );
        assert!(refused(api().tolerates("two")).starts_with("migration name \"two\" is not"));
    }

    #[test]
    fn only_off_switches_off() {
        assert!(is_off(Some("off")).unwrap());
        assert!(
            !is_off(None).unwrap() && !is_off(Some("")).unwrap() && !is_off(Some("on")).unwrap()
        );
        assert!(is_off(Some("0")).is_err());
    }

    #[test]
    fn the_manifest_and_what_is_said_beside_it_are_put_together() {
        let checked = InstanceBuilder::new("api".to_owned())
            .manifest("zdm-manifest 1\nservice api\ntolerates 0002_x\nneeds 0002_x migrated")
            .tolerates("0003_y")
            .needs_expanded("0004_z")
            .instance("web-1")
            .database_url("postgres://u:s3cret@h/d")
            .check()
            .ok()
            .unwrap();
        let id = |name| MigrationId::parse(name).unwrap();
        assert_eq!(checked.report.tolerates, [id("0002_x"), id("0003_y")].into());
        let needs = vec![(id("0002_x"), Reached::Migrated), (id("0004_z"), Reached::Expanded)];
        assert_eq!(checked.report.needs, needs);
        assert_eq!(checked.target.application_name, "zdm:api#web-1");
    }
}
