//! `ALGORITHM=` and `LOCK=` in the statement itself: what happens with them.

use super::super::mode::Mode;
use super::Part;
use super::context::Context;
use super::together::Outcome;
use crate::model::server::{Engine, Server};
use crate::sql::change::{Change, Located};
use crate::sql::effect::Algorithm;

/// Changes the outcome into what the server does with what is asked of it.
pub(super) fn settle(outcome: &mut Outcome, parts: &[Part], context: &Context<'_>) {
    let (mut algorithm, mut lock) = (None, None);
    for located in context.changes {
        if let Change::Demand { algorithm: asked, lock: locked, .. } = &located.change {
            algorithm = asked.as_deref().or(algorithm);
            lock = locked.as_deref().or(lock);
        }
    }
    if (algorithm, lock) == (None, None) || outcome.algorithm == Some(Algorithm::Fails) {
        return;
    }
    let wanted = lock.map(Mode::parse);
    let renames = parts.len() == 1 && parts.iter().all(|part| part.kind == "rename_table");
    if renames && wanted.is_some_and(|wanted| wanted != Some(Mode::AccessExclusive)) {
        *outcome = Outcome::fails();
        return;
    }
    let settled = match algorithm {
        Some(algorithm) => match Algorithm::parse(algorithm) {
            Some(algorithm) => with(*outcome, parts, (algorithm, lock), context),
            None => None,
        },
        None => Some(*outcome),
    };
    // A weaker lock than the algorithm needs: MariaDB copies where a copy needs none.
    let granted = settled.and_then(|settled| match wanted {
        Some(Some(wanted)) if wanted < settled.lock => {
            let copy = Outcome::copy(context.server);
            let is_rename = parts.iter().any(|part| part.kind == "rename_table");
            (algorithm.is_none() && copy.lock <= wanted && !is_rename).then_some(copy)
        }
        Some(None) => None,
        _ => Some(settled),
    });
    *outcome = granted.unwrap_or_else(Outcome::fails);
    if let Some(Some(wanted)) = wanted
        && outcome.algorithm != Some(Algorithm::Fails)
    {
        outcome.lock = wanted;
    }
}

/// Whether the statement takes no ALGORITHM and no LOCK, and has one: MariaDB's operations on partitions, its DROP INDEX.
pub(super) fn is_refused(changes: &[Located], server: Server) -> bool {
    let asks = |located: &Located| matches!(located.change, Change::Demand { .. });
    let takes_none = |located: &Located| match &located.change {
        Change::Clauseless { .. } => true,
        Change::Partitions { operation, .. } => {
            !matches!(operation.as_str(), "PARTITION BY" | "REMOVE PARTITIONING")
        }
        _ => false,
    };
    server.engine == Engine::MariaDb && changes.iter().any(asks) && changes.iter().any(takes_none)
}

/// What the server does when an algorithm is asked for; `None`: it refuses.
fn with(
    best: Outcome,
    parts: &[Part],
    (asked, lock): (Algorithm, Option<&str>),
    context: &Context<'_>,
) -> Option<Outcome> {
    let server = context.server;
    let is = |word: &str| parts.iter().any(|part| part.is(word));
    if asked == Algorithm::Copy {
        let renames = parts.iter().all(|part| part.kind == "rename_table");
        return Some(if renames || (parts.len() == 1 && is("never-copies")) {
            best
        } else {
            copy(best, server)
        });
    }
    if server.engine == Engine::MariaDb {
        // The dearest that is allowed.
        return (best.algorithm <= Some(asked)).then_some(best);
    }
    match asked {
        Algorithm::Instant => {
            (best.algorithm == Some(Algorithm::Instant) && lock.is_none()).then_some(best)
        }
        Algorithm::InPlace if best.algorithm == Some(Algorithm::Instant) => {
            let columns = is("adds-column") || is("takes-column");
            let virtuals = is("adds-virtual") || is("takes-virtual");
            let in_place = Outcome {
                algorithm: Some(Algorithm::InPlace),
                rewrites: columns,
                scans: columns,
                ..best
            };
            (!columns || !virtuals).then_some(in_place)
        }
        Algorithm::InPlace => (best.algorithm == Some(Algorithm::InPlace)).then_some(best),
        _ => None,
    }
}

fn copy(best: Outcome, server: Server) -> Outcome {
    let copy = Outcome::copy(server);
    let lock =
        if best.algorithm == Some(Algorithm::Copy) { best.lock.max(copy.lock) } else { copy.lock };
    Outcome { lock, ..copy }
}
