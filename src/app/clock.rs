//! The clock that deadlines are measured on.

use std::time::Duration;

use super::deadline::Moment;

/// Now, on a clock that goes on while the machine is suspended: what stands still on a paused laptop or a migrated
/// virtual machine would let a lease look fresh that has long expired.
#[cfg(target_os = "linux")]
pub(super) fn now() -> Moment {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    // Neither is negative since the machine was started.
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or(0);
    Moment(Duration::new(seconds, nanoseconds))
}

/// Now, on the steady clock of the standard library (it counts suspended time on macOS and Windows; counted from the
/// first call, as the library does not show more).
#[cfg(not(target_os = "linux"))]
pub(super) fn now() -> Moment {
    static FIRST: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    let first = *FIRST.get_or_init(std::time::Instant::now);
    // Never zero, which means "no deadline".
    Moment(first.elapsed() + Duration::from_nanos(1))
}
