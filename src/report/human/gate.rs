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
        for line in reasons {
            writeln!(text, "           {line}").unwrap_or_default();
        }
        for line in &source.seen {
            writeln!(text, "           seen: {line}").unwrap_or_default();
        }
        for line in &source.not_seen {
            writeln!(text, "           not seen: {line}").unwrap_or_default();
        }
        if let Verdict::Blocked { retry_after: Some(wait), .. } = &source.verdict {
            writeln!(text, "           may change in {}", rough(*wait)).unwrap_or_default();
        }
    }
    for (source, why) in &report.not_asked {
        writeln!(text, "  -        {source}  (not asked: {why})").unwrap_or_default();
    }
    text
}

/// Whether a build of a service may start.
pub(crate) fn start(service: &str, verdict: &Verdict) -> String {
    let (word, reasons) = self::verdict(verdict);
    let mut text = format!("{word}  start of service {service}\n");
    for line in reasons {
        writeln!(text, "         {line}").unwrap_or_default();
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::name::MigrationId;
    use crate::plan::gate::SourceReport;

    #[test]
    fn each_source_says_what_it_saw() {
        let report = GateReport {
            kind: GateKind::Contract,
            migration: MigrationId::parse("0002_x").unwrap(),
            sources: vec![
                SourceReport {
                    source: "leases",
                    verdict: Verdict::Blocked {
                        reasons: vec!["instance \"web-1\" does not tolerate 0002_x".to_owned()],
                        retry_after: Some(Duration::from_secs(30)),
                    },
                    seen: Vec::new(),
                    not_seen: vec!["sessions on replicas".to_owned()],
                    overridden: None,
                },
                SourceReport {
                    source: "soak",
                    verdict: Verdict::Clear,
                    seen: vec!["last seen 2 h ago".to_owned()],
                    not_seen: Vec::new(),
                    overridden: None,
                },
            ],
            not_asked: vec![("freeze", "no freeze window is declared")],
        };
        let plain = anstream::adapter::strip_str(&gate(&report)).to_string();
        insta::assert_snapshot!(plain, @r#"
        Gate of contract for 0002_x

          BLOCKED  leases
                   instance "web-1" does not tolerate 0002_x
                   not seen: sessions on replicas
                   may change in 30 s
          CLEAR    soak
                   seen: last seen 2 h ago
          -        freeze  (not asked: no freeze window is declared)
        "#);
    }
}
