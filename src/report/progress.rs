//! A run as it goes: a bar on a terminal, lines elsewhere.
#![expect(
    clippy::disallowed_methods,
    reason = "a line every ten seconds needs a clock; nothing is decided by it"
)]

use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::human::style::{Tone, paint};
use super::human::time::{grouped, rough};
use crate::engine::event::{Event, Listener};

/// How often a backfill says how far it is where no bar can be drawn.
const EVERY: Duration = Duration::from_secs(10);

/// Where lines go.
pub(crate) trait Lines: Send + Sync {
    /// Takes one line, without its end.
    fn line(&self, text: &str);
}

/// Tells a run's events.
pub(crate) struct Progress {
    lines: Box<dyn Lines>,
    bars: Option<MultiProgress>,
    now: Mutex<Now>,
}

#[derive(Default)]
struct Now {
    bar: Option<ProgressBar>,
    said: Option<Instant>,
    wait: Option<String>,
}

impl std::fmt::Debug for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Progress").finish_non_exhaustive()
    }
}

impl Progress {
    /// With `bars`, where a bar can be drawn.
    pub(crate) fn new(lines: Box<dyn Lines>, bars: Option<MultiProgress>) -> Self {
        Self { lines, bars, now: Mutex::new(Now::default()) }
    }

    fn now(&self) -> std::sync::MutexGuard<'_, Now> {
        // A listener that panicked has at worst left an old bar.
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end_bar(&self) {
        let mut now = self.now();
        if let Some(bar) = now.bar.take() {
            bar.finish_and_clear();
        }
        now.said = None;
        now.wait = None;
    }

    fn advance(&self, title: &str, (done, estimate): (u64, Option<u64>), rate: f64) {
        let mut now = self.now();
        if let Some(bars) = &self.bars {
            let bar =
                now.bar.get_or_insert_with(|| bars.add(ProgressBar::new(0).with_style(style())));
            bar.set_length(estimate.unwrap_or(done).max(done));
            bar.set_position(done);
            bar.set_message(message(title, (done, estimate), rate));
            return;
        }
        if now.said.is_none_or(|said| said.elapsed() >= EVERY) {
            now.said = Some(Instant::now());
            self.lines.line(&format!("      {}", message(title, (done, estimate), rate)));
        }
    }

    /// A reason to wait is said once, not at every try; `left` is what changes between tries.
    fn wait(&self, reason: String, left: &str) {
        let mut now = self.now();
        if let Some(bar) = &now.bar {
            bar.set_message(format!("{reason}{left}"));
        }
        if now.wait.as_ref() != Some(&reason) {
            self.lines.line(&format!("      {} {reason}{left}", paint(Tone::Warn, "waits:")));
            now.wait = Some(reason);
        }
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("      {bar:24} {percent:>3}%  {msg}")
        .unwrap_or_else(|_invalid| ProgressStyle::default_bar())
        .progress_chars("=> ")
}

/// `backfill users: 120,000 of about 200,000 rows, 41,000 rows/s, 2 s left`.
fn message(title: &str, (done, estimate): (u64, Option<u64>), rate: f64) -> String {
    let of = match estimate {
        Some(all) => format!("{} of about {} rows", grouped(done), grouped(all.max(done))),
        None => format!("{} rows", grouped(done)),
    };
    let mut words = format!("{title}: {of}");
    if rate >= 1.0 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at least 1; for people"
        )]
        let whole = rate as u64;
        write!(words, ", {} rows/s", grouped(whole)).unwrap_or_default();
        if let Some(left) = estimate.map(|all| all.saturating_sub(done)).filter(|left| *left > 0) {
            let left = Duration::from_secs(left / whole.max(1));
            let left = rough(left.max(Duration::from_secs(1)));
            write!(words, ", {left} left").unwrap_or_default();
        }
    }
    words
}

impl Listener for Progress {
    fn hear(&self, event: &Event) {
        match event {
            Event::PhaseBegan { migration, phase } => {
                let words = format!("{} {migration}", paint(Tone::Code, phase));
                self.lines.line(&words);
            }
            Event::StepBegan { title, .. } => {
                tracing::info!(title, "step begins");
            }
            Event::StepDone { title, took, .. } => {
                self.end_bar();
                let took = paint(Tone::Faint, format!("({})", rough(*took)));
                self.lines.line(&format!("    {} {title} {took}", paint(Tone::Good, "done")));
            }
            Event::StepSkipped { title, .. } => {
                self.lines.line(&format!("    {} {title}", paint(Tone::Faint, "done before")));
            }
            Event::PhaseDone { .. } => self.end_bar(),
            Event::Progress { title, rows_done, rows_estimate, rows_per_second, .. } => {
                self.advance(title, (*rows_done, *rows_estimate), *rows_per_second);
            }
            Event::BackfillStays { title, reason } => {
                self.wait(format!("{title}: {reason}"), "");
            }
            Event::BackfillGoesOn => {
                self.now().wait = None;
                self.lines.line("      goes on");
            }
            Event::WaitsForLock { title, blockers, attempt } => {
                tracing::info!(title, attempt, "waits for a lock");
                let who = if blockers.is_empty() {
                    "somebody who has gone".to_owned()
                } else {
                    blockers.join("; ")
                };
                self.wait(format!("for a lock, to {title}: held by {who}"), "");
            }
            Event::WaitsForRun { owner } => self.wait(format!("for the run of {owner}"), ""),
            Event::GateWaits { migration, remaining } => {
                tracing::debug!(%migration, ?remaining, "the gate waits");
                let reason = format!(
                    "until every instance that does not tolerate {migration} would have stopped itself"
                );
                self.wait(reason, &format!(" ({})", rough(*remaining)));
            }
            Event::Reconnected => self.lines.line("      the connection was lost and made again"),
            Event::Note { message } => {
                self.lines.line(&format!("    {} {message}", paint(Tone::Warn, "note:")));
            }
        }
    }
}
