//! The rows that a migration has filled, compared once more: contract takes away what they were filled from.
//!
//! Sees: every row, before the fence, within an hour; and as many of them again behind it as the time allows, those first
//! that came in between. Blind: who writes past the triggers after that.

use std::time::Duration;

use super::question::{ago, millis};
use super::{Facts, Findings, GateKind, Judged, Question};
use crate::plan::health::data::{Counted, wrong};

/// What was seen longer ago than this is not known any more.
pub(crate) const FRESH: Duration = Duration::from_hours(1);

/// For so long rows are compared behind the fence even if nobody's lease is waited for.
const AT_LEAST: Duration = Duration::from_secs(30);

/// How long rows are compared behind the fence, where a gate waits for so long anyway.
pub(crate) fn time_behind_fence(wait: Duration) -> Duration {
    wait.max(AT_LEAST)
}

/// What is known of the rows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Verification {
    /// How many conditions they must meet; none: the migration has filled no row.
    pub(crate) conditions: usize,
    /// When the comparison of all rows began, which came to its end: milliseconds since 1970.
    pub(crate) whole_since: Option<i64>,
    /// What was compared last.
    pub(crate) compared: Compared,
}

/// A comparison.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Compared {
    /// None yet.
    No,
    /// By somebody who only wants to know, in a short time.
    ForAdvice(Vec<Counted>),
    /// All rows, before the fence.
    BeforeFence(Vec<Counted>),
    /// As many rows as time allowed, behind the fence.
    BehindFence(Vec<Counted>),
}

impl Compared {
    fn counted(&self) -> &[Counted] {
        match self {
            Self::No => &[],
            Self::ForAdvice(counted) | Self::BeforeFence(counted) | Self::BehindFence(counted) => {
                counted
            }
        }
    }
}

impl Verification {
    /// Whether a row is wrong.
    pub(crate) fn has_differences(&self) -> bool {
        self.compared.counted().iter().any(|counted| counted.wrong > 0)
    }

    /// What to do about wrong rows, once each.
    pub(crate) fn ways_out(&self) -> Vec<&str> {
        let mut ways: Vec<&str> = Vec::new();
        for counted in self.compared.counted().iter().filter(|counted| counted.wrong > 0) {
            if !ways.contains(&counted.check.way_out.as_str()) {
                ways.push(&counted.check.way_out);
            }
        }
        ways
    }

    /// What was compared, for an event.
    pub(crate) fn summary(&self) -> String {
        let lines: Vec<_> = self.compared.counted().iter().map(seen).collect();
        let place = match self.compared {
            Compared::BehindFence(_) => "behind the fence: ",
            Compared::No | Compared::ForAdvice(_) | Compared::BeforeFence(_) => "",
        };
        format!("{place}{}", lines.join("; "))
    }
}

/// Judges whether the rows are as they must be.
pub(super) fn judge(question: &Question, facts: &Facts) -> Judged {
    if question.kind == GateKind::Rollback {
        return Judged::NotAsked("a rollback takes away what was filled");
    }
    let Some(verification) = &facts.slow.verification else {
        return Judged::NotAsked("rows are compared once everything else is clear");
    };
    if verification.conditions == 0 {
        return Judged::NotAsked("the migration has filled no rows");
    }
    let counted = verification.compared.counted();
    let mut findings = Findings::default();
    findings.blocked.extend(counted.iter().filter_map(|counted| wrong(counted, None)));
    let mut not_seen = vec!["rows that are written past the triggers from now on".to_owned()];
    let unfinished: Vec<_> = counted.iter().filter_map(unfinished).collect();
    match verification.compared {
        Compared::No => findings.unknown.push("no row was compared".to_owned()),
        Compared::BeforeFence(_) => findings.unknown.extend(unfinished),
        Compared::ForAdvice(_) => {
            not_seen.extend(unfinished.iter().map(|line| format!("{line}; contract compares all")));
        }
        Compared::BehindFence(_) => {
            not_seen
                .extend(unfinished.iter().map(|line| format!("again behind the fence: {line}")));
        }
    }
    let mut seen: Vec<_> = counted.iter().map(seen).collect();
    if let Some(since) = verification.whole_since {
        let is_old = facts.now.saturating_sub(since) > millis(FRESH);
        let line = format!("all rows were compared {}", ago(facts.now, since));
        if is_old {
            findings.unknown.push(format!("{line}, which is too long ago"));
        }
        seen.push(line);
    }
    Judged::Says { verdict: findings.verdict(), seen, not_seen }
}

