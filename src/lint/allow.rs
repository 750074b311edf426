//! `-- zdm:allow(rule-id) reason`.

use std::collections::BTreeMap;

use super::finding::{Finding, Fix, Severity};
use super::rules::{self, unused_allow};
use crate::sql::split::Directive;

/// An allow that is written as it should be.
#[derive(Debug)]
struct Allow {
    rule: &'static str,
    used: bool,
}

/// Takes away what the directives allow, and reports those that allow nothing.
pub(super) fn apply(
    findings: Vec<Finding>,
    directives: &[Directive],
    severities: &BTreeMap<String, Option<Severity>>,
) -> Vec<Finding> {
    let mut allows: Vec<_> =
        directives.iter().map(|directive| (directive, parse(&directive.text))).collect();
    let mut left = Vec::with_capacity(findings.len());
    for finding in findings {
        let mut allowed = false;
        for allow in allows.iter_mut().filter_map(|(_, allow)| allow.as_mut().ok()).flatten() {
            if allow.rule == finding.rule {
                allow.used = true;
                allowed = true;
            }
        }
        if !allowed {
            left.push(finding);
        }
    }
    for (directive, allow) in &allows {
        let (why, is_idle) = match allow {
            Ok(allows) => {
                let idle: Vec<_> =
                    allows.iter().filter(|allow| !allow.used).map(|allow| allow.rule).collect();
                let why = (!idle.is_empty())
                    .then(|| format!("the statement below breaks no rule {}", idle.join(", ")));
                (why, idle.len() == allows.len())
            }
            Err(why) => (Some(why.clone()), false),
        };
        let found = why.and_then(|why| finding(directive, &why, severities));
        // Nobody misses a comment that is right in itself and silences nothing; one with a mistake may mean something.
        let gone = Fix::Edit { span: directive.span, text: String::new() };
        left.extend(found.map(|found| Finding { fix: is_idle.then_some(gone), ..found }));
    }
    left
}

/// Directives without a statement.
pub(super) fn unused(
    directives: &[Directive],
    severities: &BTreeMap<String, Option<Severity>>,
) -> Vec<Finding> {
    directives
        .iter()
        .filter_map(|directive| finding(directive, "no statement stands below it", severities))
        .collect()
}

fn finding(
    directive: &Directive,
    why: &str,
    severities: &BTreeMap<String, Option<Severity>>,
) -> Option<Finding> {
    let rule = &unused_allow::RULE;
    Some(Finding {
        rule: rule.id,
        severity: rules::severity(rule, severities)?,
        message: format!("this comment silences nothing: {why}"),
        help: "Write `-- zdm:allow(rule-id) reason` above the statement that it is about, or take it away".to_owned(),
        span: directive.span,
        fix: None,
    })
}

/// The rules that a directive allows, or why it allows none.
fn parse(text: &str) -> Result<Vec<Allow>, String> {
    let Some(rest) = text.strip_prefix("allow") else {
        return Err("only `allow` can follow `zdm:`".to_owned());
    };
    let Some((ids, reason)) =
        rest.trim_start().strip_prefix('(').and_then(|rest| rest.split_once(')'))
    else {
        return Err("it names no rule".to_owned());
    };
    if !reason.chars().any(char::is_alphanumeric) {
        return Err("it gives no reason".to_owned());
    }
    ids.split(',')
        .map(|id| match rules::find(id.trim()) {
            Some(rule) => Ok(Allow { rule: rule.id, used: false }),
            None => Err(rules::unknown(id.trim())),
        })
        .collect()
}
