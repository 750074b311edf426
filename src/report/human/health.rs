//! What `zdm verify` found, for people.

use std::fmt::Write as _;

use super::finding::count_of;
use super::style::{Tone, paint};
use super::time::grouped;
use crate::engine::commands::Checkup;
use crate::plan::health::Finding;

/// Each finding with its way out, then what was looked at.
pub(crate) fn checkup(checkup: &Checkup) -> String {
    let mut text = String::new();
    let title = format!("{}, database {}", checkup.server, checkup.identity.database);
    writeln!(text, "{}", paint(Tone::Strong, title)).unwrap_or_default();
    if !checkup.installed {
        writeln!(text, "zdm has never written to it: there is nothing to verify")
            .unwrap_or_default();
        return text;
    }
    let word = if checkup.findings.is_empty() {
        paint(Tone::Good, "as the journal says")
    } else {
        paint(Tone::Bad, count_of(checkup.findings.len(), "difference"))
    };
    let seconds = checkup.took.as_secs_f64();
    writeln!(text, "{word}, after {seconds:.1} s\n").unwrap_or_default();
    text.push_str(&findings(&checkup.findings));
    writeln!(
        text,
        "  {} of done steps looked for in the catalog",
        count_of(checkup.traces, "trace")
    )
    .unwrap_or_default();
    for counted in &checkup.counted {
        let rows = grouped(counted.rows);
        writeln!(text, "  {rows} rows of {} read: {}", counted.check.table, counted.check.title)
            .unwrap_or_default();
    }
    for tried in &checkup.tried {
        writeln!(text, "  tried, and rolled back: {tried}").unwrap_or_default();
    }
    for line in &checkup.not_reached {
        writeln!(text, "{} not verified: {line}", paint(Tone::Warn, "note:")).unwrap_or_default();
    }
    text
}

/// What is wrong, each with the way out.
pub(crate) fn findings(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let Finding { kind, message, way_out, .. } = finding;
        let label = paint(Tone::Bad, kind.as_str());
        writeln!(text, "{label}: {message}").unwrap_or_default();
        writeln!(text, "  {} {way_out}\n", paint(Tone::Code, "way out:")).unwrap_or_default();
    }
    text
}
