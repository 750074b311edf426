//! The one table that the drill ends with.

use crate::load::Tally;

/// A scenario, and what was counted in it.
#[derive(Debug)]
pub struct Scene {
    pub title: &'static str,
    pub moments: Vec<Moment>,
}

/// A moment of a scenario.
#[derive(Debug)]
pub struct Moment {
    pub what: String,
    /// Since the moment before.
    pub tally: Tally,
    /// What contract said.
    pub said: String,
}

impl Scene {
    pub fn sum(&self) -> Tally {
        let mut sum = Tally::default();
        for moment in &self.moments {
            sum.add(&moment.tally);
        }
        sum
    }
}

/// The table of one server.
pub fn table(title: &str, scenes: &[Scene]) -> String {
    let mut text = line(title, "requests", "failed", "wrong", "p99", "contract");
    let mut all = Tally::default();
    for scene in scenes {
        text.extend([scene.title, "\n"]);
        for Moment { what, tally, said } in &scene.moments {
            text.push_str(&counted(&format!("  {what}"), tally, said));
        }
        all.add(&scene.sum());
    }
    text.push_str(&counted("all", &all, ""));
    for problem in &all.problems {
        text.extend(["  ", problem, "\n"]);
    }
    text
}

fn counted(what: &str, tally: &Tally, said: &str) -> String {
    let milliseconds = format!("{} ms", tally.p99().as_millis());
    let [requests, failed, wrong] =
        [tally.requests, tally.failed, tally.wrong].map(|n| n.to_string());
    line(what, &requests, &failed, &wrong, &milliseconds, said)
}

fn line(what: &str, requests: &str, failed: &str, wrong: &str, p99: &str, said: &str) -> String {
    let line = format!("{what:<54}{requests:>9}{failed:>8}{wrong:>7}{p99:>9}  {said}");
    format!("{}\n", line.trim_end())
}
