//! Waits until migrations are as far as an application needs them. Changes nothing, and asks as an application may: by
//! the functions of the state alone, holding nothing between two looks.

use std::time::{Duration, Instant};

use crate::app::link::Link;
use crate::database::lease::LeaseError;
use crate::database::target::Target;
use crate::engine::interrupt::Interrupt;
use crate::engine::{failure, retry};
use crate::error::{Error, ErrorKind};
use crate::model::lease::{Need, Reached};

/// How often it looks, give or take a tenth: many may wait for the same.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long one look may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Waits up to `timeout`; `tell` hears why, whenever that changes.
pub(crate) async fn wait(
    target: Target,
    needs: &[Need],
    timeout: Duration,
    interrupt: &Interrupt,
    tell: impl Fn(&str),
) -> Result<(), Error> {
    let until = Instant::now() + timeout;
    let mut link = Link::new(target.clone());
    let mut told = String::new();
    loop {
        let why = match missing(&mut link, needs).await {
            Ok(missing) if missing.is_empty() => {
                link.close().await;
                return Ok(());
            }
            Ok(missing) => missing.join("; "),
            Err(LeaseError::Database(error)) if !error.kind.may_pass() => {
                return Err(failure::connecting(&target, error));
            }
            Err(error) => error.to_string(),
        };
        let rest = until.saturating_duration_since(Instant::now());
        if rest.is_zero() {
            let message = format!("after {} s still waiting: {why}", timeout.as_secs());
            return Err(Error::new(ErrorKind::Busy, message)
                .hint("Run zdm expand and zdm migrate, or wait longer with --timeout. Nothing was changed."));
        }
        if told != why {
            tell(&why);
            told = why;
        }
        let pause = LOOK_EVERY.mul_f64(0.9 + 0.2 * rand::random::<f64>());
        retry::wait(interrupt, pause.min(rest)).await?;
    }
}

/// What is not yet as far as it is needed, in words.
async fn missing(link: &mut Link, needs: &[Need]) -> Result<Vec<String>, LeaseError> {
    let mut missing = Vec::new();
    for (migration, wanted) in needs {
        let reached = link.reached(migration, PATIENCE).await?;
        if reached.is_none_or(|reached| reached < *wanted) {
            let found = reached.map_or("not there", Reached::as_str);
            missing.push(format!("{migration} is {found}, not yet {}", wanted.as_str()));
        }
    }
    Ok(missing)
}
