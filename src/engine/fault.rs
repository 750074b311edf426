//! Named points at which tests end the process as `kill -9` would.
//!
//! `ZDM_FAULT=name` ends it at the first pass of that point, `ZDM_FAULT=name:3` at the third. Only debug builds look.

/// Every point, in the order in which a run passes them, so that a test can go through them all.
#[cfg(debug_assertions)]
pub(crate) const POINTS: &[&str] = &[
    "run-locked",
    "gate-passed",
    "intent-written",
    "batch-before-commit",
    "batch-after-commit",
    "backfill-filled",
    "statement-done",
    "before-commit",
    "after-commit",
    "step-done",
    "phase-done",
];

/// A named point: where the process ends when `ZDM_FAULT` names it.
#[cfg(debug_assertions)]
pub(crate) fn point(name: &'static str) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    static WANTED: OnceLock<Option<(String, u32)>> = OnceLock::new();
    static PASSES: AtomicU32 = AtomicU32::new(0);

    debug_assert!(POINTS.contains(&name), "fault point {name} is not listed");
    let wanted = WANTED.get_or_init(|| {
        let text = std::env::var("ZDM_FAULT").ok()?;
        let (name, pass) = text.split_once(':').unwrap_or((&text, "1"));
        Some((name.to_owned(), pass.parse().ok()?))
    });
    let Some((wanted, pass)) = wanted else { return };
    if wanted == name && PASSES.fetch_add(1, Ordering::SeqCst) + 1 == *pass {
        std::process::abort();
    }
}

/// A named point: nothing in a release build.
#[cfg(not(debug_assertions))]
pub(crate) fn point(_name: &'static str) {}
