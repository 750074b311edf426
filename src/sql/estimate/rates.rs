//! How many megabytes (1,000,000 bytes) of a table servers get through in a second.
//!
//! Measured by `scripts/rates.sh`, and rounded: docs/estimates.md has the figures and the circumstances.

use super::Work;
use crate::model::server::Engine;

pub(super) fn megabytes_per_second(work: Work, engine: Engine) -> u64 {
    match engine {
        Engine::Postgres => match work {
            Work::Scan => 500,
            Work::Build => 120,
            Work::BuildConcurrently => 90,
            Work::Rewrite | Work::Copy => 40,
            Work::Update => 15,
            Work::Fill => 8,
        },
        Engine::MariaDb => match work {
            Work::Scan => 400,
            Work::Build | Work::BuildConcurrently => 60,
            Work::Rewrite => 60,
            Work::Copy => 40,
            Work::Update => 60,
            Work::Fill => 30,
        },
        Engine::MySql => match work {
            Work::Scan => 400,
            Work::Build | Work::BuildConcurrently => 40,
            Work::Rewrite => 40,
            Work::Copy => 35,
            Work::Update => 40,
            Work::Fill => 20,
        },
    }
}
