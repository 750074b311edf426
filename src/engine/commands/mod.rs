//! The commands that need a database, one file each. Each is thin: open, ask `plan`, walk, close.

mod accept;
mod advance;
mod backfill;
mod baseline;
mod contract;
mod delegate;
mod doctor;
mod expand;
mod migrate;
mod purge;
mod rollback;
mod select;
mod snapshot;
mod status;
mod up;
mod verify;
mod wait;

pub(crate) use accept::accept;
pub(crate) use advance::Ground;
pub(crate) use backfill::{Steer, Steered, parked_rows, steer};
pub(crate) use baseline::{Baselined, Wish as BaselineWish, Write, baseline};
pub(crate) use contract::contract;
pub(crate) use delegate::delegate;
pub(crate) use doctor::{Cure, Diagnosis, Privileges, doctor, privileges};
pub(crate) use expand::expand;
pub(crate) use migrate::migrate;
pub(crate) use purge::purge;
pub(crate) use rollback::{Goal, rollback};
pub(crate) use select::unless_drifted;
pub(crate) use snapshot::snapshot;
pub(crate) use status::{BackfillStatus, MigrationStatus, Status, StepStatus, status};
pub(crate) use up::{Start, up};
pub(crate) use verify::{Checkup, verify};
pub(crate) use wait::wait;
