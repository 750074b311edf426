//! How applications touch the state: the functions `join_v1`, `renew_v1`, `leave_v1` and `reached_v1`, and
//! nothing else.
//!
//! A released function keeps working for two major versions, and its outcomes only grow: whoever calls it never refuses
//! because the state is newer than itself.

mod calls;
mod held;
mod outcome;

pub(crate) use calls::{LeaseError, Report, join, leave, reached, renew};
pub(crate) use outcome::{Joined, Obstacle, Renewed};
