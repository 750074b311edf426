//! Which rules speak about a file, looked up once.

use std::collections::BTreeMap;

use super::ask::{ChangeCheck, Check, FileCheck};
use super::finding::Severity;
use super::rules::{self, Rule};
use crate::model::phase::Phase;
use crate::model::server::Engine;

/// A rule that speaks, how bad its findings are, and how it is asked.
#[derive(Debug)]
pub(super) struct Asked<F> {
    pub(super) rule: &'static Rule,
    pub(super) severity: Severity,
    pub(super) check: F,
}

/// The rules that speak in a phase on a server, after `[lint.rules]`.
#[derive(Debug)]
pub(super) struct Active {
    /// Asked about each change.
    pub(super) of_changes: Vec<Asked<ChangeCheck>>,
    /// Asked about all statements of a file together.
    pub(super) of_files: Vec<Asked<FileCheck>>,
}

/// Who has written a statement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Written {
    ByHand,
    ByZdm,
}

impl Active {
    /// Chooses them.
    pub(super) fn new(
        engine: Engine,
        phase: Phase,
        severities: &BTreeMap<String, Option<Severity>>,
        written: Written,
    ) -> Self {
        let mut active = Self { of_changes: Vec::new(), of_files: Vec::new() };
        for (rule, about) in rules::known() {
            let asked = written == Written::ByHand || rule.judges_generated;
            if !asked || !about.speaks(engine, phase) {
                continue;
            }
            let configured = severities.get(rule.id).copied();
            let Some(severity) = configured.unwrap_or_else(|| about.severity()) else { continue };
            match rule.check {
                Check::Change(check) => active.of_changes.push(Asked { rule, severity, check }),
                Check::File(check) => active.of_files.push(Asked { rule, severity, check }),
                Check::Migration(_) | Check::Elsewhere => {}
            }
        }
        active
    }
}
