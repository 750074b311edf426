//! What a reviewer must know first, in sentences.

use super::human::effect::list;
use super::human::finding::{count_of, tally};
use super::human::style::Tone;
use crate::model::name::MigrationId;
use crate::model::phase::Phase;
use crate::plan::digest::{Digest, Long, Work};
use crate::plan::view::Gate;
use crate::report::since::Since;
use crate::sql::effect::Blocks;

/// How many of a kind are named.
const NAMED: usize = 5;

/// A fact: a word for its kind, how it bears on the decision, and a sentence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Fact {
    /// Its kind.
    pub(crate) label: &'static str,
    /// How it bears on the decision.
    pub(crate) tone: Tone,
    /// The sentence.
    pub(crate) words: String,
}

/// What a plan means for who reviews it, the gravest first. Nothing for a plan that has nothing to run.
pub(crate) fn facts(digest: &Digest<'_>, since: Option<&Since>) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut add = |label, tone, words: String| facts.push(Fact { label, tone, words });
    if !digest.refused.is_empty() {
        let words = format!("{}: nothing runs before that is put right", ids(&digest.refused));
        add("refused", Tone::Bad, words);
    }
    if let Some(since) = since.filter(|since| !since.gone.is_empty()) {
        let verb = if since.gone.len() == 1 { "is" } else { "are" };
        let words = format!("{} {verb} no longer there", shortened(&since.gone));
        add("gone", Tone::Bad, words);
    }
    if digest.steps == 0 {
        return facts;
    }
    let [errors, ..] = digest.findings;
    if errors > 0 {
        let words = format!("{}: `zdm expand` refuses to run", tally(digest.findings));
        add("findings", Tone::Bad, words);
    } else if digest.findings != [0; 3] {
        add("findings", Tone::Warn, tally(digest.findings));
    }
    for long in digest.long.iter().take(NAMED) {
        add("waits", Tone::Bad, waits(long));
    }
    if let Some(more) = digest.long.len().checked_sub(NAMED).filter(|more| *more > 0) {
        add("waits", Tone::Bad, format!("and {more} more statements like these"));
    }
    if digest.unknown > 0 {
        let verb = if digest.unknown == 1 { "is" } else { "are" };
        let count = count_of(digest.unknown, "statement");
        add("waits", Tone::Bad, format!("{count} {verb} not understood: assume the worst"));
    }
    if digest.mass > 0 {
        let (statements, end) = match digest.mass {
            1 => ("an UPDATE or DELETE".to_owned(), "it ends"),
            many => (format!("{many} UPDATEs or DELETEs"), "each ends"),
        };
        let words = format!("writes of the same rows as {statements} without batches, until {end}");
        add("waits", Tone::Warn, words);
    }
    if digest.long.is_empty() && digest.unknown + digest.mass == 0 {
        add("waits", Tone::Good, "nobody, or for an instant".to_owned());
    }
    if !digest.filled.is_empty() {
        let tables: Vec<_> = digest.filled.iter().map(ToString::to_string).collect();
        let words = format!("rows of {} in short batches, while clients work", shortened(&tables));
        add("fills", Tone::Good, words);
    }
    for words in gates(&digest.gates) {
        add("gate", Tone::Warn, words);
    }
    if !digest.finals.is_empty() {
        let names: Vec<_> =
            digest.finals.iter().map(|(id, phase)| format!("{phase} of {id}")).collect();
        add("final", Tone::Warn, format!("no way back from {}", shortened(&names)));
    }
    facts
}

fn waits(long: &Long<'_>) -> String {
    let tables: Vec<_> = long.tables.iter().map(ToString::to_string).collect();
    let blocked: Vec<_> = long.blocked.iter().map(ToString::to_string).collect();
    let who = match long.blocks {
        Blocks::ReadsAndWrites => "reads and writes",
        Blocks::Writes => "writes",
        Blocks::Ddl | Blocks::Nothing => "other schema changes",
    };
    let work = match long.work {
        Work::Read => "read",
        Work::Rewritten => "rewritten",
    };
    let place = match long.place {
        Some((path, line)) => {
            let file = path.rsplit('/').next().unwrap_or(path);
            format!("{}/{file}:{line}", long.migration)
        }
        None => long.migration.to_string(),
    };
    let whole = if blocked == tables { "the whole table".to_owned() } else { list(&tables) };
    let takes = long.estimate.map(|estimate| format!(": {estimate}")).unwrap_or_default();
    format!("{who} of {} while {whole} is {work} ({place}){takes}", list(&blocked))
}

/// One sentence for all gates that wait for the same.
fn gates(gates: &[(&MigrationId, &Gate)]) -> Vec<String> {
    let mut kinds: Vec<(&Gate, Vec<&MigrationId>)> = Vec::new();
    for (id, gate) in gates {
        let known = kinds.iter_mut().find(|(known, _)| {
            (&known.services, &known.waiting) == (&gate.services, &gate.waiting)
        });
        match known {
            Some((_, ids)) => ids.push(id),
            None => kinds.push((gate, vec![id])),
        }
    }
    let sentence = |(gate, names): (&Gate, Vec<&MigrationId>)| {
        let phase = Phase::Contract;
        let names = ids(&names);
        if gate.services.is_empty() {
            return format!(
                "{phase} of {names} is refused until zdm.toml says in [services] who uses the database"
            );
        }
        let waits = format!(
            "{phase} of {names} waits until every live instance of {} tolerates it",
            list(&gate.services)
        );
        match gate.waiting.as_slice() {
            [] => waits,
            waiting => format!("{waits}; tolerated_by does not name {} yet", list(waiting)),
        }
    };
    kinds.into_iter().map(sentence).collect()
}

fn ids(ids: &[&MigrationId]) -> String {
    shortened(&ids.iter().map(ToString::to_string).collect::<Vec<_>>())
}

/// The first few by name.
fn shortened(names: &[String]) -> String {
    match names.get(..NAMED) {
        Some(first) if names.len() > NAMED + 1 => {
            format!("{} and {} more", first.join(", "), names.len() - NAMED)
        }
        _ => list(names),
    }
}
