//! What clauses of one ALTER TABLE cost together.
//!
//! Source: executed on MySQL 9.7, MariaDB 10.11 and 11.8 (rows of the change `together`).

use super::super::mode::Mode;
use super::super::rows::Answer;
use super::{Part, lock};
use crate::model::server::{Engine, Server};
use crate::sql::effect::Algorithm;

/// What an ALTER TABLE costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Outcome {
    pub(super) algorithm: Option<Algorithm>,
    pub(super) lock: Mode,
    pub(super) rewrites: bool,
    pub(super) scans: bool,
}

impl Outcome {
    /// Whether the rows are written anew in place.
    pub(super) fn is_rebuild(self) -> bool {
        self.algorithm == Some(Algorithm::InPlace) && self.rewrites
    }

    /// What a row says of the whole statement.
    pub(super) fn replace(&mut self, answer: &Answer) {
        if self.algorithm == Some(Algorithm::Fails) {
            return;
        }
        let copies = answer.algorithm() == Some(Algorithm::Copy);
        *self = Self {
            algorithm: answer.algorithm(),
            lock: if copies { lock(answer) } else { lock(answer).max(self.lock) },
            rewrites: !answer.rewrites.is_empty(),
            scans: !answer.scans.is_empty(),
        };
    }

    /// A copy of the table; others only read, except on MariaDB from 11.2 on.
    pub(super) fn copy(server: Server) -> Self {
        let online = server.engine == Engine::MariaDb && server.version >= (11, 2);
        let lock = if online { Mode::RowExclusive } else { Mode::Share };
        Self { algorithm: Some(Algorithm::Copy), lock, rewrites: true, scans: true }
    }

    /// The server refuses.
    pub(super) fn fails() -> Self {
        let algorithm = Some(Algorithm::Fails);
        Self { algorithm, lock: Mode::RowExclusive, rewrites: false, scans: false }
    }
}

/// What the parts cost together.
pub(super) fn outcome(parts: &[Part], server: Server) -> Outcome {
    let algorithm = parts.iter().filter_map(|part| part.answer.algorithm()).max();
    let renames_too = |part: &&Part| part.kind != "rename_table" || parts.len() == 1;
    // A copy is a copy, whatever the others would have needed in place.
    let counts =
        |part: &&Part| algorithm != Some(Algorithm::Copy) || part.answer.algorithm() == algorithm;
    let locks = parts.iter().filter(renames_too).filter(counts).map(|part| lock(part.answer));
    let outcome = Outcome {
        algorithm,
        lock: locks.max().unwrap_or(Mode::RowExclusive),
        rewrites: parts.iter().any(|part| !part.answer.rewrites.is_empty()),
        scans: parts.iter().any(|part| !part.answer.scans.is_empty()),
    };
    match algorithm {
        Some(Algorithm::Fails) => Outcome::fails(),
        Some(Algorithm::Copy) => Outcome { rewrites: true, scans: true, ..outcome },
        _ if parts.len() > 1 => mixed(outcome, parts, server),
        _ => outcome,
    }
}

fn mixed(mut outcome: Outcome, parts: &[Part], server: Server) -> Outcome {
    let has = |word: &str| parts.iter().any(|part| part.is(word));
    let columns = has("adds-column") || has("takes-column") || has("moves-column");
    if has("adds-virtual") || has("takes-virtual") {
        return beside_virtual(outcome, parts, server);
    }
    // MySQL moves a column at once when it adds another.
    let at_once = |part: &Part| {
        part.answer.algorithm() == Some(Algorithm::Instant) || part.is("moves-column")
    };
    if server.engine == Engine::MySql && has("adds-column") && parts.iter().all(at_once) {
        let algorithm = Some(Algorithm::Instant);
        return Outcome { algorithm, rewrites: false, scans: false, ..outcome };
    }
    let rebuild = match server.engine {
        Engine::MariaDb => columns && has("builds-index"),
        Engine::MySql | Engine::Postgres => columns && outcome.algorithm > Some(Algorithm::Instant),
    };
    if rebuild {
        outcome.algorithm = Some(Algorithm::InPlace);
        (outcome.rewrites, outcome.scans) = (true, true);
    }
    if server.engine == Engine::MySql && has("text") && has("option") {
        outcome.lock = outcome.lock.max(Mode::Share);
        (outcome.rewrites, outcome.scans) = (true, true);
    }
    let is_instant = outcome.algorithm == Some(Algorithm::Instant);
    if server.engine == Engine::MariaDb && is_instant && has("names") && has("option") && !columns {
        outcome.algorithm = Some(Algorithm::NoCopy);
    }
    outcome
}

/// A virtual column comes or goes in place beside indexes, at once beside instant columns, and else by a copy.
fn beside_virtual(outcome: Outcome, parts: &[Part], server: Server) -> Outcome {
    let is_virtual = |part: &&Part| part.is("adds-virtual") || part.is("takes-virtual");
    let is_index = |part: &&Part| part.is("builds-index") || part.is("drops-index");
    let others: Vec<_> = parts.iter().filter(|part| !is_virtual(part) && !is_index(part)).collect();
    let all = |word: &str| others.iter().all(|part| part.is(word));
    let takes = parts.iter().any(|part| part.is("takes-virtual"));
    let at_once = outcome.algorithm == Some(Algorithm::Instant);
    let fits = match server.engine {
        Engine::MariaDb => all("takes-column"),
        Engine::MySql | Engine::Postgres if takes => at_once && all("takes-column"),
        Engine::MySql | Engine::Postgres => {
            at_once && others.iter().all(|part| part.is("adds-column") || part.is("takes-column"))
        }
    };
    if others.is_empty() || fits { outcome } else { Outcome::copy(server) }
}

impl Part {
    /// Whether the clause's row says that word of how it goes together with others.
    pub(super) fn is(&self, word: &str) -> bool {
        self.answer.together.iter().any(|known| known == word)
    }
}
