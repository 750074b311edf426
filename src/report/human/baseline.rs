//! What a baseline recorded, for people.

use std::fmt::Write as _;

use super::finding::count_of;
use super::style::{Tone, paint};
use crate::engine::commands::{Baselined, Write};

/// Each migration, and what may follow.
pub(crate) fn baseline(baselined: &Baselined) -> String {
    let mut text = String::new();
    let (word, tone) = match baselined.write {
        Write::Record => ("recorded", Tone::Good),
        Write::DryRun => ("would record", Tone::Warn),
    };
    for id in &baselined.recorded {
        writeln!(text, "{} {id} as done, without running it", paint(tone, word))
            .unwrap_or_default();
    }
    if !baselined.done_before.is_empty() {
        let before = count_of(baselined.done_before.len(), "migration");
        writeln!(text, "{before} had been done before").unwrap_or_default();
    }
    if baselined.recorded.is_empty() {
        text.push_str("nothing to record\n");
    }
    if baselined.write == Write::Record {
        let last = &baselined.last;
        writeln!(
            text,
            "{} folders before the first one that is not done may be deleted; `since = \"{last}\"` under [lint] in zdm.toml \
             keeps the rules from judging what is older",
            paint(Tone::Warn, "note:")
        )
        .unwrap_or_default();
    }
    text
}
