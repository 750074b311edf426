//! `[backfill]` and `[backfill.signals]`.

use std::time::Duration;

use super::freeze::Freeze;
use super::section::Section;
use crate::error::Error;
use crate::plan::pacing::Steering;

/// The keys of `[backfill]`.
pub(crate) const BACKFILL: [&str; 6] =
    ["share", "max_rows", "batch_time", "interleave", "look_every", "signals"];
/// The keys of `[backfill.signals]`.
pub(crate) const SIGNALS: [&str; 9] = [
    "active_sessions",
    "archiver",
    "command",
    "file",
    "freeze",
    "ignore",
    "lock_waiters",
    "query",
    "replica_lag",
];

/// A batch is no shorter, and no longer.
pub(crate) const BATCH_TIME: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(5)..=Duration::from_secs(2);

/// `[backfill]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct BackfillConfig {
    /// `share`, `max_rows` and `batch_time`.
    pub(crate) pace: Steering,
    /// PostgreSQL: whether a window of rows may be visited in interleaved parts.
    pub(crate) interleave: bool,
    /// How often signals are looked at.
    pub(crate) look_every: Duration,
    /// `[backfill.signals]`.
    pub(crate) signals: SignalsConfig,
}

/// `[backfill.signals]`; what is absent is not looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct SignalsConfig {
    /// So many active sessions stop a backfill.
    pub(crate) active_sessions: Option<u64>,
    /// Whether a failing archive command stops it.
    pub(crate) archiver: bool,
    /// A command that says whether it may run.
    pub(crate) command: Option<String>,
    /// A file that stops it.
    pub(crate) file: Option<String>,
    /// When no batch runs.
    pub(crate) freeze: Vec<Freeze>,
    /// Replicas (by `application_name`) and slots that may be as late as they like.
    pub(crate) ignore: Vec<String>,
    /// So many sessions that wait behind a batch stop it.
    pub(crate) lock_waiters: Option<u64>,
    /// A query that says whether it may run.
    pub(crate) query: Option<String>,
    /// A replica that is so far behind stops it.
    pub(crate) replica_lag: Option<Duration>,
}

impl Default for BackfillConfig {
    fn default() -> Self {
        Self {
            pace: Steering::default(),
            interleave: true,
            look_every: Duration::from_secs(1),
            signals: SignalsConfig::default(),
        }
    }
}

impl Default for SignalsConfig {
    fn default() -> Self {
        Self {
            active_sessions: None,
            archiver: true,
            command: None,
            file: None,
            freeze: Vec::new(),
            ignore: Vec::new(),
            lock_waiters: Some(5),
            query: None,
            replica_lag: Some(Duration::from_secs(10)),
        }
    }
}

/// Reads `[backfill]`.
pub(super) fn read(top: &Section<'_>) -> Result<BackfillConfig, Error> {
    let defaults = BackfillConfig::default();
    let Some(section) = top.section("backfill", &BACKFILL)? else { return Ok(defaults) };
    let batch_time = section.duration("batch_time")?;
    if batch_time.is_some_and(|time| !BATCH_TIME.contains(&time)) {
        let message = "key \"batch_time\" must be between 5ms and 2s";
        return Err(section.error_at("batch_time", message));
    }
    let look_every = section.duration("look_every")?.unwrap_or(defaults.look_every);
    if look_every.is_zero() || look_every > Duration::from_mins(1) {
        let message = "key \"look_every\" must be above 0s and at most 1m";
        return Err(section.error_at("look_every", message));
    }
    let narrow = |key: &str, most: u64| section.whole(key, 1..=most);
    let (share, max_rows) = (narrow("share", 100)?, narrow("max_rows", 1_000_000)?);
    Ok(BackfillConfig {
        pace: Steering {
            paused_by: None,
            share: share.and_then(|share| u8::try_from(share).ok()),
            max_rows: max_rows.and_then(|rows| u32::try_from(rows).ok()),
            batch_time,
        },
        interleave: section.truth("interleave")?.unwrap_or(defaults.interleave),
        look_every,
        signals: signals(&section)?,
    })
}

fn signals(section: &Section<'_>) -> Result<SignalsConfig, Error> {
    let defaults = SignalsConfig::default();
    let Some(section) = section.section("signals", &SIGNALS)? else { return Ok(defaults) };
    let owned =
        |key: &str| -> Result<Option<String>, Error> { Ok(section.text(key)?.map(str::to_owned)) };
    let limit = |key: &str, default: Option<u64>| -> Result<Option<u64>, Error> {
        if is_off(&section, key) {
            return Ok(None);
        }
        Ok(section.whole(key, 1..=u64::from(u32::MAX))?.or(default))
    };
    let ignore = section.texts("ignore")?.unwrap_or_default();
    let lag = if is_off(&section, "replica_lag") {
        None
    } else {
        section.duration("replica_lag")?.or(defaults.replica_lag)
    };
    if lag.is_some_and(|lag| lag.is_zero()) {
        let message = "key \"replica_lag\" must be above 0s, or \"off\"";
        return Err(section.error_at("replica_lag", message));
    }
    Ok(SignalsConfig {
        active_sessions: limit("active_sessions", defaults.active_sessions)?,
        archiver: section.truth("archiver")?.unwrap_or(defaults.archiver),
        command: owned("command")?,
        file: owned("file")?,
        freeze: section.freezes("freeze")?,
        ignore: ignore.into_iter().map(str::to_owned).collect(),
        lock_waiters: limit("lock_waiters", defaults.lock_waiters)?,
        query: owned("query")?,
        replica_lag: lag,
    })
}

/// A signal that is on by default is switched off by this word.
fn is_off(section: &Section<'_>, key: &str) -> bool {
    section.get(key).and_then(|value| value.get_ref().as_str()) == Some("off")
}
