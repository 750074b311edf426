//! What signals say of the server, all together.

use std::fmt;

/// What one signal says.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Reading {
    /// The signal, as zdm.toml calls it.
    pub(crate) signal: &'static str,
    /// What was read.
    pub(crate) value: Value,
}

/// What was read of a signal.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Value {
    /// It is at so large a share of its limit; what was read and what the limit is, in words.
    Share(f64, String),
    /// It could not be read: why.
    Unreadable(String),
}

/// What all signals say.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Load {
    /// The one that is nearest to its limit is at so large a share of it.
    Share(f64),
    /// One could not be read.
    Unknown,
}

impl Load {
    /// There are no signals, or they see nothing.
    pub(crate) const NONE: Self = Self::Share(0.0);

    /// The load that readings make.
    pub(crate) fn of(readings: &[Reading]) -> Self {
        let each = readings.iter().map(|reading| match &reading.value {
            // A limit of nothing, reached by nothing, is no number.
            Value::Share(share, _) if !share.is_nan() => Some(*share),
            Value::Share(..) | Value::Unreadable(_) => None,
        });
        each.reduce(|one, other| Some(one?.max(other?)))
            .map_or(Self::NONE, |most| most.map_or(Self::Unknown, Self::Share))
    }

    /// The share of the limit: all of it, when it is not known.
    pub(super) fn share(self) -> f64 {
        match self {
            Self::Share(share) => share,
            Self::Unknown => 1.0,
        }
    }
}

impl Reading {
    /// So much of something that may have so much.
    #[expect(clippy::cast_precision_loss, reason = "a share is an estimate")]
    pub(crate) fn of(signal: &'static str, (value, limit): (u64, u64), words: String) -> Self {
        let share = if value == 0 { 0.0 } else { value as f64 / limit as f64 };
        Self { signal, value: Value::Share(share, words) }
    }

    /// A signal that says stop, or go.
    pub(crate) fn stop(signal: &'static str, reason: Option<String>) -> Self {
        let share = if reason.is_some() { 1.0 } else { 0.0 };
        Self { signal, value: Value::Share(share, reason.unwrap_or_default()) }
    }

    /// A signal that could not be read.
    pub(crate) fn unreadable(signal: &'static str, why: impl Into<String>) -> Self {
        Self { signal, value: Value::Unreadable(why.into()) }
    }

    /// Whether it lets batches run again after a stop.
    pub(crate) fn is_calm(&self) -> bool {
        matches!(self.value, Value::Share(share, _) if share < super::CALM)
    }
}

/// Why a backfill stays, for people.
impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Value::Share(_, words) => f.write_str(words),
            Value::Unreadable(why) => {
                write!(f, "signal {} cannot be read: {why}", self.signal)
            }
        }
    }
}
