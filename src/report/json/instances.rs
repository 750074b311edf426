//! Who uses the database, for programs.

use schemars::JsonSchema;
use serde::Serialize;

use super::FORMAT;
use crate::model::lease::{self, Ending, Lease};
use crate::report::human::time::instant;

/// What `instances --format json` writes.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the keys of the format")]
pub(crate) struct Instances {
    /// Always 1.
    format: u32,
    /// The command's name.
    command: String,
    /// In the order in which they joined.
    instances: Vec<Instance>,
}

/// An instance's lease.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the keys of the format")]
pub(crate) struct Instance {
    /// The service.
    service: String,
    /// The build.
    version: String,
    /// The copy.
    instance: String,
    /// Where it stands.
    state: Standing,
    /// How its lease ends without beats: `suspends` or `reports`.
    ending: String,
    /// When it joined.
    joined_at: String,
    /// When it was last seen.
    seen_at: String,
    /// How long each renewal holds, in seconds.
    ttl: f64,
    /// The migrations whose contract it survives.
    tolerates: Vec<String>,
    /// The migrations that it cannot run without.
    needs: Vec<Need>,
}

/// Where an instance stands.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    /// Its lease holds.
    Live,
    /// Its lease has run out.
    Expired,
    /// It said that it goes.
    Left,
}

/// A migration that a build cannot run without.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Need {
    /// The migration.
    migration: String,
    /// How far it must be: `expanded` or `migrated`.
    reached: String,
}

/// A need.
pub(crate) fn need((migration, reached): &lease::Need) -> Need {
    Need { migration: migration.to_string(), reached: reached.as_str().to_owned() }
}

/// The leases, at `now` (milliseconds since 1970).
pub(crate) fn instances(leases: &[Lease], now: i64) -> Instances {
    let instances = leases.iter().map(|lease| instance(lease, now)).collect();
    Instances { format: FORMAT, command: "instances".to_owned(), instances }
}

fn instance(lease: &Lease, now: i64) -> Instance {
    let ttl = i64::try_from(lease.ttl.as_millis()).unwrap_or(i64::MAX);
    let state = match lease.left_at {
        Some(_) => Standing::Left,
        None if lease.seen_at.saturating_add(ttl) > now => Standing::Live,
        None => Standing::Expired,
    };
    Instance {
        service: lease.service.clone(),
        version: lease.version.clone(),
        instance: lease.instance.clone(),
        state,
        ending: match lease.ending {
            Ending::Suspends => "suspends".to_owned(),
            Ending::Reports => "reports".to_owned(),
        },
        joined_at: instant(lease.joined_at),
        seen_at: instant(lease.seen_at),
        ttl: lease.ttl.as_secs_f64(),
        tolerates: lease.tolerates.iter().map(ToString::to_string).collect(),
        needs: lease.needs.iter().map(need).collect(),
    }
}
