//! Named points, before and after each message that changes something, at which tests end or stop the process.
//!
//! `ZDM_FAULT=name` ends it at the first pass of that point as `kill -9` would, `ZDM_FAULT=name:3` at the third.
//! `ZDM_FAULT_STOP` stops it there instead, as SIGSTOP does, until it gets SIGCONT: time for whatever else can go
//! wrong. `ZDM_FAULT_LOG` names a file to which each pass adds the point's name. Only debug builds look.

/// Every point, about in the order in which runs pass them, so that a test can go through them all.
#[cfg(debug_assertions)]
pub(crate) const POINTS: &[&str] = &[
    "state-made",
    "run-locked",
    "dead-fences-before-commit",
    "dead-fences-after-commit",
    "baseline-before-commit",
    "baseline-after-commit",
    "accepted-before-commit",
    "accepted-after-commit",
    "up-before-commit",
    "up-after-commit",
    "repair-before-commit",
    "repair-after-commit",
    "fence-before-commit",
    "fence-after-commit",
    "taken-logins-before-commit",
    "taken-logins-after-commit",
    "login-before-taken",
    "login-after-taken",
    "gate-passed",
    "lifted-fence-before-commit",
    "lifted-fence-after-commit",
    "withdrawal-before-commit",
    "withdrawal-after-commit",
    "intent-before-commit",
    "intent-after-commit",
    "checkpoint-before-commit",
    "checkpoint-after-commit",
    "batch-before-commit",
    "batch-after-commit",
    "backfill-filled",
    "steer-before-commit",
    "steer-after-commit",
    "refill-before-commit",
    "refill-after-commit",
    "tables-locked",
    "statement-before",
    "statement-after",
    "tables-unlocked",
    "invalid-index-before",
    "invalid-index-after",
    "final-fence-before-commit",
    "final-fence-after-commit",
    "step-before-commit",
    "step-after-commit",
    "undone-before-commit",
    "undone-after-commit",
    "done-before-commit",
    "done-after-commit",
    "state-before-commit",
    "state-after-commit",
    "phase-done",
    "run-ending",
    "login-before-given-back",
    "login-after-given-back",
    "given-back-logins-before-commit",
    "given-back-logins-after-commit",
];

/// What a test wants of a point.
#[cfg(debug_assertions)]
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wish {
    End,
    Stop,
}

/// A named point: where the process ends, or stops, when a variable of the environment names it.
#[cfg(debug_assertions)]
pub(crate) fn point(name: &'static str) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    static WANTED: OnceLock<Option<(Wish, String, u32)>> = OnceLock::new();
    static PASSES: AtomicU32 = AtomicU32::new(0);

    debug_assert!(POINTS.contains(&name), "fault point {name} is not listed");
    log(name);
    let wanted = WANTED.get_or_init(|| {
        let end = std::env::var("ZDM_FAULT").ok().map(|text| (Wish::End, text));
        let stop = || std::env::var("ZDM_FAULT_STOP").ok().map(|text| (Wish::Stop, text));
        let (wish, text) = end.or_else(stop)?;
        let (name, pass) = text.split_once(':').unwrap_or((&text, "1"));
        Some((wish, name.to_owned(), pass.parse().ok()?))
    });
    let Some((wish, wanted, pass)) = wanted else { return };
    if wanted == name && PASSES.fetch_add(1, Ordering::SeqCst) + 1 == *pass {
        match wish {
            Wish::End => std::process::abort(),
            Wish::Stop => stop(),
        }
    }
}

/// Adds the point to the file of `ZDM_FAULT_LOG`.
#[cfg(debug_assertions)]
fn log(name: &str) {
    use std::io::Write as _;

    let Some(path) = std::env::var_os("ZDM_FAULT_LOG") else { return };
    let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
    // A test that finds too little in the file says so.
    drop(file.and_then(|mut file| writeln!(file, "{name}")));
}

/// Stops the whole process until somebody lets it go on.
#[cfg(all(debug_assertions, unix))]
fn stop() {
    use rustix::process::{Signal, getpid, kill_process};
    if let Err(error) = kill_process(getpid(), Signal::STOP) {
        tracing::error!(%error, "could not stop");
    }
}

#[cfg(all(debug_assertions, not(unix)))]
fn stop() {}

/// A named point: nothing in a release build.
#[cfg(not(debug_assertions))]
pub(crate) fn point(_name: &'static str) {}
