//! What a gate says, source by source.

use std::fmt::Write;

use super::style::{Tone, paint};
use super::time::rough;
use crate::plan::gate::{GateKind, GateReport, Verdict};

/// The report: a headline, then each source with what it saw.
pub(crate) fn gate(report: &GateReport) -> String {
    let command = match report.kind {
        GateKind::Contract => "contract",
        GateKind::Rollback => "rollback",
    };
    let mut text = String::new();
    let title = format!("Gate of {command} for {}", report.migration);
    writeln!(text, "{}\n", paint(Tone::Strong, title)).unwrap_or_default();
    for source in &report.sources {
        let (word, reasons) = verdict(&source.verdict);
        write!(text, "  {word}  {}", source.source).unwrap_or_default();
        match &source.overridden {
            Some(reason) => writeln!(text, "  (overridden: {reason})").unwrap_or_default(),
            None => text.push('\n'),
        }
        for line in reasons.iter().chain(&source.seen) {
            writeln!(text, "           {line}").unwrap_or_default();
        }
        if let Verdict::Blocked { retry_after: Some(wait), .. } = &source.verdict {
            writeln!(text, "           may change in {}", rough(*wait)).unwrap_or_default();
        }
    }
    text
}

fn verdict(verdict: &Verdict) -> (String, &[String]) {
    match verdict {
        Verdict::Clear => (paint(Tone::Good, "CLEAR  "), &[]),
        Verdict::Blocked { reasons, .. } => (paint(Tone::Bad, "BLOCKED"), reasons),
        Verdict::Unknown { reasons } => (paint(Tone::Bad, "UNKNOWN"), reasons),
    }
}
