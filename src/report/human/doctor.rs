//! What `zdm doctor` found, for people.

use std::fmt::Write as _;

use super::finding::count_of;
use super::health;
use super::style::{Tone, paint};
use crate::engine::commands::{Diagnosis, Privileges};

/// What was done, and each finding with its way out.
pub(crate) fn diagnosis(diagnosis: &Diagnosis, asked: usize) -> String {
    let mut text = String::new();
    let title = format!("{}, database {}", diagnosis.server, diagnosis.identity.database);
    writeln!(text, "{}", paint(Tone::Strong, title)).unwrap_or_default();
    for done in &diagnosis.applied {
        writeln!(text, "{} {done}", paint(Tone::Good, "done:")).unwrap_or_default();
    }
    if asked > 0 && diagnosis.applied.is_empty() {
        text.push_str("nothing to apply\n");
    }
    if !diagnosis.installed {
        text.push_str("zdm has never written to it: there is nothing to look at\n");
    } else if diagnosis.findings.is_empty() {
        let words = paint(Tone::Good, "nothing is wrong");
        writeln!(text, "{words} that the catalog shows; zdm verify looks at the rows, too")
            .unwrap_or_default();
    } else {
        let count = count_of(diagnosis.findings.len(), "finding");
        writeln!(text, "{}\n", paint(Tone::Bad, count)).unwrap_or_default();
        text.push_str(&health::findings(&diagnosis.findings));
    }
    text
}

/// SQL to be run by somebody who may grant it.
pub(crate) fn privileges(privileges: &Privileges) -> String {
    let mut text = String::new();
    for right in &privileges.missing {
        writeln!(text, "-- {}", right.why).unwrap_or_default();
        writeln!(text, "{};", right.statement).unwrap_or_default();
        if let Some(managed) = &right.managed {
            writeln!(text, "--   on a managed server, without superuser: {managed}")
                .unwrap_or_default();
        }
    }
    for line in &privileges.blind_spots {
        writeln!(text, "-- not seen: {line}").unwrap_or_default();
    }
    if privileges.missing.is_empty() {
        text.push_str("-- no right is missing\n");
    }
    text
}