fn seen(counted: &Counted) -> String {
    let Counted { check, rows, wrong, .. } = counted;
    format!("{}: {rows} rows of table \"{}\" compared, {wrong} wrong", check.title, check.table)
}

fn unfinished(counted: &Counted) -> Option<String> {
    let why = counted.cut_short.as_ref()?;
    let check = &counted.check;
    Some(format!("not every row of table \"{}\" ({}): {why}", check.table, check.title))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::name::{MigrationId, TableName};
    use crate::plan::gate::{Builds, SlowFacts, Verdict};
    use crate::plan::health::data::Check;

    const NOW: i64 = 1_800_000_000_000;

    fn counted(wrong: u64, cut_short: Option<&str>) -> Vec<Counted> {
        let check = Check {
            migration: MigrationId::parse("0002_x").unwrap(),
            title: "t.b is what a is".to_owned(),
            table: TableName::bare("t"),
            wrong: "a <> b".to_owned(),
            way_out: String::new(),
        };
        let examples = if wrong > 0 { vec!["id = 7".to_owned()] } else { Vec::new() };
        let cut_short = cut_short.map(str::to_owned);
        vec![Counted { check, rows: 100, wrong, examples, cut_short, last: None }]
    }

    fn check(whole_since: Option<i64>, compared: Compared, expected: &str) {
        let question = Question {
            kind: GateKind::Contract,
            migration: MigrationId::parse("0002_x").unwrap(),
            services: [].into(),
            concerned: None,
            soak: Duration::ZERO,
            builds: Builds::MayRun,
            ignore_roles: Vec::new(),
            freeze: Vec::new(),
            checks: Vec::new(),
            longest_ttl: Duration::ZERO,
            cut: super::super::hard_fence::Cut::Coming,
        };
        let verification = Some(Verification { conditions: 1, whole_since, compared });
        let slow = SlowFacts { verification, ..SlowFacts::default() };
        let facts = Facts { now: NOW, slow, ..Facts::default() };
        let Judged::Says { verdict, .. } = judge(&question, &facts) else {
            panic!("it was not asked")
        };
        let said = match verdict {
            Verdict::Clear => "clear".to_owned(),
            Verdict::Blocked { reasons, .. } => format!("blocked: {}", reasons.join(" | ")),
            Verdict::Unknown { reasons } => format!("unknown: {}", reasons.join(" | ")),
        };
        assert_eq!(said, expected);
    }

    #[test]
    fn a_wrong_row_blocks_wherever_it_was_seen() {
        let words = "blocked: one row is wrong in table \"t\" (t.b is what a is): id = 7";
        check(None, Compared::ForAdvice(counted(1, None)), words);
        check(Some(NOW), Compared::BeforeFence(counted(1, None)), words);
        check(Some(NOW), Compared::BehindFence(counted(1, Some("time was up"))), words);
    }

    #[test]
    fn all_rows_must_have_been_compared_within_an_hour_and_as_many_as_can_be_behind_the_fence() {
        let hour = millis(FRESH);
        let cut = || counted(0, Some("time was up"));
        check(None, Compared::No, "unknown: no row was compared");
        check(Some(NOW - hour), Compared::BeforeFence(counted(0, None)), "clear");
        check(Some(NOW - hour), Compared::BehindFence(cut()), "clear");
        check(None, Compared::ForAdvice(cut()), "clear");
        let words = "unknown: not every row of table \"t\" (t.b is what a is): time was up";
        check(None, Compared::BeforeFence(cut()), words);
        let words = "unknown: all rows were compared 60 min ago, which is too long ago";
        check(Some(NOW - hour - 1), Compared::BehindFence(counted(0, None)), words);
    }
}
