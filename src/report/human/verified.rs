//! What statements did on a scratch server, for people.

use std::fmt::Write as _;

use super::finding::count_of;
use super::plan::Detail;
use super::style::{Tone, paint};
use super::table::table;
use crate::model::server::Engine;
use crate::plan::verified::{Seen, Verified, VerifiedStatement};
use crate::sql::effect::{Algorithm, Effect};

/// How many characters of a statement stand in a table.
const BEGINNING: usize = 60;

/// One line when all is as foretold; else both sides of each difference. In full: both sides of every statement.
pub(crate) fn verified(verified: &Verified, detail: Detail, width: usize) -> String {
    let mut text = String::new();
    if detail == Detail::Full && !verified.statements.is_empty() {
        let row = |one: &VerifiedStatement| {
            vec![place(one), foretold(&one.foretold), seen(&one.seen), beginning(&one.sql)]
        };
        let rows = verified.statements.iter().map(row).collect();
        text.push_str(&table(&["WHERE", "FORETOLD", "SEEN", "STATEMENT"], rows, width));
        text.push('\n');
    }
    let differences: Vec<_> = verified.differences().collect();
    if !differences.is_empty() {
        let rows = differences.iter().map(|(one, found)| {
            let (what, said, was) = (&found.what, &found.foretold, &found.seen);
            vec![place(one), what.clone(), said.clone(), was.clone(), beginning(&one.sql)]
        });
        let titles = ["WHERE", "WHAT", "FORETOLD", "SEEN", "STATEMENT"];
        text.push_str(&table(&titles, rows.collect(), width));
        text.push('\n');
    }
    for note in &verified.notes {
        writeln!(text, "{} {note}", paint(Tone::Warn, "note:")).unwrap_or_default();
    }
    let ran = count_of(verified.statements.len(), "statement");
    let (tone, words) = if differences.is_empty() {
        (Tone::Good, "locks and new files are as foretold".to_owned())
    } else {
        (Tone::Bad, format!("{} from what is foretold", count_of(differences.len(), "difference")))
    };
    let title = paint(Tone::Strong, format!("Verified on {}", verified.server));
    writeln!(
        text,
        "{title}: {ran} ran through all phases; {}{}",
        paint(tone, words),
        left_out(verified)
    )
    .unwrap_or_default();
    text
}

/// What could not be compared.
fn left_out(verified: &Verified) -> String {
    let unseen = verified.statements.iter().filter(|one| one.seen == Seen::Nothing).count();
    let unknown = verified.statements.iter().filter(|one| !one.foretold.known).count();
    let mut words = Vec::new();
    if unseen > 0 {
        words.push(format!("the server shows no locks of {}", count_of(unseen, "statement")));
    }
    if unknown > 0 {
        words.push(format!("{} not understood", count_of(unknown, "statement")));
    }
    if words.is_empty() { String::new() } else { format!(" ({})", words.join("; ")) }
}

fn place(one: &VerifiedStatement) -> String {
    match &one.place {
        Some((path, span)) => {
            let mut parts = path.rsplit('/');
            let (file, folder) =
                (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            format!("{folder}/{file}:{}", span.line)
        }
        None => format!("{} {} {}", one.migration, one.phase, one.step),
    }
}

fn beginning(sql: &str) -> String {
    let words = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(BEGINNING) {
        Some((end, _)) => format!("{} ...", words.get(..end).unwrap_or_default().trim_end()),
        None => words,
    }
}

fn foretold(effect: &Effect) -> String {
    if !effect.known {
        return "not understood".to_owned();
    }
    let locks = effect.locks.iter().map(|lock| format!("{} {}", lock.table, lock.mode));
    let mut words: Vec<String> = locks.collect();
    words.extend(effect.algorithm.map(|algorithm| algorithm.as_str().to_owned()));
    words.extend(effect.rewrites.iter().map(|table| format!("{table} written anew")));
    if words.is_empty() { "nothing".to_owned() } else { words.join(", ") }
}

fn seen(seen: &Seen) -> String {
    let words: Vec<String> = match seen {
        Seen::Tables(footprint) => {
            let locks = footprint.locks.iter();
            let mut words: Vec<_> = locks
                .map(|(table, mode)| format!("{table} {}", mode.name(Engine::Postgres)))
                .collect();
            let rewrites = footprint.rewrites.iter().flatten();
            words.extend(rewrites.map(|table| format!("{table} written anew")));
            words
        }
        Seen::Granted { table, algorithm, lock, .. } => {
            vec![format!("{table} {lock}"), Algorithm::as_str(*algorithm).to_owned()]
        }
        Seen::Nothing => return "not shown".to_owned(),
    };
    if words.is_empty() { "nothing".to_owned() } else { words.join(", ") }
}
